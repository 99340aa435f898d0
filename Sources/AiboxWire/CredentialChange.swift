/// A credential that was replaced or taken back while sandboxes run that may have been lent it.
///
/// Holds a real secret, as `BrokerPlan` does.
public struct CredentialChange: Sendable, Equatable {
    /// A key for language models, as it is from now on.
    public struct Key: Sendable, Equatable {
        public var secret: String
        /// `https://host[:port][/path]`; nil: the provider itself.
        public var base: String?
        /// The header that carries it; nil: the API's own.
        public var header: String?
        /// Seconds since 1970 at which its issuer ends it.
        public var expires: Int64?

        public init(secret: String, base: String? = nil, header: String? = nil, expires: Int64? = nil) {
            self.secret = secret
            self.base = base
            self.header = header
            self.expires = expires
        }
    }

    /// What the keeper of leases says with it (docs/credentials.md, "Leases").
    public struct Lease: Sendable, Equatable {
        /// Seconds since 1970 at which it ends unless it is told again; nil: as it was.
        public var until: Int64?
        /// Told to who uses it after that end.
        public var note: String?
        /// Why it changes, for the audit log; nil: only its end does, the secret is the same.
        public var reason: String?

        public init(until: Int64? = nil, note: String? = nil, reason: String? = nil) {
            self.until = until
            self.note = note
            self.reason = reason
        }
    }

    /// The credential's name.
    public var name: String
    public var key: Key?
    /// One for each place where it is good.
    public var places: [PlaceGrant]
    /// nil: a person changed it.
    public var lease: Lease?

    /// With neither a key nor a grant: it is taken back.
    public init(name: String, key: Key? = nil, places: [PlaceGrant] = [], lease: Lease? = nil) {
        self.name = name
        self.key = key
        self.places = places
        self.lease = lease
    }

    /// Whether the secret is the one that is lent already.
    public var isRenewal: Bool { !isRevocation && lease != nil && lease?.reason == nil }

    public var isRevocation: Bool { key == nil && places.isEmpty }
}

extension CredentialChange: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(name) \(isRevocation ? "taken back" : "replaced")" }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension CredentialChange.Key: CustomStringConvertible, CustomReflectable {
    public var description: String { "a key" }
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

extension CredentialChange {
    public var json: JSONValue {
        var object: JSONObject = ["name": .string(name), "places": .array(places.map(\.json))]
        object["key"] = key?.json
        object["lease"] = lease?.json
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "credential change")
        var places: [PlaceGrant] = []
        for entry in try fields.list("places") { places.append(try PlaceGrant(json: entry)) }
        var key: Key?
        if let entry = fields.take("key") { key = try Key(json: entry) }
        var lease: Lease?
        if let entry = fields.take("lease") { lease = try Lease(json: entry) }
        self.init(name: try fields.string("name"), key: key, places: places, lease: lease)
        try fields.finish()
        // The broker takes no plan with one, and would end.
        if places.contains(where: { $0.secret.utf8.count < 8 || $0.name != name }) {
            throw fields.error("a secret is shorter than 8 characters, or another credential's")
        }
    }
}

extension CredentialChange.Lease {
    var json: JSONValue {
        var object: JSONObject = [:]
        object["until"] = until.map { .integer($0) }
        object["note"] = note.map { .string($0) }
        object["reason"] = reason.map { .string($0) }
        return .object(object)
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "lease")
        self.init(
            until: try fields.optionalInteger("until"), note: try fields.optionalString("note"),
            reason: try fields.optionalString("reason"))
        try fields.finish()
        for text in [note, reason].compactMap(\.self) where text.utf8.count > 500 {
            throw fields.error("its words are longer than 500 bytes")
        }
    }
}

extension CredentialChange.Key {
    var json: JSONValue {
        var object: JSONObject = ["secret": .string(secret)]
        object["base"] = base.map { .string($0) }
        object["header"] = header.map { .string($0) }
        object["expires"] = expires.map { .integer($0) }
        return .object(object)
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "key")
        self.init(
            secret: try fields.string("secret"), base: try fields.optionalString("base"),
            header: try fields.optionalString("header"), expires: try fields.optionalInteger("expires"))
        try fields.finish()
        if secret.utf8.count < 8 || !secret.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            throw fields.error("a key is shorter than 8 characters, or has one that no header carries")
        }
    }
}

extension BrokerPlan {
    /// What was lent, once a credential was replaced or taken back. A credential that leads elsewhere now is taken back from
    /// where it led; nothing is lent that was not.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - lifetimes: for how many seconds each credential, by name, is lent.
    public func after(_ change: CredentialChange, now: Int64, lifetimes: [String: Int64]) -> BrokerPlan {
        let end = lifetimes[change.name].map { now + $0 }
        let until = change.lease?.until
        func expiry(_ own: Int64?) -> Int64? { [end, until, own].compactMap(\.self).min() }
        var plan = self
        plan.grants = grants.compactMap { grant in
            if grant.name != change.name { return grant }
            guard let key = change.key, key.base ?? grant.api.standardBase == grant.base else { return nil }
            var grant = grant
            (grant.secret, grant.header, grant.expires) = (key.secret, key.header, expiry(key.expires))
            grant.note = change.lease?.note
            return grant.wouldShowAWSKey ? nil : grant
        }
        plan.places = places.compactMap { grant in
            if grant.name != change.name { return grant }
            guard var next = change.places.first(where: { $0.isSamePlace(as: grant) }) else { return nil }
            next.expires = expiry(next.expires)
            next.note = change.lease?.note
            return next
        }
        return plan
    }
}

extension PlaceGrant {
    /// The same credential for the same place, whatever its secret.
    public func isSamePlace(as other: PlaceGrant) -> Bool {
        kind == other.kind && name == other.name && host == other.host && port == other.port && path == other.path
    }
}
