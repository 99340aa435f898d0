/// What the LLM proxy asks its gateway: what it cannot know, being shut in.
public enum LLMQuestion: Sendable, Hashable {
    /// Whether the policies in Rego let a request pass. Only what stays the same: the answer is kept.
    case request(LLMRequest)
}

/// A request to a model, as the policies in Rego are asked about it.
public struct LLMRequest: Sendable, Hashable {
    public var model: String
    /// The host that is asked.
    public var provider: String
    /// The API's path.
    public var endpoint: String
    /// The answer comes as a stream.
    public var isStream: Bool
    /// The model gets tools.
    public var hasTools: Bool

    public init(model: String, provider: String, endpoint: String, isStream: Bool, hasTools: Bool) {
        self.model = model
        self.provider = provider
        self.endpoint = endpoint
        self.isStream = isStream
        self.hasTools = hasTools
    }
}

/// The gateway's answer.
public struct LLMRuling: Sendable, Equatable {
    public var isAllowed: Bool
    /// The rule that refuses, its layer and its words; empty where nothing does.
    public var rule: String
    public var layer: String
    public var reason: String

    public static let allowed = LLMRuling(isAllowed: true, rule: "", layer: "", reason: "")

    public init(isAllowed: Bool, rule: String, layer: String, reason: String) {
        self.isAllowed = isAllowed
        self.rule = rule
        self.layer = layer
        self.reason = reason
    }
}

extension LLMQuestion {
    public var json: JSONValue {
        switch self {
        case .request(let request):
            [
                "model": .string(request.model), "provider": .string(request.provider),
                "endpoint": .string(request.endpoint), "stream": .bool(request.isStream),
                "tools": .bool(request.hasTools),
            ]
        }
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "question")
        self = .request(
            LLMRequest(
                model: try fields.string("model"), provider: try fields.string("provider"),
                endpoint: try fields.string("endpoint"), isStream: try fields.bool("stream"),
                hasTools: try fields.bool("tools")))
        try fields.finish()
    }
}

extension LLMRuling {
    public var json: JSONValue {
        [
            "allowed": .bool(isAllowed), "rule": .string(rule), "layer": .string(layer), "reason": .string(reason),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "ruling")
        self.init(
            isAllowed: try fields.bool("allowed"), rule: try fields.string("rule"),
            layer: try fields.string("layer"), reason: try fields.string("reason"))
        try fields.finish()
    }
}
