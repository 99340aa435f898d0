/// Base64 with padding, standard alphabet (RFC 4648, section 4).
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { group |= UInt32(bytes[index + 2]) }
            for position in 0..<4 {
                text.append(position <= left ? alphabet[Int(group >> (18 - 6 * UInt32(position)) & 63)] : padding)
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes; nil unless `text` is exactly what `encode` makes of them (no white space, no missing padding,
    /// no stray bits), so that a text and its bytes stand for each other.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        for start in stride(from: 0, to: characters.count, by: 4) {
            let last = start + 4 == characters.count
            var pads = 0
            if last, characters[start + 3] == padding { pads = characters[start + 2] == padding ? 2 : 1 }
            var group: UInt32 = 0
            for position in 0..<4 {
                let value = position < 4 - pads ? values[Int(characters[start + position])] : 0
                if value == 0xff { return nil }
                group = group << 6 | UInt32(value)
            }
            if group & (1 << (8 * UInt32(pads)) - 1) != 0 { return nil }
            for position in 0..<(3 - pads) { bytes.append(UInt8(truncatingIfNeeded: group >> (16 - 8 * position))) }
        }
        return bytes
    }

    /// The bytes of a text in the alphabet for URLs without padding (RFC 4648, section 5; RFC 7515, section 2), as strictly.
    public static func decodeURL(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.allSatisfy({ !"+/=".utf8.contains($0) }) else { return nil }
        let standard = String(text).replacing("-", with: "+").replacing("_", with: "/")
        return decode(standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }

    public static func encodeURL(_ bytes: [UInt8]) -> String {
        encode(bytes).replacing("+", with: "-").replacing("/", with: "_").filter { $0 != "=" }
    }
}
