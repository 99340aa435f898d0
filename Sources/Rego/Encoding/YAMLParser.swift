/// Reads the YAML that configuration files use: block and flow collections, all scalar styles, anchors, aliases, merges and tags.
///
/// Not read: collections as keys. Tags other than `!!str` do not change what a node is.
struct YAMLParser {
    static let maxDepth = 200
    /// Nodes after the expansion of aliases.
    static let maxNodes = 200_000

    let bytes: [UInt8]
    var position = 0
    private var depth = 0
    private var nodes = 0
    private var anchors: [String: (node: YAMLNode, size: Int)] = [:]

    private struct Properties {
        var anchor: String?
        var isString = false
    }

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func document() throws(SupportError) -> YAMLNode {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        skipBlank()
        while position < bytes.count, bytes[position] == UInt8(ascii: "%"), column == 0 {
            skipLine()
            skipBlank()
        }
        if isMarker("---") {
            position += 3
            skipSpaces()
        }
        let node = try block(minimum: 0)
        skipBlank()
        guard position >= bytes.count || isMarker("---") || isMarker("...") else {
            throw error("did not find expected <document start>")
        }
        return node
    }

    // MARK: Characters

    var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    func byte(at offset: Int) -> UInt8? { position + offset < bytes.count ? bytes[position + offset] : nil }

    private func isBreak(_ byte: UInt8?) -> Bool { byte == nil || byte == 10 || byte == 13 }

    private func isBlank(_ byte: UInt8?) -> Bool { isBreak(byte) || byte == 32 || byte == 9 }

    /// Bytes since the start of the line.
    private var column: Int {
        var start = position
        while start > 0, bytes[start - 1] != 10, bytes[start - 1] != 13 { start -= 1 }
        return position - start
    }

    func error(_ reason: String) -> SupportError {
        let line = bytes[..<min(position, bytes.count)].reduce(0) { $1 == 10 ? $0 + 1 : $0 }
        return .invalid(line > 0 ? "yaml: line \(line + 1): \(reason)" : "yaml: \(reason)")
    }

    private mutating func skipSpaces() { while byte == 32 || byte == 9 { position += 1 } }

    private mutating func skipLine() { while !isBreak(byte) { position += 1 } }

    /// Spaces, comments and line ends.
    private mutating func skipBlank() {
        while let next = byte {
            switch next {
            case 32, 10, 13: position += 1
            // Tabs do not indent; they are fine in front of nothing.
            case 9 where column > 0 || isBreak(bytes[position...].first { $0 != 9 && $0 != 32 }): position += 1
            case UInt8(ascii: "#") where position == 0 || isBlank(bytes[position - 1]): skipLine()
            default: return
            }
        }
    }

    private func isMarker(_ text: StaticString) -> Bool {
        guard column == 0, bytes.count - position >= 3, isBlank(byte(at: 3)) else { return false }
        return text.withUTF8Buffer { $0.elementsEqual(bytes[position..<(position + 3)]) }
    }

    private var isAtDocumentEnd: Bool { position >= bytes.count || isMarker("---") || isMarker("...") }

    private mutating func enter() throws(SupportError) {
        depth += 1
        nodes += 1
        if depth > YAMLParser.maxDepth { throw .limit("yaml: exceeded max depth of \(YAMLParser.maxDepth)") }
        if nodes > YAMLParser.maxNodes { throw .limit("yaml: document is too large") }
    }

    // MARK: Blocks

    /// The node at or behind the position, when it is indented by at least `minimum`; otherwise null.
    private mutating func block(minimum: Int) throws(SupportError) -> YAMLNode {
        try enter()
        defer { depth -= 1 }
        skipBlank()
        let start = nodes
        if isAtDocumentEnd || column < minimum { return .null }
        let keyColumn = column
        let before = position
        let properties = try properties()
        if properties.anchor != nil || properties.isString || position != before {
            skipSpaces()
            // Properties of a key stay on its line.
            if !isBreak(byte), byte != UInt8(ascii: "#"), isKeyLine() {
                position = before
                return try mapping(keyColumn)
            }
            skipBlank()
            let isHere = !isAtDocumentEnd && (column >= minimum || isSequenceStart && column + 1 >= minimum)
            let node = isHere ? try content(minimum, properties) : properties.isString ? .string("") : .null
            return remember(node, properties, since: start)
        }
        return try content(minimum, properties)
    }

    private mutating func content(_ minimum: Int, _ properties: Properties) throws(SupportError) -> YAMLNode {
        if isSequenceStart { return try sequence(column) }
        if byte == UInt8(ascii: "?") && isBlank(byte(at: 1)) || isKeyLine() { return try mapping(column) }
        return try scalarOrFlow(minimum, properties)
    }

    private var isSequenceStart: Bool { byte == UInt8(ascii: "-") && isBlank(byte(at: 1)) }

    private mutating func sequence(_ indent: Int) throws(SupportError) -> YAMLNode {
        var items: [YAMLNode] = []
        while !isAtDocumentEnd, column == indent, isSequenceStart {
            position += 1
            items.append(try block(minimum: indent + 1))
            skipBlank()
        }
        if !isAtDocumentEnd, column > indent { throw error("did not find expected '-' indicator") }
        return .sequence(items)
    }

    private mutating func mapping(_ indent: Int) throws(SupportError) -> YAMLNode {
        var entries: [YAMLNode.Entry] = []
        var merged: [YAMLNode.Entry] = []
        while !isAtDocumentEnd, column == indent {
            if isSequenceStart { throw error("did not find expected key") }
            var isMerge = false
            let key: String
            if byte == UInt8(ascii: "?"), isBlank(byte(at: 1)) {
                position += 1
                skipSpaces()
                key = try self.key(&isMerge)
                skipBlank()
                if column != indent || byte != UInt8(ascii: ":") {
                    entries.append(YAMLNode.Entry(key: key, value: .null))
                    continue
                }
            } else {
                key = try self.key(&isMerge)
            }
            skipSpaces()
            guard byte == UInt8(ascii: ":"), isBlank(byte(at: 1)) else { throw error("could not find expected ':'") }
            position += 1
            let value = try mappingValue(indent)
            if isMerge {
                merged += try mergeEntries(value)
            } else {
                entries.append(YAMLNode.Entry(key: key, value: value))
            }
            skipBlank()
        }
        if !isAtDocumentEnd, column > indent { throw error("did not find expected key") }
        return .mapping(merge(entries, merged))
    }

    private mutating func mappingValue(_ indent: Int) throws(SupportError) -> YAMLNode {
        skipSpaces()
        let isInline = !isBreak(byte) && byte != UInt8(ascii: "#")
        if isInline {
            if isSequenceStart { throw error("block sequence entries are not allowed in this context") }
            let start = nodes
            try enter()
            defer { depth -= 1 }
            let properties = try properties()
            skipSpaces()
            if !isBreak(byte), byte != UInt8(ascii: "#") {
                if isKeyLine() { throw error("mapping values are not allowed in this context") }
                return remember(try scalarOrFlow(indent + 1, properties), properties, since: start)
            }
            return remember(try blockBelow(indent), properties, since: start)
        }
        return try blockBelow(indent)
    }

    /// Sequences may stand at the indentation of their key.
    private mutating func blockBelow(_ indent: Int) throws(SupportError) -> YAMLNode {
        skipBlank()
        if !isAtDocumentEnd, column == indent, isSequenceStart {
            try enter()
            defer { depth -= 1 }
            return try sequence(indent)
        }
        return try block(minimum: indent + 1)
    }

    private func merge(_ entries: [YAMLNode.Entry], _ merged: [YAMLNode.Entry]) -> [YAMLNode.Entry] {
        if merged.isEmpty { return entries }
        let own = Set(entries.map(\.key))
        var seen = own
        return merged.filter { seen.insert($0.key).inserted } + entries
    }

    private func mergeEntries(_ value: YAMLNode) throws(SupportError) -> [YAMLNode.Entry] {
        switch value {
        case .mapping(let entries): return entries
        case .sequence(let items):
            var result: [YAMLNode.Entry] = []
            for item in items {
                guard case .mapping(let entries) = item else {
                    throw error("map merge requires map or sequence of maps as the value")
                }
                result += entries
            }
            return result
        default: throw error("map merge requires map or sequence of maps as the value")
        }
    }

    // MARK: Keys

    /// Whether a key and its `:` stand on this line from the position on.
    private func isKeyLine() -> Bool {
        var probe = self
        let end = probe.lineEnd()
        guard (try? probe.properties()) != nil else { return false }
        probe.skipSpaces()
        switch probe.byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            guard (try? probe.quoted()) != nil, probe.position <= end else { return false }
        case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: ">"), nil: return false
        default:
            probe.position = probe.plainEnd(isFlow: false)
        }
        probe.skipSpaces()
        return probe.byte == UInt8(ascii: ":") && probe.isBlank(probe.byte(at: 1)) && probe.position < end
    }

    private func lineEnd() -> Int { bytes[position...].firstIndex { $0 == 10 || $0 == 13 } ?? bytes.count }

    private mutating func key(_ isMerge: inout Bool) throws(SupportError) -> String {
        let start = nodes
        let properties = try properties()
        skipSpaces()
        let text: String
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): text = try quoted()
        case UInt8(ascii: "*"):
            guard case .string(let value) = try alias() else { throw error("invalid map key") }
            text = value
        case UInt8(ascii: "["), UInt8(ascii: "{"): throw error("invalid map key")
        default:
            let end = plainEnd(isFlow: false)
            if end == position { throw error("did not find expected key") }
            let plain = String(decoding: bytes[position..<end], as: UTF8.self)
            position = end
            isMerge = plain == "<<" && !properties.isString
            text = properties.isString ? plain : try YAMLNode.key(plain: plain)
        }
        _ = remember(.string(text), properties, since: start)
        return text
    }

    // MARK: Properties

    private mutating func properties() throws(SupportError) -> Properties {
        var properties = Properties()
        while true {
            if byte == UInt8(ascii: "&") {
                position += 1
                properties.anchor = try name()
            } else if byte == UInt8(ascii: "!") {
                let start = position
                while !isBlank(byte), !(byte.map { ",[]{}".utf8.contains($0) } ?? true) { position += 1 }
                if bytes[start..<position].elementsEqual("!!str".utf8) { properties.isString = true }
            } else {
                return properties
            }
            let after = position
            skipSpaces()
            if byte != UInt8(ascii: "&"), byte != UInt8(ascii: "!") {
                position = isBreak(byte) ? after : position
                return properties
            }
        }
    }

    private mutating func name() throws(SupportError) -> String {
        let start = position
        while let next = byte, RuneContext.isWord(UInt32(next)) || next == UInt8(ascii: "-") { position += 1 }
        guard position > start else { throw error("did not find expected alphabetic or numeric character") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func remember(_ node: YAMLNode, _ properties: Properties, since start: Int) -> YAMLNode {
        if let anchor = properties.anchor { anchors[anchor] = (node, nodes - start + 1) }
        return node
    }

    private mutating func alias() throws(SupportError) -> YAMLNode {
        position += 1
        let name = try name()
        guard let known = anchors[name] else { throw .invalid("yaml: unknown anchor '\(name)' referenced") }
        nodes += known.size
        if nodes > YAMLParser.maxNodes { throw .limit("yaml: document contains excessive aliasing") }
        return known.node
    }

    // MARK: Scalars and flow collections

    private mutating func scalarOrFlow(_ minimum: Int, _ properties: Properties) throws(SupportError) -> YAMLNode {
        let node: YAMLNode
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"): node = try flow()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): node = .string(try quoted())
        case UInt8(ascii: "*"): node = try alias()
        case UInt8(ascii: "|"), UInt8(ascii: ">"):
            return .string(try blockScalar(minimum))
        default: return try plain(minimum, properties)
        }
        skipSpaces()
        if byte == UInt8(ascii: "#") { skipLine() }
        guard isBreak(byte) else { throw error("did not find expected key") }
        return node
    }

    private func isPlainStart(isFlow: Bool) -> Bool {
        guard let first = byte, !isBlank(first) else { return false }
        if ",[]{}#&*!|>'\"%@`".utf8.contains(first) { return false }
        if "-?:".utf8.contains(first) {
            let next = byte(at: 1)
            return !isBlank(next) && !(isFlow && next.map { ",[]{}".utf8.contains($0) } ?? true)
        }
        return true
    }

    /// Where a plain scalar ends on this line, spaces behind it left out.
    ///
    /// Indicators may go on a plain scalar from the line before, though they cannot start one.
    private func plainEnd(isFlow: Bool, goesOn: Bool = false) -> Int {
        guard goesOn || isPlainStart(isFlow: isFlow) else { return position }
        var end = position
        var index = position
        while index < bytes.count, !isBreak(bytes[index]) {
            let next = index + 1 < bytes.count ? bytes[index + 1] : nil
            switch bytes[index] {
            case UInt8(ascii: ":"):
                if isBlank(next) || (isFlow && next.map { ",[]{}".utf8.contains($0) } ?? false) { return end }
            case UInt8(ascii: "#"): if index > position, isBlank(bytes[index - 1]) { return end }
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"):
                if isFlow { return end }
            default: break
            }
            index += 1
            if !isBlank(bytes[index - 1]) { end = index }
        }
        return end
    }

    private mutating func plain(_ minimum: Int, _ properties: Properties) throws(SupportError) -> YAMLNode {
        let isKnown = isPlainStart(isFlow: false)
        guard isKnown else { throw error("found character that cannot start any token") }
        var text: [UInt8] = []
        while true {
            let end = plainEnd(isFlow: false, goesOn: !text.isEmpty)
            text += bytes[position..<end]
            position = end
            skipSpaces()
            if byte == UInt8(ascii: ":"), isBlank(byte(at: 1)) {
                throw error("mapping values are not allowed in this context")
            }
            guard isBreak(byte), position < bytes.count else { break }
            let save = position
            var breaks = 0
            while let next = byte, isBlank(next) {
                if next == 10 { breaks += 1 }
                position += 1
            }
            // A continuation is indented and is no comment; what follows must go on like plain text.
            guard !isAtDocumentEnd, column >= minimum, column > 0 || minimum == 0, byte != UInt8(ascii: "#"),
                !(column == 0 && depth > 1)
            else {
                position = save
                break
            }
            text += breaks > 1 ? Array(repeating: 10, count: breaks - 1) : [32]
        }
        let string = String(decoding: text, as: UTF8.self)
        return properties.isString ? .string(string) : try YAMLNode.resolve(plain: string)
    }

    private mutating func flow() throws(SupportError) -> YAMLNode {
        try enter()
        defer { depth -= 1 }
        let isSequence = byte == UInt8(ascii: "[")
        let close = isSequence ? UInt8(ascii: "]") : UInt8(ascii: "}")
        let line = bytes[..<position].reduce(1) { $1 == 10 ? $0 + 1 : $0 }
        let expected = "yaml: line \(line): did not find expected ',' or '\(isSequence ? "]" : "}")'"
        position += 1
        var items: [YAMLNode] = []
        var entries: [YAMLNode.Entry] = []
        var merged: [YAMLNode.Entry] = []
        while true {
            skipFlowBlank()
            if byte == close {
                position += 1
                break
            }
            guard position < bytes.count, byte != UInt8(ascii: ",") else { throw .invalid(expected) }
            let start = position
            let first = try flowItem()
            skipFlowBlank()
            if byte == UInt8(ascii: ":") {
                position += 1
                skipFlowBlank()
                let isEmpty = byte == UInt8(ascii: ",") || byte == close
                let value = isEmpty ? YAMLNode.null : try flowItem().node
                if first.plain == "<<" {
                    merged += try mergeEntries(value)
                } else {
                    let entry = YAMLNode.Entry(key: try flowKey(first), value: value)
                    if isSequence { items.append(.mapping([entry])) } else { entries.append(entry) }
                }
                skipFlowBlank()
            } else if isSequence {
                items.append(first.node)
            } else {
                entries.append(YAMLNode.Entry(key: try flowKey(first), value: .null))
            }
            guard byte == UInt8(ascii: ",") || byte == close, position > start else { throw .invalid(expected) }
            if byte == UInt8(ascii: ",") { position += 1 }
        }
        return isSequence ? .sequence(items) : .mapping(merge(entries, merged))
    }

    private mutating func skipFlowBlank() {
        while let next = byte {
            if isBlank(next) {
                position += 1
            } else if next == UInt8(ascii: "#"), isBlank(bytes[position - 1]) {
                skipLine()
            } else {
                return
            }
        }
    }

    private mutating func flowItem() throws(SupportError) -> (node: YAMLNode, plain: String?) {
        let start = nodes
        nodes += 1
        let properties = try properties()
        skipFlowBlank()
        var plain: String?
        let node: YAMLNode
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"): node = try flow()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): node = .string(try quoted())
        case UInt8(ascii: "*"): node = try alias()
        default:
            var text: [UInt8] = []
            while true {
                let end = plainEnd(isFlow: true)
                if end == position { break }
                text += text.isEmpty ? bytes[position..<end] : [32] + bytes[position..<end]
                position = end
                skipFlowBlank()
            }
            if text.isEmpty, properties.anchor == nil, !properties.isString, byte != UInt8(ascii: ":") {
                throw error("did not find expected node content")
            }
            let string = String(decoding: text, as: UTF8.self)
            plain = properties.isString ? nil : string
            node = properties.isString ? .string(string) : try YAMLNode.resolve(plain: string)
        }
        return (remember(node, properties, since: start), plain)
    }

    private func flowKey(_ item: (node: YAMLNode, plain: String?)) throws(SupportError) -> String {
        if let plain = item.plain { return try YAMLNode.key(plain: plain) }
        guard case .string(let key) = item.node else { throw error("invalid map key") }
        return key
    }
}
