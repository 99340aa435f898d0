/// What a gateway tells the LLM proxy that it started: one packet, one message.
public enum LLMProxyOrder: Sendable, Equatable {
    /// The first: who and where, and the plan.
    case begin(LLMProxySettings)
    /// Another plan from now on.
    case plan(BrokerPlan)
    /// The sandbox is cut off: end what is open.
    case cut
    /// The answer to a question, by its number.
    case answer(Int64, LLMRuling)

    /// Bytes of one packet, at most: less than what the kernel takes (net.core.wmem_default).
    public static let limit = 160 << 10

    public var json: JSONValue {
        var object: JSONObject = ["version": .integer(Int64(Wire.version))]
        switch self {
        case .begin(let settings): object["begin"] = settings.json
        case .plan(let plan): object["plan"] = plan.json
        case .cut: object["cut"] = true
        case .answer(let number, let ruling):
            object["answer"] = .integer(number)
            object["ruling"] = ruling.json
        }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "order")
        try Wire.checkVersion(&fields)
        if let settings = fields.take("begin") {
            self = .begin(try LLMProxySettings(json: settings))
        } else if let plan = fields.take("plan") {
            self = .plan(try BrokerPlan(json: plan))
        } else if let number: Int64 = try fields.optionalInteger("answer") {
            self = .answer(number, try LLMRuling(json: fields.take("ruling") ?? .null))
        } else {
            guard try fields.bool("cut") else { throw fields.error("cut is false") }
            self = .cut
        }
        try fields.finish()
    }
}

/// Whose proxy it is, and what it serves.
public struct LLMProxySettings: Sendable, Equatable {
    public var sandbox: String
    public var user: String
    public var audit: GatewaySettings.AuditPlace
    /// `host:port` in lower case, as the sandbox may call it.
    public var authorities: [String]
    public var plan: BrokerPlan

    public init(
        sandbox: String, user: String, audit: GatewaySettings.AuditPlace, authorities: [String], plan: BrokerPlan
    ) {
        self.sandbox = sandbox
        self.user = user
        self.audit = audit
        self.authorities = authorities
        self.plan = plan
    }

    public var json: JSONValue {
        [
            "sandbox": .string(sandbox), "user": .string(user), "audit": audit.json,
            "authorities": .array(authorities.map { .string($0) }), "plan": plan.json,
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "LLM proxy settings")
        self.init(
            sandbox: try fields.string("sandbox"), user: try fields.string("user"),
            audit: try GatewaySettings.AuditPlace(json: fields.take("audit") ?? .null),
            authorities: try fields.texts("authorities"), plan: try BrokerPlan(json: fields.take("plan") ?? .null))
        try fields.finish()
    }
}

/// What the proxy tells its gateway.
public enum LLMProxyReport: Sendable, Equatable {
    /// It serves, by the plan that was sent last.
    case serving
    case failed(WireError)
    /// Tokens that the sandbox has spent in all.
    case spent(Int)
    /// A question with its number.
    case ask(Int64, LLMQuestion)
    /// Somebody wants it to read its plan again: it is to be sent once more.
    case reload
    /// What stands for a credential was used where it does not belong, in words; the log has it.
    case misused(String)

    public var json: JSONValue {
        switch self {
        case .serving: ["serving": true]
        case .failed(let error): ["failed": error.json]
        case .spent(let tokens): ["spent": .integer(Int64(tokens))]
        case .ask(let number, let question): ["ask": .integer(number), "question": question.json]
        case .reload: ["reload": true]
        case .misused(let words): ["misused": .string(words)]
        }
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "report")
        if let error = fields.take("failed") {
            self = .failed(try WireError(json: error))
        } else if let tokens: Int = try fields.optionalInteger("spent") {
            self = .spent(tokens)
        } else if let number: Int64 = try fields.optionalInteger("ask") {
            self = .ask(number, try LLMQuestion(json: fields.take("question") ?? .null))
        } else if let isWanted = try fields.optionalBool("reload") {
            if !isWanted { throw fields.error("reload is false") }
            self = .reload
        } else if let words = try fields.optionalString("misused") {
            self = .misused(words)
        } else {
            guard try fields.bool("serving") else { throw fields.error("serving is false") }
            self = .serving
        }
        try fields.finish()
    }
}
