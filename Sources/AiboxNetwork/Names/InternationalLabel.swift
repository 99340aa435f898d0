/// The part of IDNA (RFC 5890 to 5894, UTS #46) that a policy file needs: a label in one script,
/// written in letters that exist precomposed, becomes its A-label.
///
/// Narrower than the standard on purpose. What falls outside (combining marks, mixed scripts, letters
/// that read like ASCII) is refused; whoever means it writes the `xn--` form, which cannot be misread.
enum InternationalLabel {
    static func ascii(_ label: Substring) throws(HostNameFailure) -> String {
        if label.utf8.allSatisfy({ $0 < 0x80 }) { return String(label) }
        let scalars = Array(label.unicodeScalars.flatMap { $0.properties.lowercaseMapping.unicodeScalars })
        var scripts: Set<Script> = []
        for scalar in scalars where !isNeutral(scalar) {
            guard let script = Script(scalar) else {
                throw .lookalike(
                    label: String(label),
                    why: "contains U+\(hex(scalar)), which is not accepted in a name; write the xn-- form")
            }
            scripts.insert(script)
        }
        // Japanese is written in three scripts together.
        let japanese: Set<Script> = [.han, .hiragana, .katakana]
        if scripts.count > 1, !scripts.isSubset(of: japanese) {
            throw .lookalike(label: String(label), why: "mixes scripts, so it can pass for another name")
        }
        if scalars.allSatisfy({ isNeutral($0) || lookalikes.contains($0) }) {
            throw .lookalike(label: String(label), why: "is written in letters that look like ASCII ones")
        }
        guard let encoded = Punycode.encode(scalars) else { throw .punycode(String(label)) }
        return "xn--" + encoded
    }

    private static func isNeutral(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "-" || ("0"..."9").contains(scalar)
    }

    private static func hex(_ scalar: Unicode.Scalar) -> String {
        let text = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// Cyrillic and Greek letters that most fonts draw like an ASCII letter (Unicode confusables).
    private static let lookalikes: Set<Unicode.Scalar> = Set("асеорхуѕіјһԁԛԝѵӏгпϲοανρτυικωηγ".unicodeScalars)

    private enum Script: Hashable {
        case latin, greek, cyrillic, hebrew, arabic, hiragana, katakana, han, hangul

        init?(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            // No dotless i, kra, long s, ligatures or digraphs: each reads like something else.
            case 0x0131, 0x0132, 0x0133, 0x0138, 0x0149, 0x017F: return nil
            case 0x61...0x7A, 0xDF...0xF6, 0xF8...0x017E, 0x0219, 0x021B, 0x1E80...0x1E85, 0x1EA0...0x1EF9:
                self = .latin
            case 0x03AC...0x03CE: self = .greek
            case 0x0430...0x045F, 0x0491: self = .cyrillic
            case 0x05D0...0x05EA: self = .hebrew
            case 0x0621...0x063A, 0x0641...0x064A: self = .arabic
            case 0x3041...0x3096: self = .hiragana
            case 0x30A1...0x30FA, 0x30FC: self = .katakana
            case 0x4E00...0x9FFF: self = .han
            case 0xAC00...0xD7A3: self = .hangul
            default: return nil
            }
        }
    }
}
