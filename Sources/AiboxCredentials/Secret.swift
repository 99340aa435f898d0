import AiboxCrypto
public import AiboxSystem
import AiboxWire

/// A value that opens something: a token, a key, a password.
///
/// Shows itself as `<secret>` to everything that prints, dumps, mirrors or encodes, and is overwritten when the last
/// reference goes. Copies that leave through `text` or pass a parser are beyond its reach: take `withBytes` where bytes do.
public final class Secret: @unchecked Sendable {
    // Written in the initialiser only, so any thread may read it.
    private let storage: SecretBytes

    /// Bytes of a secret at most.
    public static let longest = 65_536

    /// What everything that prints gets.
    public static let mask = "<secret>"

    /// - Throws: `usage` for what cannot be a secret that goes into a header: nothing at all, control characters, white
    ///   space at an end, more than 64 KiB. The words never hold a part of it.
    public init(_ bytes: some Collection<UInt8>) throws(AiboxError) {
        func unfit(_ why: String) -> AiboxError {
            AiboxError(.usage, "this is no secret that aibox can keep", why: why)
        }
        if bytes.isEmpty { throw unfit("it is empty") }
        if bytes.count > Self.longest { throw unfit("it is longer than 64 KiB") }
        var last: UInt8 = 0
        for byte in bytes {
            if byte < 0x20 || byte == 0x7f { throw unfit("it has a control character, such as a line break, in it") }
            last = byte
        }
        if bytes.first == 0x20 || last == 0x20 { throw unfit("it begins or ends with a space") }
        storage = try SecretBytes(bytes)
    }

    public convenience init(_ text: String) throws(AiboxError) { try self.init(Array(text.utf8)) }

    /// Lends the bytes for the length of the call.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) { try body(storage.readable) }
    }

    public var count: Int { storage.readable.count }

    /// A copy that nobody overwrites.
    public var bytes: [UInt8] { withBytes { Array($0) } }

    /// A copy that nobody overwrites, for interfaces that take nothing else.
    public var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

extension Secret: Equatable {
    /// In a time that does not tell where two values differ.
    public static func == (left: Secret, right: Secret) -> Bool {
        left.withBytes { left in right.withBytes { ConstantTime.equal(left, $0) } }
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable, Encodable {
    public var description: String { Self.mask }
    public var debugDescription: String { Self.mask }
    public var customMirror: Mirror { Mirror(self, children: []) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Self.mask)
    }
}

extension Secret {
    /// - Throws: `usage` for a stand-in of aibox's own making, whatever became of it: it opens nothing.
    func requireReal() throws(AiboxError) {
        let isSurrogate = withBytes { bytes in
            BrokerPlan.API.allCases.contains { bytes.starts(with: $0.surrogatePrefix.utf8) }
        }
        if isSurrogate {
            throw AiboxError(
                .usage, "this is a stand-in that aibox made for a sandbox, not a real secret",
                remedy: "take the one that its issuer gave you")
        }
    }
}
