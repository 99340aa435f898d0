/// One answer of the sandbox's resolver, from the log of either program.
///
/// unbound (`log-replies`): `[1700000000] unbound[17:0] info: 10.200.1.2 evil.test. A IN NXDOMAIN 0.000000 1 37`;
/// CoreDNS, with the format of `Corefile`: `[INFO] aibox1 10.200.1.2 evil.test. A IN NXDOMAIN`.
public struct ResolverLogLine: Sendable, Equatable {
    public var client: IPAddress
    /// As the sandbox wrote it, with the trailing dot; bytes that are no letter, digit, `-`, `_`, `*` or `.`
    /// are shown as `?`.
    public var name: String
    /// `A`, `AAAA`, `TXT`, `TYPE4711`.
    public var type: String
    /// `NOERROR`, `NXDOMAIN`, `REFUSED`.
    public var code: String

    /// nil for a line that tells of something else.
    public init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count <= 4096 else { return nil }
        let words = bytes.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        let first: Int
        if words.count >= 8, words[1].hasPrefix("unbound["), words[2] == "info:" {
            first = 3
        } else if words.count >= 7, words[1] == "aibox1" {
            first = 2
        } else {
            return nil
        }
        let fields = words[first...].prefix(5).map { $0 }
        guard fields.count == 5, let client = IPAddress(fields[0]), fields[1].hasSuffix("."),
            fields[1].utf8.count <= 1024,
            fields[2...].allSatisfy({ $0.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit } })
        else { return nil }
        self.client = client
        name = String(decoding: fields[1].utf8.map { Self.isPlain($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        type = fields[2]
        code = fields[4]
    }

    /// True if the question was for a name that is not on the list.
    public var isRefused: Bool { code != "NOERROR" }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || "-_*.".utf8.contains(byte)
    }
}
