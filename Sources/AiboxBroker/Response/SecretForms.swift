import AiboxCrypto

/// The spellings in which a provider, or a gateway before it, could send a key back: as it is, in hexadecimal, in Base64
/// wherever it begins in there, percent-encoded.
final class SecretForms: Sendable {
    let patterns: [[UInt8]]
    /// Bytes of the longest.
    let longest: Int
    private let search: TextSearch
    /// A form has a line's end in it.
    private let hasLines: Bool

    init(_ secrets: [String]) {
        var forms: Set<[UInt8]> = []
        for secret in secrets { forms.formUnion(Self.forms(of: Array(secret.utf8))) }
        patterns = forms.filter { $0.count >= 6 }.sorted { $0.lexicographicallyPrecedes($1) }
        longest = patterns.map(\.count).max() ?? 0
        search = TextSearch(patterns)
        hasLines = patterns.contains { $0.contains(UInt8(ascii: "\n")) }
    }

    static func forms(of secret: [UInt8]) -> [[UInt8]] {
        let hex = Hex.encode(secret)
        var forms = [secret, Array(hex.utf8), Array(hex.uppercased().utf8)]
        for offset in 0..<3 {
            // The characters that the secret alone decides, whatever stands before and behind it.
            let text = Array(Base64.encode([UInt8](repeating: 0, count: offset) + secret).utf8)
            let own = Array(text[(offset * 8 + 5) / 6..<(offset + secret.count) * 8 / 6])
            forms.append(own)
            forms.append(
                own.map {
                    $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
                })
        }
        var percent: [UInt8] = []
        // JSON may escape a slash, and has to escape quotes and backslashes.
        var escaped: [UInt8] = []
        var slashes: [UInt8] = []
        for byte in secret {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                percent.append(byte)
            default: percent += Array("%\(Hex.encode([byte]).uppercased())".utf8)
            }
            let mustEscape = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            if mustEscape { escaped.append(UInt8(ascii: "\\")) }
            if mustEscape || byte == UInt8(ascii: "/") { slashes.append(UInt8(ascii: "\\")) }
            escaped.append(byte)
            slashes.append(byte)
        }
        return forms + [percent, escaped, slashes]
    }

    /// Where a form stands in the text. Those that lie in another one, or over its end, are found as well: all of it is to go.
    func find(in text: UnsafeRawBufferPointer, _ found: (Range<Int>) -> Void) {
        search.find(in: text) { place, _ in found(place) }
    }

    /// Where the end of the text begins that waits for what follows: its last line, at most one byte less than the longest
    /// form. nil: nothing waits. It depends on no secret but by the length of the longest.
    func held(in text: UnsafeRawBufferPointer) -> Int? {
        if longest < 2 { return nil }
        var start = text.count
        let first = max(0, text.count - longest + 1)
        while start > first, hasLines || text[start - 1] != UInt8(ascii: "\n") { start -= 1 }
        return start < text.count ? start : nil
    }
}
