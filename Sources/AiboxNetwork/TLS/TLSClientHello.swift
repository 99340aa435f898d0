/// What a TLS client says first, as far as it names a destination (RFC 8446 section 4.1.2, RFC 6066).
public struct TLSClientHello: Sendable, Equatable {
    public enum ServerName: Sendable, Equatable {
        case absent
        case name(HostName)
        /// A name that no resolver would take, with what is wrong with it.
        case invalid(HostNameFailure)
    }

    public var serverName: ServerName
    /// Protocol names in the client's order (RFC 7301): `h2`, `http/1.1`.
    public var applicationProtocols: [String]
    /// An encrypted ClientHello (or one made to look like it) is inside: the real name may be another.
    public var hasEncryptedHello: Bool

    public init(serverName: ServerName, applicationProtocols: [String] = [], hasEncryptedHello: Bool = false) {
        self.serverName = serverName
        self.applicationProtocols = applicationProtocols
        self.hasEncryptedHello = hasEncryptedHello
    }
}

/// Reads a ClientHello from TLS records as they arrive, fragmented in any way.
public struct TLSClientHelloParser: Sendable {
    public enum Progress: Sendable, Equatable {
        case needsMore
        case hello(TLSClientHello)
        /// The first bytes are no TLS handshake: SSH, HTTP, anything.
        case notTLS
        /// TLS, but broken or too large to be honest.
        case malformed
    }

    /// Post-quantum key shares make a hello of 2 KiB; nothing honest comes near this.
    private static let limit = 32 << 10

    private var record: [UInt8] = []
    private var handshake: [UInt8] = []
    private var outcome: Progress?

    public init() {}

    /// Takes the bytes that came; what was fed before must not be fed again.
    public mutating func feed(_ bytes: ArraySlice<UInt8>) -> Progress {
        if let outcome { return outcome }
        let progress = read(bytes)
        if progress != .needsMore {
            outcome = progress
            record = []
            handshake = []
        }
        return progress
    }

    private mutating func read(_ bytes: ArraySlice<UInt8>) -> Progress {
        record += bytes
        var rest = record[...]
        while true {
            if let problem = Self.checkPrefix(rest, first: handshake.isEmpty) { return problem }
            guard rest.count >= 5 else { break }
            let start = rest.startIndex
            let length = Int(rest[start + 3]) << 8 | Int(rest[start + 4])
            guard (1...16384).contains(length) else { return .malformed }
            guard rest.count >= 5 + length else { break }
            handshake += rest[(start + 5)..<(start + 5 + length)]
            rest = rest.dropFirst(5 + length)
            if handshake.count > Self.limit { return .malformed }
            if let result = Self.message(handshake) { return result }
        }
        record = Array(rest)
        return .needsMore
    }

    /// Content type 22, protocol 3.x; judged with the first byte that differs.
    private static func checkPrefix(_ record: ArraySlice<UInt8>, first: Bool) -> Progress? {
        let bytes = Array(record.prefix(3))
        let wrong = first ? Progress.notTLS : .malformed
        if bytes.count > 0, bytes[0] != 22 { return wrong }
        if bytes.count > 1, bytes[1] != 3 { return wrong }
        if bytes.count > 2, bytes[2] > 4 { return wrong }
        return nil
    }

    /// The handshake message once it is whole, nil before.
    private static func message(_ bytes: [UInt8]) -> Progress? {
        if bytes[0] != 1 { return .malformed }
        guard bytes.count >= 4 else { return nil }
        let length = Int(bytes[1]) << 16 | Int(bytes[2]) << 8 | Int(bytes[3])
        if length > limit { return .malformed }
        guard bytes.count >= 4 + length else { return nil }
        // Nothing may follow a ClientHello before the server has answered (no early data in a handshake record).
        guard bytes.count == 4 + length else { return .malformed }
        var reader = TLSReader(bytes[4...])
        guard let hello = TLSClientHello(&reader) else { return .malformed }
        return .hello(hello)
    }
}

extension TLSClientHello {
    fileprivate init?(_ reader: inout TLSReader) {
        serverName = .absent
        applicationProtocols = []
        hasEncryptedHello = false
        guard reader.skip(34), reader.vector(1, 0...32) != nil, let ciphers = reader.vector(2, 2...65534),
            ciphers.count % 2 == 0, reader.vector(1, 1...255) != nil
        else { return nil }
        if reader.isAtEnd { return }
        guard let list = reader.vector(2, 0...65535), reader.isAtEnd else { return nil }
        var extensions = TLSReader(list)
        var seen: Set<UInt16> = []
        while !extensions.isAtEnd {
            guard let type = extensions.number(2), let body = extensions.vector(2, 0...65535) else { return nil }
            // Twice the same extension: two readers could take different ones.
            guard seen.insert(UInt16(type)).inserted else { return nil }
            switch type {
            case 0:
                guard let name = Self.serverName(body) else { return nil }
                serverName = name
            case 16:
                guard let names = Self.protocols(body) else { return nil }
                applicationProtocols = names
            case 0xfe0d, 0xffce: hasEncryptedHello = true
            default: break
            }
        }
    }

    private static func serverName(_ body: ArraySlice<UInt8>) -> ServerName? {
        var reader = TLSReader(body)
        guard let list = reader.vector(2, 1...65535), reader.isAtEnd else { return nil }
        var entries = TLSReader(list)
        // One entry of type host_name: more could be read differently by server and gateway.
        guard entries.number(1) == 0, let bytes = entries.vector(2, 1...65535), entries.isAtEnd else { return nil }
        do throws(HostNameFailure) {
            return .name(try HostName(wire: Array(bytes)))
        } catch {
            return .invalid(error)
        }
    }

    private static func protocols(_ body: ArraySlice<UInt8>) -> [String]? {
        var reader = TLSReader(body)
        guard let list = reader.vector(2, 2...65535), reader.isAtEnd else { return nil }
        var names: [String] = []
        var entries = TLSReader(list)
        while !entries.isAtEnd {
            guard let name = entries.vector(1, 1...255) else { return nil }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names
    }
}

/// Numbers and length-prefixed vectors (RFC 8446 section 3).
private struct TLSReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ count: Int) -> Bool {
        guard rest.count >= count else { return false }
        rest = rest.dropFirst(count)
        return true
    }

    mutating func number(_ width: Int) -> Int? {
        guard rest.count >= width else { return nil }
        let value = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(width)
        return value
    }

    mutating func vector(_ width: Int, _ bounds: ClosedRange<Int>) -> ArraySlice<UInt8>? {
        guard let count = number(width), bounds.contains(count), rest.count >= count else { return nil }
        let body = rest.prefix(count)
        rest = rest.dropFirst(count)
        return body
    }
}
