import AiboxNetwork
import AiboxWire

/// Who asks, for a gateway of the organisation's own; a provider is not told.
enum CallerIdentity {
    /// Bytes of a name, at most.
    private static let limit = 256

    static func fields(_ stay: LLMProxyServer.Stay) -> [HTTPRequestHead.Field] {
        [("X-Aibox-Sandbox", stay.sandbox), ("X-Aibox-User", stay.user)].filter { !$0.1.isEmpty }.map { name, text in
            HTTPRequestHead.Field(name: name, value: safe(text))
        }
    }

    /// Percent-encoded but for letters, digits and `-._~@` (RFC 3986 section 2.1): no name ends the field, or is read in two
    /// ways.
    private static func safe(_ text: String) -> [UInt8] {
        text.utf8.prefix(limit).flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "@"):
                [byte]
            default: Array("%\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))".utf8)
            }
        }
    }
}
