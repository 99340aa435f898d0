/// UUIDs (RFC 9562) as text, and the fields that OPA reads from them.
enum UUIDText {
    struct Fields: Equatable, Sendable {
        var version: Int
        var variant: String
        /// The rest is there for versions 1 and 2 only.
        var time: Int64?
        var nodeID: String?
        var clockSequence: Int?
        var macVariables: String?
        /// Version 2 only.
        var id: Int?
        var domain: String?
    }

    /// Plain, braced, `urn:uuid:` and undashed forms; nil for anything else.
    static func parse(_ text: String) -> Fields? {
        guard let bytes = bytes(text) else { return nil }
        let version = Int(bytes[6] >> 4)
        let variant =
            switch bytes[8] >> 5 {
            case 0b100, 0b101: "RFC4122"
            case 0b110: "Microsoft"
            case 0b111: "Future"
            default: "Reserved"
            }
        var fields = Fields(version: version, variant: variant)
        guard version == 1 || version == 2 else { return fields }
        // 100 ns since 1582, turned into nanoseconds since 1970 with 64 bits, as OPA does.
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 << 8 | Int64($1) } }
        let ticks = number(0..<4) | number(4..<6) << 32 | (number(6..<8) & 0xFFF) << 48
        fields.time = (ticks - 122_192_928_000_000_000) &* 100
        fields.nodeID = bytes[10...].map { Hex.encode([$0]) }.joined(separator: "-")
        fields.clockSequence = Int(number(8..<10) & 0x3FFF)
        let scope = bytes[10] & 2 != 0 ? "local:" : "global:"
        fields.macVariables = scope + (bytes[10] & 1 != 0 ? "multicast" : "unicast")
        if version == 2 {
            fields.id = Int(number(0..<4))
            fields.domain =
                switch bytes[9] {
                case 0: "Person"
                case 1: "Group"
                case 2: "Org"
                default: "Domain\(bytes[9])"
                }
        }
        return fields
    }

    /// A version 4 UUID from 16 random bytes; missing bytes count as 0.
    static func v4(randomBytes: [UInt8]) -> String {
        var bytes = Array(randomBytes.prefix(16))
        bytes += repeatElement(0, count: 16 - bytes.count)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = Array(Hex.encode(bytes).utf8)
        let parts = [hex[0..<8], hex[8..<12], hex[12..<16], hex[16..<20], hex[20..<32]]
        return parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        var text = Array(text.utf8)
        switch text.count {
        case 32, 36: break
        case 45:
            let prefix = text.prefix(9).map { $0 | 0x20 }
            guard prefix == "urn:uuid:".utf8.map({ $0 | 0x20 }) else { return nil }
            text.removeFirst(9)
        // Whatever stands around it.
        case 38: text = Array(text[1..<37])
        default: return nil
        }
        if text.count == 36 {
            let dashes = [8, 13, 18, 23]
            guard dashes.allSatisfy({ text[$0] == UInt8(ascii: "-") }) else { return nil }
            text = text.indices.filter { !dashes.contains($0) }.map { text[$0] }
        }
        return try? Hex.decode(String(decoding: text, as: UTF8.self))
    }
}
