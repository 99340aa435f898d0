import AiboxWire

/// What a sandbox holds of Vault's leases, as it is on the disk: enough to revoke it after the keeper's death, and no secret.
public struct LeaseJournal: Sendable, Equatable {
    /// A login that aibox made: revoking it revokes its leases.
    public struct Token: Sendable, Equatable {
        public var accessor: String
        /// Seconds since 1970; nil: Vault ends it never.
        public var expires: Int64?
    }

    public struct Lease: Sendable, Equatable {
        /// Vault's.
        public var id: String
        /// The credential's.
        public var name: String
        public var expires: Int64
        /// Of the token that it was made with; empty: of one that is not aibox's to revoke.
        public var accessor: String
    }

    /// A lease that is no more, of which the audit log could not be told.
    public struct Untold: Sendable, Equatable {
        public var name: String
        public var lease: String
        public var reason: String
        /// When it was revoked: seconds since 1970.
        public var time: Int64
    }

    public var sandbox: String
    /// The stay from start to stop.
    public var session: String
    /// Vault's, as the settings said.
    public var address: String
    public var namespace: String
    public var tokens: [Token] = []
    public var leases: [Lease] = []
    /// Revocations that the audit log does not know of yet; the newest `untoldLimit`.
    public var untold: [Untold] = []
    /// How many more there were.
    public var untoldMore: Int64 = 0
    /// The credentials that are kept, those without a lease as well.
    public var kept: [String] = []
    /// When the keeper does something next.
    public var next: Int64?
    /// What goes wrong at present.
    public var trouble: String?
    /// Since when.
    public var since: Int64?
    /// The sandbox is gone.
    public var isEnding = false

    public init(sandbox: String, session: String, address: String, namespace: String) {
        self.sandbox = sandbox
        self.session = session
        self.address = address
        self.namespace = namespace
    }

    /// Far more than one sandbox revokes before somebody looks after its log.
    static let untoldLimit = 200

    /// When the last lease ends by itself; nil: there is none, or one of its tokens never ends.
    public var lastEnd: Int64? { leases.map(\.expires).max() }

    /// Whether Vault has ended everything by itself.
    public func hasEnded(by past: Double) -> Bool {
        tokens.allSatisfy { $0.expires.map { Double($0) < past } ?? false }
            && leases.allSatisfy { Double($0.expires) < past }
    }

    /// Whether nothing is left that Vault could take back.
    public var isSettled: Bool { tokens.isEmpty && leases.isEmpty }
}

extension LeaseJournal.Token {
    var json: JSONValue {
        var object: JSONObject = ["accessor": .string(accessor)]
        object["expires"] = expires.map { .integer($0) }
        return .object(object)
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "token")
        self.init(accessor: try fields.string("accessor"), expires: try fields.optionalInteger("expires"))
        try fields.finish()
    }
}

extension LeaseJournal.Lease {
    var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "expires": .integer(expires), "accessor": .string(accessor),
        ]
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "lease")
        self.init(
            id: try fields.string("id"), name: try fields.string("name"), expires: try fields.integer("expires"),
            accessor: try fields.string("accessor"))
        try fields.finish()
    }
}

extension LeaseJournal.Untold {
    var json: JSONValue {
        ["name": .string(name), "lease": .string(lease), "reason": .string(reason), "time": .integer(time)]
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "untold revocation")
        self.init(
            name: try fields.string("name"), lease: try fields.string("lease"), reason: try fields.string("reason"),
            time: try fields.integer("time"))
        try fields.finish()
    }
}

extension LeaseJournal {
    var json: JSONValue {
        var object: JSONObject = [
            "version": 1, "sandbox": .string(sandbox), "session": .string(session), "address": .string(address),
            "namespace": .string(namespace), "tokens": .array(tokens.map(\.json)), "leases": .array(leases.map(\.json)),
            "kept": .array(kept.map { .string($0) }), "ending": .bool(isEnding),
        ]
        if !untold.isEmpty { object["untold"] = .array(untold.map(\.json)) }
        if untoldMore > 0 { object["untold_more"] = .integer(untoldMore) }
        object["next"] = next.map { .integer($0) }
        object["trouble"] = trouble.map { .string($0) }
        object["since"] = since.map { .integer($0) }
        return .object(object)
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "journal of leases")
        guard try fields.integer("version") as Int == 1 else { throw fields.error("it is of another version") }
        self.init(
            sandbox: try fields.string("sandbox"), session: try fields.string("session"),
            address: try fields.string("address"), namespace: try fields.string("namespace"))
        for entry in try fields.list("tokens") { tokens.append(try Token(json: entry)) }
        for entry in try fields.list("leases") { leases.append(try Lease(json: entry)) }
        for entry in try fields.optionalList("untold") ?? [] { untold.append(try Untold(json: entry)) }
        untoldMore = try fields.optionalInteger("untold_more") ?? 0
        kept = try fields.texts("kept")
        isEnding = try fields.bool("ending")
        next = try fields.optionalInteger("next")
        trouble = try fields.optionalString("trouble")
        since = try fields.optionalInteger("since")
        try fields.finish()
    }
}
