/// Turns events into a tree and refuses what `YAMLDocument` does not allow.
struct YAMLTreeBuilder {
    private(set) var problems: [Problem] = []

    private let reader: YAMLEventReader?
    private let file: String
    private let limits: YAMLDocument.Limits
    private var nodes = 0
    private var offsets: ByteOffsets
    /// Set once reading cannot go on; unwinds the recursion.
    private(set) var stopped = false

    init(_ bytes: [UInt8], file: String, limits: YAMLDocument.Limits) {
        self.file = file
        self.limits = limits
        let mark = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        reader = YAMLEventReader(bytes[mark...], file: file)
        offsets = ByteOffsets(bytes, start: mark)
    }

    /// The root of the only document; nil if it is empty.
    mutating func document() -> YAMLNode? {
        if reader == nil { problems.append(Problem(file, nil, "there is not enough memory to read it")) }
        var root: YAMLNode?
        var documents = 0
        while let event = next() {
            switch event.kind {
            case .end: return root
            case .documentStart(let hasDirectives):
                documents += 1
                if hasDirectives { complain(event.position, "directives (%YAML, %TAG) are not allowed") }
                if documents > 1 {
                    stop(event.position, "a second document begins; the file may hold one only")
                    return root
                }
            case .scalar, .alias, .listStart, .mappingStart:
                root = node(event, depth: 1)
            case .listEnd, .mappingEnd, .other: break
            }
        }
        return root
    }

    private mutating func next() -> YAMLEvent? {
        if stopped { return nil }
        switch reader?.next() {
        case .success(let event): return event
        case .failure(let error):
            problems.append(error.problem)
            stopped = true
            return nil
        case nil: return nil
        }
    }

    private mutating func complain(_ position: TextPosition, _ message: String) {
        problems.append(Problem(file, position, message))
    }

    /// The value that begins with `event`.
    private mutating func node(_ event: YAMLEvent, depth: Int) -> YAMLNode {
        nodes += 1
        if event.anchored { complain(event.position, "anchors are not allowed; write the value out") }
        if event.tagged { complain(event.position, "tags are not allowed; write the value without one") }
        if nodes > limits.nodes { stop(event.position, "the document has more than \(limits.nodes) values") }
        if depth > limits.depth { stop(event.position, "the document nests deeper than \(limits.depth) levels") }
        let nothing = YAMLNode.Content.scalar(YAMLScalar(text: "", style: .plain))
        let start = offsets.byte(event.start)
        let content: YAMLNode.Content
        var end = event.end
        switch event.kind {
        case .scalar(let scalar): content = .scalar(scalar)
        case .listStart(let style):
            let (elements, last) = list(depth)
            content = .list(elements, style)
            end = last ?? end
        case .mappingStart(let style):
            let (entries, last) = mapping(depth)
            content = .mapping(entries, style)
            end = last ?? end
        case .alias:
            complain(event.position, "aliases are not allowed; write the value out")
            content = nothing
        case .documentStart, .listEnd, .mappingEnd, .end, .other: content = nothing
        }
        return YAMLNode(content: content, position: event.position, bytes: start..<max(start, offsets.byte(end)))
    }

    private mutating func stop(_ position: TextPosition, _ message: String) {
        if !stopped { complain(position, message) }
        stopped = true
    }

    private mutating func list(_ depth: Int) -> ([YAMLNode], end: Int?) {
        var elements: [YAMLNode] = []
        while let event = next() {
            if case .listEnd = event.kind { return (elements, event.end) }
            elements.append(node(event, depth: depth + 1))
        }
        return (elements, nil)
    }

    private mutating func mapping(_ depth: Int) -> ([YAMLEntry], end: Int?) {
        var entries: [YAMLEntry] = []
        var seen: [String: TextPosition] = [:]
        while let event = next() {
            if case .mappingEnd = event.kind { return (entries, event.end) }
            let key = node(event, depth: depth + 1)
            guard let following = next() else { break }
            let value = node(following, depth: depth + 1)
            guard let text = key.scalar?.text else {
                complain(key.position, "a key must be a text, not \(key.summary)")
                continue
            }
            if let first = seen[text] {
                complain(key.position, "the key \(quoted(text)) is already given in line \(first.line)")
                continue
            }
            seen[text] = key.position
            entries.append(YAMLEntry(key: text, position: key.position, bytes: key.bytes, value: value))
        }
        return (entries, nil)
    }

    private func quoted(_ text: String) -> String { "\"" + text.prefix(64) + "\"" }
}

/// Turns libyaml's count of Unicode scalars into bytes; cheap if asked in rising order.
private struct ByteOffsets {
    private let bytes: [UInt8]
    private let start: Int
    private let isPlain: Bool
    private var scalar = 0
    private var offset: Int

    init(_ bytes: [UInt8], start: Int) {
        self.bytes = bytes
        self.start = start
        offset = start
        isPlain = bytes.dropFirst(start).allSatisfy { $0 < 0x80 }
    }

    mutating func byte(_ target: Int) -> Int {
        if isPlain { return min(bytes.count, start + target) }
        if target < scalar { (scalar, offset) = (0, start) }
        while scalar < target, offset < bytes.count {
            offset += 1
            while offset < bytes.count, bytes[offset] & 0xc0 == 0x80 { offset += 1 }
            scalar += 1
        }
        return offset
    }
}
