import AiboxCrypto
public import AiboxWire

/// Looks in the heads of requests for stand-ins of credentials: those that this sandbox was given, and whatever else has
/// their form. Time and memory are linear in the head.
public struct SurrogateScreen: Sendable {
    private let own: [(value: [UInt8], credential: String)]
    private let brokers: Set<String>

    private static let beginning = Array("sk-".utf8)
    /// All of them begin so.
    private static let prefixes = BrokerPlan.API.allCases.map { Array($0.surrogatePrefix.utf8) }
    /// Digits behind a prefix: fewer could be somebody's words.
    private static let digits = 16...64

    /// - Parameters:
    ///   - grants: what this sandbox was lent.
    ///   - brokers: hosts that are the sandbox's own broker.
    public init(_ grants: [BrokerPlan.Grant] = [], brokers: Set<String> = []) {
        own = grants.map { (Array($0.surrogate.utf8), $0.name) }
        self.brokers = brokers
    }

    /// Whether a host, as written, is the sandbox's own broker.
    public func isBroker(_ host: String?) -> Bool { host.map { brokers.contains($0.lowercased()) } ?? false }

    /// The first one in a request's target, as it is or percent-encoded, or in a field, as it is or in what a scheme such as
    /// Basic carries in Base64 (RFC 7617).
    public func find(in head: HTTPRequestHead) -> Surrogate? {
        let target: [UInt8] =
            switch head.target {
            case .authority(let host, _): Array(host.utf8)
            case .absolute(_, let host, _, let path): Array("\(host)/".utf8) + path
            case .origin(let path): path
            }
        if let found = find(target: target) { return found }
        for field in head.fields {
            if let found = find(in: Array(field.name.utf8)) ?? find(in: field.value) ?? find(basic: field.value[...]) {
                return found
            }
        }
        return nil
    }

    /// The same, of a head as it stands in a message: lines with their CRLF.
    public func find(lines head: [UInt8]) -> Surrogate? {
        if let found = find(in: head) { return found }
        let lines = head.split(separator: UInt8(ascii: "\n"))
        if let first = lines.first, let found = find(target: Array(first)) { return found }
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            if let found = find(basic: line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }) { return found }
        }
        return nil
    }

    /// The first one in a text, as it is.
    public func find(in text: [UInt8]) -> Surrogate? {
        text.withUnsafeBufferPointer { bytes in
            var at = 0
            while at + Self.beginning.count < bytes.count {
                guard bytes[at] == Self.beginning[0], bytes[at + 1] == Self.beginning[1],
                    bytes[at + 2] == Self.beginning[2]
                else {
                    at += 1
                    continue
                }
                if let found = surrogate(at: bytes[at...]) { return found }
                at += Self.beginning.count
            }
            return nil
        }
    }

    private func surrogate(at text: Slice<UnsafeBufferPointer<UInt8>>) -> Surrogate? {
        for (value, credential) in own where text.starts(with: value) { return Self.known(value, credential) }
        for prefix in Self.prefixes where text.starts(with: prefix) {
            let digits = text.dropFirst(prefix.count).prefix(Self.digits.upperBound).prefix {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
            }
            if digits.count >= Self.digits.lowerBound { return Self.known(prefix + digits, nil) }
        }
        return nil
    }

    private static func known(_ value: [UInt8], _ credential: String?) -> Surrogate {
        Surrogate(credential: credential, digest: (try? SHA256.digest(value))?.hex.prefix(8).description)
    }

    private func find(target: [UInt8]) -> Surrogate? {
        if let found = find(in: target) { return found }
        guard target.contains(UInt8(ascii: "%")) else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(target.count)
        var rest = target[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(Self.digit),
                let low = rest.dropFirst().first.flatMap(Self.digit)
            {
                decoded.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        return find(in: decoded)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// - Parameter field: the value of a field, `Basic BASE64` or another one.
    private func find(basic field: ArraySlice<UInt8>) -> Surrogate? {
        guard field.count > 6, String(decoding: field.prefix(5), as: UTF8.self).lowercased() == "basic",
            let gap = field.dropFirst(5).first, gap == 0x20 || gap == 0x09
        else { return nil }
        // Which alphabet it has, what stands between its letters, whether it is padded and how its last bits stand is not
        // asked: some server would read it (RFC 4648 section 3.3 tells of those that pass over other bytes).
        let letters = field.dropFirst(6).compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                byte
            default: nil
            }
        }
        var text = String(decoding: letters, as: UTF8.self)
        text += String(repeating: "A", count: (4 - text.utf8.count % 4) % 4)
        return Base64.decode(text).flatMap { find(in: $0) }
    }
}
