/// What the LLM proxy asks its gateway: what it cannot know, being shut in.
public enum LLMQuestion: Sendable, Hashable {
    /// Whether the policies in Rego let a request pass. Only what stays the same: the answer is kept.
    case request(LLMRequest)
    /// Whether the day's limits have room for what a request may cost; it is taken if so.
    case take(LLMAmount)
    /// What a request cost in the end.
    case settle(LLMSettlement)
}

/// Tokens, and what they cost in millionths of a unit of the currency that prices are in.
public struct LLMAmount: Sendable, Hashable {
    public var tokens: Int
    public var micros: Int

    public init(tokens: Int = 0, micros: Int = 0) {
        self.tokens = tokens
        self.micros = micros
    }

    public func adding(_ other: LLMAmount) -> LLMAmount {
        LLMAmount(tokens: Self.sum(tokens, other.tokens), micros: Self.sum(micros, other.micros))
    }

    /// Never below zero.
    public func removing(_ other: LLMAmount) -> LLMAmount {
        LLMAmount(tokens: max(0, tokens - other.tokens), micros: max(0, micros - other.micros))
    }

    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, isTooLarge) = left.addingReportingOverflow(right)
        return isTooLarge ? .max : sum
    }

    /// `12.50` of 12,500,000 millionths; two places at least.
    public static func text(micros: Int) -> String {
        let fraction = String(micros % 1_000_000 + 1_000_000).dropFirst()
        let end = fraction.lastIndex { $0 != "0" }.map { fraction.index(after: $0) } ?? fraction.startIndex
        let shown = max(end, fraction.index(fraction.startIndex, offsetBy: 2))
        return "\(micros / 1_000_000).\(fraction[..<shown])"
    }
}

/// What was taken for a request, from which day, and what it cost.
public struct LLMSettlement: Sendable, Hashable {
    /// Days since 1970, in UTC.
    public var day: Int64
    public var taken: LLMAmount
    public var cost: LLMAmount

    public init(day: Int64, taken: LLMAmount, cost: LLMAmount) {
        self.day = day
        self.taken = taken
        self.cost = cost
    }
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
    /// The day that was taken from.
    public var day: Int64?

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
        case .take(let amount): ["take": amount.json]
        case .settle(let settlement):
            [
                "settle": .integer(settlement.day), "taken": settlement.taken.json, "cost": settlement.cost.json,
            ]
        }
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "question")
        if let amount = fields.take("take") {
            self = .take(try LLMAmount(json: amount))
            try fields.finish()
            return
        }
        if let day: Int64 = try fields.optionalInteger("settle") {
            self = .settle(
                LLMSettlement(
                    day: day, taken: try LLMAmount(json: fields.take("taken") ?? .null),
                    cost: try LLMAmount(json: fields.take("cost") ?? .null)))
            try fields.finish()
            return
        }
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
        var object: JSONObject = [
            "allowed": .bool(isAllowed), "rule": .string(rule), "layer": .string(layer), "reason": .string(reason),
        ]
        object["day"] = day.map { .integer($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "ruling")
        self.init(
            isAllowed: try fields.bool("allowed"), rule: try fields.string("rule"),
            layer: try fields.string("layer"), reason: try fields.string("reason"))
        day = try fields.optionalInteger("day")
        try fields.finish()
    }
}

extension LLMAmount {
    public var json: JSONValue { ["tokens": .integer(Int64(tokens)), "micros": .integer(Int64(micros))] }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "amount")
        self.init(tokens: try fields.integer("tokens"), micros: try fields.integer("micros"))
        try fields.finish()
        if tokens < 0 || micros < 0 { throw fields.error("an amount is below zero") }
    }
}
