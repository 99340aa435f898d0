/// A name in a path: decoded once, checked, and written in one way again.
enum PathName {
    /// The name, decoded; nil for what no model or deployment is called, and for what a server could read in two ways: escapes in
    /// escapes, dot segments, empty parts, parameters behind a semicolon.
    ///
    /// - Parameter more: bytes that it may have beside letters, digits and `-_.`.
    static func decode(_ text: Substring, _ more: String = "") -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let high = digit(rest.removeFirst()), let low = digit(rest.removeFirst()) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        let name = String(decoding: bytes, as: UTF8.self)
        guard !bytes.isEmpty, bytes.count <= 256,
            bytes.allSatisfy({ isLetterOrDigit($0) || "-_.".utf8.contains($0) || more.utf8.contains($0) }),
            name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({
                !$0.isEmpty && $0 != "." && $0 != ".."
            })
        else { return nil }
        return name
    }

    /// Percent-encoded but for letters, digits and `-_.~` (RFC 3986 section 2.3), and `@`.
    static func encode(_ name: String) -> String {
        name.utf8.reduce(into: "") { text, byte in
            if isLetterOrDigit(byte) || "-_.~@".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
