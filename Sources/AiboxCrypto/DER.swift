/// The little of DER (ITU-T X.690) that keys and signatures need which come in another form.
enum DER {
    /// 1.2.840.113549.1.1.1 and 1.2.840.10045.2.1 (RFC 3279, sections 2.3.1 and 2.3.5).
    static let rsa: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]
    static let ellipticKey: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
    /// The curves' names (RFC 5480, section 2.1.1.1), and the bytes of a coordinate.
    static let curves: [String: (name: [UInt8], width: Int)] = [
        "P-256": ([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], 32),
        "P-384": ([0x2b, 0x81, 0x04, 0x00, 0x22], 48), "P-521": ([0x2b, 0x81, 0x04, 0x00, 0x23], 66),
    ]
    static let null: [UInt8] = [5, 0]

    static func sequence(_ parts: [[UInt8]]) -> [UInt8] { value(0x30, parts.flatMap { $0 }) }
    static func object(_ name: [UInt8]) -> [UInt8] { value(6, name) }
    static func bits(_ bytes: [UInt8]) -> [UInt8] { value(3, [0] + bytes) }

    /// A number without sign.
    static func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let digits = bytes.drop { $0 == 0 }
        return value(2, (digits.first ?? 0x80) >= 0x80 ? [0] + digits : Array(digits))
    }

    private static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        if content.count < 0x80 { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(rest & 0xff), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }
}
