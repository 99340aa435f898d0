/// Makes text from outside harmless on a terminal (P10): control characters, escape sequences and
/// characters that reorder or hide text are shown as `\u{..}`.
public enum SafeText {
    public static func escaped(_ text: String, keepingNewlines: Bool = false) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if isPlain(scalar) || (keepingNewlines && (scalar == "\n" || scalar == "\t")) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00..<0x20, 0x7f..<0xa0: false
        // Bidirectional controls, zero-width and invisible characters, tags.
        case 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb, 0xe0000...0xe0fff: false
        default: true
        }
    }
}
