/// Writes block style as OPA does: two spaces a level, sequences at the indentation of their key.
struct YAMLEmitter {
    static let maxDepth = 1000

    enum Place {
        /// The rest of a line, or new lines.
        case line
        /// Behind `key:`.
        case value
        /// Behind `- `.
        case item
    }

    private(set) var output: [UInt8] = []

    mutating func write(_ node: YAMLNode, indent: Int, depth: Int, place: Place) throws(SupportError) {
        if depth > YAMLEmitter.maxDepth { throw .limit("value nests too deeply") }
        switch node {
        case .sequence(let items) where !items.isEmpty:
            if place == .value { output.append(10) }
            for (index, item) in items.enumerated() {
                if place != .item || index > 0 { pad(indent) }
                append("- ")
                try write(item, indent: indent + 2, depth: depth + 1, place: .item)
            }
        case .mapping(let entries) where !entries.isEmpty:
            if place == .value { output.append(10) }
            for (index, entry) in entries.enumerated() {
                if place != .item || index > 0 { pad(indent) }
                if entry.key.utf8.contains(10) {
                    // A key of several lines is written out, with its value behind a colon of its own.
                    append("? ")
                    append(YAMLEmitter.scalar(entry.key, indent: indent + 2, isKey: false))
                    if output.last != 10 { output.append(10) }
                    pad(indent)
                    append(": ")
                    try write(entry.value, indent: indent + 2, depth: depth + 1, place: .item)
                    continue
                }
                append(YAMLEmitter.scalar(entry.key, indent: indent, isKey: true))
                append(":")
                var inner = indent + 2
                if case .sequence = entry.value { inner = indent }
                try write(entry.value, indent: inner, depth: depth + 1, place: .value)
            }
        default:
            if place == .value { output.append(32) }
            append(YAMLEmitter.scalar(node, indent: place == .value ? indent : max(indent, 2)))
            if output.last != 10 { output.append(10) }
        }
    }

    private mutating func append(_ text: String) { output += text.utf8 }

    private mutating func pad(_ count: Int) { output += repeatElement(32, count: count) }

    private static func scalar(_ node: YAMLNode, indent: Int) -> String {
        switch node {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let value):
            if let integer = value.int64 { return String(integer) }
            if let integer = UInt64(value.text) { return String(integer) }
            var text: [UInt8] = []
            let (digits, point) = FloatDigits.shortest(value.double.magnitude)
            if value.double < 0 { text.append(UInt8(ascii: "-")) }
            DecimalText.appendGeneral(digits: digits, point: point, threshold: 6, to: &text)
            return String(decoding: text, as: UTF8.self)
        case .string(let text): return scalar(text, indent: indent, isKey: false)
        case .sequence: return "[]"
        case .mapping: return "{}"
        }
    }

    private static func scalar(_ text: String, indent: Int, isKey: Bool) -> String {
        let bytes = Array(text.utf8)
        let isPlainText = if case .string? = try? YAMLNode.resolve(plain: text) { true } else { false }
        let hasSpecial = text.unicodeScalars.contains {
            ($0.value < 0x20 && $0.value != 10) || $0.value == 0x7F || $0.value == 0xFEFF
                || ($0.value > 0x7F && $0.value < 0xA0 && $0.value != 0x85)
        }
        if bytes.contains(10), !isKey, !hasSpecial, bytes.last != 32 { return literal(bytes, indent: indent) }
        if hasSpecial || bytes.contains(10) || !isPlainText || isDate(bytes) { return quoted(text) }
        guard needsQuotes(bytes, text) else { return text }
        let doubled = bytes.flatMap { $0 == UInt8(ascii: "'") ? [$0, $0] : [$0] }
        return "'\(String(decoding: doubled, as: UTF8.self))'"
    }

    /// YAML 1.1 readers would make a timestamp of it.
    private static func isDate(_ bytes: [UInt8]) -> Bool {
        let parts = bytes.prefix { $0 != 32 && $0 | 0x20 != UInt8(ascii: "t") }.split(separator: UInt8(ascii: "-"))
        guard parts.count == 3, parts[0].count == 4, (1...2).contains(parts[1].count) else { return false }
        return (1...2).contains(parts[2].count) && parts.joined().allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// Whether plain style would read as something else.
    private static func needsQuotes(_ bytes: [UInt8], _ text: String) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return true }
        if first == 32 || last == 32 || last == UInt8(ascii: ":") { return true }
        if "#,[]{}&*!|>'\"%@`".utf8.contains(first) { return true }
        if "-?:".utf8.contains(first), bytes.count == 1 || bytes[1] == 32 { return true }
        if bytes.starts(with: "---".utf8) || bytes.starts(with: "...".utf8) { return true }
        for (byte, next) in zip(bytes, bytes.dropFirst()) {
            if byte == UInt8(ascii: ":"), next == 32 { return true }
            if byte == 32, next == UInt8(ascii: "#") { return true }
        }
        return text.unicodeScalars.contains { [0x85, 0x2028, 0x2029].contains($0.value) }
    }

    private static func literal(_ bytes: [UInt8], indent: Int) -> String {
        var body = bytes
        var chomp = "-"
        if body.last == 10 {
            body.removeLast()
            chomp = body.isEmpty || body.last == 10 ? "+" : ""
        }
        let hint = bytes.first == 32 || bytes.first == 10 ? "2" : ""
        let padding = [UInt8](repeating: 32, count: max(indent, 2))
        var result = Array("|\(hint)\(chomp)\n".utf8)
        for (index, line) in body.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            if index > 0 { result.append(10) }
            if !line.isEmpty { result += padding + line }
        }
        if chomp == "+" { result.append(10) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\\(scalar)"
            case 0: result += "\\0"
            case 7: result += "\\a"
            case 8: result += "\\b"
            case 9: result += "\\t"
            case 10: result += "\\n"
            case 11: result += "\\v"
            case 12: result += "\\f"
            case 13: result += "\\r"
            case 27: result += "\\e"
            case ..<0x20, 0x7F..<0xA0:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
            case 0xFEFF: result += "\\uFEFF"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
