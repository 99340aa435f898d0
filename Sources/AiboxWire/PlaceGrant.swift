/// A credential for a place, which the broker adds on the way out; nothing inside stands for it.
///
/// Holds a real secret, as `BrokerPlan` does.
public struct PlaceGrant: Sendable, Equatable {
    /// What is spoken there, and so what the broker lets through.
    public enum Kind: String, Sendable, CaseIterable {
        /// git's smart protocol.
        case git
        /// A mirror of packages, which is read.
        case mirror
        /// HTTP, whatever it means.
        case custom

        /// The first word of the paths at the broker, and of its rules.
        public var prefix: String { "/\(rawValue)/" }

        /// As the policies call it; `credentials.TYPE_ttl` says how long it is lent.
        public var policyType: String {
            switch self {
            case .git: "git_token"
            case .mirror: "mirror_token"
            case .custom: "custom"
            }
        }

        /// The field of the policy that says how long it is lent.
        public var lifetimeField: String { "credentials.\(policyType)_ttl" }
    }

    public var kind: Kind
    /// The credential's name, for the audit log.
    public var name: String
    /// A host name in its normal form.
    public var host: String
    public var port: UInt16
    /// `/`, or the path below which it is good.
    public var path: String
    /// The header field that carries it.
    public var header: String
    public var value: String
    /// What in `value` is secret.
    public var secret: String
    /// Seconds since 1970 from which on it is refused; nil: never.
    public var expires: Int64?
    /// What is said from then on; nil: that the time is over.
    public var note: String?

    public init(
        _ kind: Kind, name: String, host: String, port: UInt16 = 443, path: String = "/",
        header: String = "Authorization", value: String, secret: String, expires: Int64? = nil
    ) {
        self.kind = kind
        self.name = name
        self.host = host
        self.port = port
        self.path = path
        self.header = header
        self.value = value
        self.secret = secret
        self.expires = expires
    }

    /// `HOST[:PORT]`
    public var authority: String { port == 443 ? host : "\(host):\(port)" }

    /// Where the broker serves it: a path without a slash at its end.
    public var brokerPath: String {
        let place = authority + (path == "/" ? "" : path)
        return kind == .custom ? "\(kind.prefix)\(name.dropFirst("custom:".count))/\(place)" : kind.prefix + place
    }
}

extension PlaceGrant: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(name) for \(authority)\(path)" }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension PlaceGrant {
    public var json: JSONValue {
        var object: JSONObject = [
            "kind": .string(kind.rawValue), "name": .string(name), "host": .string(host),
            "port": .integer(Int64(port)), "path": .string(path), "header": .string(header),
            "value": .string(value), "secret": .string(secret),
        ]
        object["expires"] = expires.map { .integer($0) }
        object["note"] = note.map { .string($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "credential for a place")
        guard let kind = Kind(rawValue: try fields.string("kind")) else { throw fields.error("kind is unknown") }
        self.init(
            kind, name: try fields.string("name"), host: try fields.string("host"), port: try fields.integer("port"),
            path: try fields.string("path"), header: try fields.string("header"), value: try fields.string("value"),
            secret: try fields.string("secret"), expires: try fields.optionalInteger("expires"))
        note = try fields.optionalString("note")
        try fields.finish()
        if secret.isEmpty || !value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            throw fields.error("the secret is empty, or has a character that no header carries")
        }
        if !path.hasPrefix("/") || host.isEmpty || port == 0 { throw fields.error("it leads nowhere") }
        if kind == .custom, !name.hasPrefix("custom:") { throw fields.error("it has no name of its own") }
    }
}
