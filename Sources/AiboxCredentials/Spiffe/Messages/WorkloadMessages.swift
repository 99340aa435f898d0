import AiboxWire

/// The messages of the Workload API that aibox sends and reads (github.com/spiffe/spiffe, standards/workloadapi.proto). What is here is
/// read, not believed: `JWTSVID`, `X509SVID` and the bundles check it.
enum WorkloadMessages {
    struct Unreadable: Error {}

    /// Entries of a list or map at most.
    static let mostEntries = 256

    struct X509Entry {
        var id = ""
        var chain: [UInt8] = []
        var key: [UInt8] = []
        var bundle: [UInt8] = []
    }

    struct JWTEntry {
        var id = ""
        var token = ""
    }

    /// - Parameter id: the one SPIFFE ID that is asked for; nil: all.
    static func jwtRequest(audience: String, id: String?) -> [UInt8] {
        var message = ProtobufMessage()
        message.append(1, audience)
        if let id { message.append(2, id) }
        return message.bytes
    }

    /// `JWTSVIDResponse`: the entries in their order.
    static func jwtEntries(_ bytes: [UInt8]) throws(Unreadable) -> [JWTEntry] {
        try list(bytes, at: 1).map { (part) throws(Unreadable) in
            var entry = JWTEntry()
            try each(part) { (number, value) throws(Unreadable) in
                switch number {
                case 1: entry.id = try text(value)
                case 2: entry.token = try text(value)
                default: break
                }
            }
            return entry
        }
    }

    /// `X509SVIDResponse`: the entries in their order.
    static func x509Entries(_ bytes: [UInt8]) throws(Unreadable) -> [X509Entry] {
        try list(bytes, at: 1).map { (part) throws(Unreadable) in
            var entry = X509Entry()
            try each(part) { (number, value) throws(Unreadable) in
                switch number {
                case 1: entry.id = try text(value)
                case 2: entry.chain = Array(value)
                case 3: entry.key = Array(value)
                case 4: entry.bundle = Array(value)
                default: break
                }
            }
            return entry
        }
    }

    /// `JWTBundlesResponse`: a bundle for each trust domain's SPIFFE ID.
    static func jwtBundles(_ bytes: [UInt8]) throws(Unreadable) -> [String: [UInt8]] {
        var bundles: [String: [UInt8]] = [:]
        for part in try list(bytes, at: 1) {
            var (name, bundle) = ("", [UInt8]())
            try each(part) { (number, value) throws(Unreadable) in
                switch number {
                case 1: name = try text(value)
                case 2: bundle = Array(value)
                default: break
                }
            }
            if bundles.updateValue(bundle, forKey: name) != nil { throw Unreadable() }
        }
        return bundles
    }

    private static func list(_ bytes: [UInt8], at place: UInt64) throws(Unreadable) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        try each(bytes[...]) { (number, value) throws(Unreadable) in
            if number != place { return }
            parts.append(value)
            if parts.count > mostEntries { throw Unreadable() }
        }
        return parts
    }

    /// Each field that is a string, bytes or a message: the Workload API has no others.
    private static func each(
        _ bytes: ArraySlice<UInt8>, _ body: (UInt64, ArraySlice<UInt8>) throws(Unreadable) -> Void
    ) throws(Unreadable) {
        var fields = ProtobufFields(bytes)
        while true {
            let next: (number: UInt64, value: ProtobufFields.Value)?
            do throws(ProtobufFields.Malformed) { next = try fields.next() } catch { throw Unreadable() }
            guard let next else { return }
            if case .bytes(let value) = next.value { try body(next.number, value) }
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(Unreadable) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Unreadable() }
        return text
    }
}
