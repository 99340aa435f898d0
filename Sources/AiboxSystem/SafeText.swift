/// Makes text from outside safe for a terminal (P10).
public enum SafeText {
    /// The text with every control character written out (`\u{1b}`), so that it can neither move the cursor nor
    /// change the title, and without the invisible characters that reorder what a person reads.
    ///
    /// - Parameter keepingLines: leaves newlines as they are, for texts of several lines.
    public static func escaped(_ text: String, keepingLines: Bool = false) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where keepingLines: result.unicodeScalars.append(scalar)
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isDangerous(scalar.value): result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// At most so many Unicode scalars, the last of which tells that some are missing. A character, as people count them,
    /// can have any number of accents.
    public static func cut(_ text: String, to most: Int) -> String {
        text.unicodeScalars.count <= most ? text : String(text.unicodeScalars.prefix(most - 1)) + "…"
    }

    /// C0, DEL and C1 controls; line and paragraph separators; the bidirectional controls of Unicode Annex 9;
    /// zero-width characters and the byte order mark.
    private static func isDangerous(_ value: UInt32) -> Bool {
        switch value {
        case 0...0x1f, 0x7f...0x9f, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb:
            true
        case 0xe0000...0xe007f: true
        default: false
        }
    }
}
