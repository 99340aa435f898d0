/// Values as YAML text.
enum YAMLWriting {
    /// A value on one line: `true`, `8g`, `"two words"`, `[a, b]`.
    static func inline(_ value: ConfigurationValue) -> String {
        switch value {
        case .boolean, .integer, .size: value.description
        case .text(let text): scalar(text)
        case .list(let elements): "[" + elements.map(scalar).joined(separator: ", ") + "]"
        }
    }

    /// A text, in double quotes unless every YAML reader takes it plain for the same text.
    static func scalar(_ text: String) -> String {
        if isPlain(text) { return text }
        var quoted = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(character)
        }
        return quoted + "\""
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        guard isWord(first) || first == UInt8(ascii: "/"), last != UInt8(ascii: ":") else { return false }
        guard text.utf8.allSatisfy({ isWord($0) || "/._-:@+~".utf8.contains($0) }) else { return false }
        // Words that YAML 1.1 readers take for booleans.
        if ["y", "n", "yes", "no", "on", "off"].contains(text.lowercased()) { return false }
        return YAMLScalar(text: text, style: .plain).meaning == .text(text)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
