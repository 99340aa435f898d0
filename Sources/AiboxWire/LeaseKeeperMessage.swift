/// What a start, or a command after a crash, tells the keeper of leases that it started: one packet, one message.
public enum LeaseKeeperOrder: Sendable, Equatable {
    /// The first of a start: read what is to be lent.
    case begin(LeaseKeeperSettings)
    /// The gateway has it: keep it until that ends.
    case keep
    /// Instead of `begin`: revoke what a keeper that died left.
    case revoke(LeaseRevocationSettings)

    /// Bytes of one packet, at most: less than what the kernel takes (net.core.wmem_default).
    public static let limit = 160 << 10

    public var json: JSONValue {
        var object: JSONObject = ["version": .integer(Int64(Wire.version))]
        switch self {
        case .begin(let settings): object["begin"] = settings.json
        case .keep: object["keep"] = true
        case .revoke(let settings): object["revoke"] = settings.json
        }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "order")
        try Wire.checkVersion(&fields)
        if let settings = fields.take("begin") {
            self = .begin(try LeaseKeeperSettings(json: settings))
        } else if let settings = fields.take("revoke") {
            self = .revoke(try LeaseRevocationSettings(json: settings))
        } else {
            guard try fields.bool("keep") else { throw fields.error("keep is false") }
            self = .keep
        }
        try fields.finish()
    }
}

/// What the keeper answers.
public enum LeaseKeeperReport: Sendable, Equatable {
    /// The secrets, for the gateway alone. A credential that is no more comes as one that is taken back.
    case lent([CredentialChange])
    /// They are kept from now on.
    case kept
    case failed(WireError)

    public var json: JSONValue {
        var object: JSONObject = ["version": .integer(Int64(Wire.version))]
        switch self {
        case .lent(let changes): object["lent"] = .array(changes.map(\.json))
        case .kept: object["kept"] = true
        case .failed(let error): object["error"] = error.json
        }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "report")
        try Wire.checkVersion(&fields)
        if let entries = try fields.optionalList("lent") {
            var changes: [CredentialChange] = []
            for entry in entries { changes.append(try CredentialChange(json: entry)) }
            self = .lent(changes)
        } else if let error = fields.take("error") {
            self = .failed(try WireError(json: error))
        } else {
            guard try fields.bool("kept") else { throw fields.error("kept is false") }
            self = .kept
        }
        try fields.finish()
    }
}

/// Where Vault is, and where the journal of its leases: no secret.
public struct LeaseRevocationSettings: Sendable, Equatable {
    /// Settings by their names, as text; those that differ from the standard.
    public var credentials: [String: String]
    /// The folder of the journals.
    public var folder: String
    /// The file of the key that seals them.
    public var key: String
    public var audit: GatewaySettings.AuditPlace
    public var user: String

    public init(
        credentials: [String: String], folder: String, key: String, audit: GatewaySettings.AuditPlace, user: String
    ) {
        self.credentials = credentials
        self.folder = folder
        self.key = key
        self.audit = audit
        self.user = user
    }

    var json: JSONValue {
        let texts = credentials.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, .string($0.value)) }
        return [
            "credentials": .object(JSONObject(texts)), "folder": .string(folder), "key": .string(key),
            "audit": audit.json, "user": .string(user),
        ]
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "lease settings")
        guard case .object(let texts)? = fields.take("credentials") else {
            throw fields.error("credentials is no object")
        }
        credentials = [:]
        for member in texts.members {
            guard case .string(let text) = member.value else { throw fields.error("a setting is no string") }
            credentials[member.name] = text
        }
        folder = try fields.string("folder")
        key = try fields.string("key")
        audit = try GatewaySettings.AuditPlace(json: fields.take("audit") ?? .null)
        user = try fields.string("user")
        try fields.finish()
    }
}

/// Which secrets of Vault a sandbox is lent.
public struct LeaseKeeperSettings: Sendable, Equatable {
    public var vault: LeaseRevocationSettings
    public var sandbox: String
    public var runFolder: String
    /// Where every model is asked; empty: at its provider's.
    public var modelGateway: String
    /// The credentials by name, with the seconds since 1970 until which each is lent at most.
    public var lent: [String: Int64]
    /// Whether leases are revoked when the sandbox ends, or left to end by themselves.
    public var revokesOnStop: Bool

    public init(
        vault: LeaseRevocationSettings, sandbox: String, runFolder: String, modelGateway: String,
        lent: [String: Int64], revokesOnStop: Bool
    ) {
        self.vault = vault
        self.sandbox = sandbox
        self.runFolder = runFolder
        self.modelGateway = modelGateway
        self.lent = lent
        self.revokesOnStop = revokesOnStop
    }

    var json: JSONValue {
        let ends = lent.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, .integer($0.value)) }
        return [
            "vault": vault.json, "sandbox": .string(sandbox), "runFolder": .string(runFolder),
            "modelGateway": .string(modelGateway), "lent": .object(JSONObject(ends)),
            "revokesOnStop": .bool(revokesOnStop),
        ]
    }

    init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "keeper's settings")
        vault = try LeaseRevocationSettings(json: fields.take("vault") ?? .null)
        sandbox = try fields.string("sandbox")
        runFolder = try fields.string("runFolder")
        modelGateway = try fields.string("modelGateway")
        guard case .object(let ends)? = fields.take("lent") else { throw fields.error("lent is no object") }
        lent = [:]
        for member in ends.members {
            guard case .integer(let end) = member.value else { throw fields.error("an end is no number") }
            lent[member.name] = end
        }
        revokesOnStop = try fields.bool("revokesOnStop")
        try fields.finish()
    }
}
