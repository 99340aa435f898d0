/// What a gateway needs so that a sandbox can learn: what the organisation's policy alone permits.
public struct LearnPlan: Sendable, Equatable {
    /// The organisation's allow-list, entry by entry, before it is checked.
    public var allow: [JSONValue]
    /// The organisation's policy as the policies in Rego read it.
    public var policy: JSONValue

    public init(allow: [JSONValue], policy: JSONValue) {
        self.allow = allow
        self.policy = policy
    }
}

extension LearnPlan {
    public var json: JSONValue { ["allow": .array(allow), "policy": policy] }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "learn")
        self.init(allow: try fields.list("allow"), policy: fields.take("policy") ?? .null)
        try fields.finish()
    }
}

/// What `aibox learn start` and `stop` ask a running gateway for.
public enum LearnChange: Sendable, Equatable {
    /// From now on for so many seconds, in the place of what was left.
    case start(seconds: Int)
    case stop

    /// The longest time, in seconds.
    public static let longest = 86_400
}

extension LearnChange {
    public var json: JSONValue {
        switch self {
        case .start(let seconds): ["action": "start", "seconds": .integer(Int64(seconds))]
        case .stop: ["action": "stop"]
        }
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "learn change")
        switch try fields.string("action") {
        case "start":
            let seconds: Int = try fields.integer("seconds")
            if !(1...Self.longest).contains(seconds) { throw fields.error("seconds is out of range") }
            self = .start(seconds: seconds)
        case "stop": self = .stop
        default: throw fields.error("action is neither start nor stop")
        }
        try fields.finish()
    }
}
