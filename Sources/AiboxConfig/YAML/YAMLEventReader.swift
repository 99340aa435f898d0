import CYaml

/// What libyaml reports, one step at a time, in Swift's terms.
struct YAMLEvent {
    enum Kind {
        case documentStart(hasDirectives: Bool)
        case alias
        case scalar(YAMLScalar)
        case listStart(YAMLStyle)
        case listEnd
        case mappingStart(YAMLStyle)
        case mappingEnd
        case end
        case other
    }

    var kind: Kind
    var anchored = false
    var tagged = false
    var position: TextPosition
    /// Unicode scalars from the start of the text (after a byte order mark).
    var start: Int
    var end: Int
}

/// libyaml's parser over bytes in memory. The only place that touches the C library.
final class YAMLEventReader {
    // libyaml keeps pointers into the parser and into the input: both need a fixed address.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let file: String

    /// - Parameter bytes: valid UTF-8, checked by `YAMLText`, without a byte order mark.
    init?(_ bytes: ArraySlice<UInt8>, file: String) {
        self.file = file
        input = .allocate(capacity: max(1, bytes.count))
        _ = input.update(fromContentsOf: bytes)
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            input.deallocate()
            parser.deallocate()
            return nil
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// The next event, or the syntax error that ends the document.
    func next() -> Result<YAMLEvent, SyntaxError> {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { return .failure(SyntaxError(problem: syntaxProblem())) }
        defer { yaml_event_delete(&raw) }
        var event = YAMLEvent(
            kind: .other, position: Self.position(raw.start_mark), start: Int(raw.start_mark.index),
            end: Int(raw.end_mark.index))
        switch raw.type {
        case YAML_DOCUMENT_START_EVENT:
            let start = raw.data.document_start
            event.kind = .documentStart(
                hasDirectives: start.version_directive != nil || start.tag_directives.start != start.tag_directives.end)
        case YAML_ALIAS_EVENT:
            event.kind = .alias
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            event.anchored = scalar.anchor != nil
            event.tagged = scalar.tag != nil
            let text = scalar.value.map {
                String(decoding: UnsafeBufferPointer(start: $0, count: Int(scalar.length)), as: UTF8.self)
            }
            event.kind = .scalar(YAMLScalar(text: text ?? "", style: Self.style(scalar.style)))
        case YAML_SEQUENCE_START_EVENT:
            let list = raw.data.sequence_start
            event.anchored = list.anchor != nil
            event.tagged = list.tag != nil
            event.kind = .listStart(list.style == YAML_FLOW_SEQUENCE_STYLE ? .flow : .block)
        case YAML_SEQUENCE_END_EVENT:
            event.kind = .listEnd
        case YAML_MAPPING_START_EVENT:
            let mapping = raw.data.mapping_start
            event.anchored = mapping.anchor != nil
            event.tagged = mapping.tag != nil
            event.kind = .mappingStart(mapping.style == YAML_FLOW_MAPPING_STYLE ? .flow : .block)
        case YAML_MAPPING_END_EVENT:
            event.kind = .mappingEnd
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT:
            event.kind = .end
        default: break
        }
        return .success(event)
    }

    struct SyntaxError: Error {
        var problem: Problem
    }

    private func syntaxProblem() -> Problem {
        let parser = parser.pointee
        let position = Self.position(parser.problem_mark)
        if parser.error == YAML_MEMORY_ERROR { return Problem(file, nil, "there is not enough memory to read it") }
        let index = Int(parser.problem_mark.index)
        let rest = String(decoding: input.dropFirst(Self.byteOffset(index, in: input)).prefix(1), as: UTF8.self)
        if rest == "\t" { return Problem(file, position, "a tab cannot indent; use spaces") }
        let words = parser.problem.map { String(cString: $0) } ?? "the text is no YAML"
        let context = parser.context.map { " (" + String(cString: $0) + ")" } ?? ""
        return Problem(file, position, words + context)
    }

    private static func byteOffset(_ scalars: Int, in input: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var seen = -1
        for (offset, byte) in input.enumerated() where byte & 0xc0 != 0x80 {
            seen += 1
            if seen == scalars { return offset }
        }
        return input.count
    }

    private static func position(_ mark: yaml_mark_t) -> TextPosition {
        TextPosition(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    private static func style(_ style: yaml_scalar_style_t) -> YAMLScalar.Style {
        switch style {
        case YAML_PLAIN_SCALAR_STYLE: .plain
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
        default: .quoted
        }
    }
}
