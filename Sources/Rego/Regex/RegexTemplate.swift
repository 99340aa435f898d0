/// `regex.template_match`: literal text with expressions between two delimiters.
enum RegexTemplate {
    static func match(
        template: String, text: String, open: String, close: String
    ) throws(SupportError) -> Bool {
        try compile(template, open: open, close: close).isMatch(text)
    }

    /// The whole template as one anchored expression.
    static func compile(_ template: String, open: String, close: String) throws(SupportError) -> RegularExpression {
        let openBytes = Array(open.utf8)
        let closeBytes = Array(close.utf8)
        guard openBytes.count == 1 else {
            throw .invalid("start delimiter has to be exactly one character long but is \(openBytes.count) long")
        }
        // OPA prints the length of the start delimiter here as well.
        guard closeBytes.count == 1 else {
            throw .invalid("end delimiter has to be exactly one character long but is \(openBytes.count) long")
        }
        let bytes = Array(template.utf8)
        var pattern = Array("^".utf8)
        var literalStart = 0
        var level = 0
        var partStart = 0
        for (index, byte) in bytes.enumerated() {
            if byte == openBytes[0] {
                level += 1
                if level == 1 { partStart = index }
            } else if byte == closeBytes[0] {
                level -= 1
                if level < 0 { throw unbalanced(template) }
                guard level == 0 else { continue }
                let part = bytes[(partStart + 1)..<index]
                // Each part must stand on its own: `a)(b` is no expression.
                _ = try RegularExpression("^\(String(decoding: part, as: UTF8.self))$")
                pattern += quoteMeta(bytes[literalStart..<partStart])
                pattern += [UInt8(ascii: "(")] + part + [UInt8(ascii: ")")]
                literalStart = index + 1
            }
        }
        if level != 0 { throw unbalanced(template) }
        pattern += quoteMeta(bytes[literalStart...])
        pattern.append(UInt8(ascii: "$"))
        return try RegularExpression(String(decoding: pattern, as: UTF8.self))
    }

    private static func unbalanced(_ template: String) -> SupportError {
        .invalid("unbalanced braces in \(GoText.quote(template))")
    }

    /// Go's `regexp.QuoteMeta`.
    static func quoteMeta(_ text: some Sequence<UInt8>) -> [UInt8] {
        let special = Array("\\.+*?()|[]{}^$".utf8)
        return text.flatMap { special.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    }
}
