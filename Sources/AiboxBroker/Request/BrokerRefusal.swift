import AiboxNetwork
import AiboxWire

/// Why a request is not passed on, in the words and the form that a client of the API understands.
struct BrokerRefusal: Error, Sendable, Equatable {
    /// The error's type; both APIs have names of their own for it.
    enum Kind: Sendable, Equatable {
        case invalid, authentication, permission, notFound, tooLarge, rateLimited, overloaded, upstream, timeout
    }

    var kind: Kind
    /// Stands in the audit log and in the answer: `llm.model`, `llm.credential`, ...
    var rule: String
    /// One sentence that the agent can act on.
    var reason: String
    /// Seconds after which another try may pass; nil where none will.
    var retryAfter: Int?
    /// What to do, where there is something.
    var nextSteps: [String] = []
    /// Whether the connection has to end because its bytes can no longer be told apart.
    var closes = false
    /// Whose rule it is, where that is not who wrote the list of models.
    var layer: String?
    /// The request shows a key that is another place's or nobody's: a finding beside the refusal.
    var isMisuse = false
    /// HTTP status where the kind's own does not fit.
    var given: Int?

    var status: Int {
        if let given { return given }
        return switch kind {
        case .invalid: 400
        case .authentication: 401
        case .permission: 403
        case .notFound: 404
        case .tooLarge: 413
        case .rateLimited: 429
        case .overloaded: 503
        case .upstream: 502
        case .timeout: 504
        }
    }

    /// A decision of the policy's, as opposed to a fault of client, network or provider.
    var isDenial: Bool {
        switch kind {
        case .authentication, .permission, .rateLimited, .notFound, .tooLarge: true
        case .invalid: rule != "llm.request"
        case .overloaded, .upstream, .timeout: false
        }
    }

    /// A stand-in that was brought to a place for which it does not stand.
    static func misplaced(_ surrogate: Surrogate, _ kind: PlaceGrant.Kind) -> BrokerRefusal {
        BrokerRefusal(
            kind: .permission, rule: "\(kind.rawValue).credential",
            reason: "the request carries \(surrogate.words); the broker itself adds what there is for this place",
            nextSteps: ["Take user, password and token out of the URL and of the program's settings."], isMisuse: true)
    }

    static func path(_ reason: String) -> BrokerRefusal {
        BrokerRefusal(
            kind: .permission, rule: "llm.path", reason: reason,
            nextSteps: ["Use /v1/messages, /v1/chat/completions, /v1/responses or /v1/models."])
    }

    static func method(_ reason: String) -> BrokerRefusal {
        BrokerRefusal(kind: .permission, rule: "llm.method", reason: reason, given: 405)
    }

    static func framing(_ reason: String) -> BrokerRefusal {
        BrokerRefusal(kind: .invalid, rule: "http.framing", reason: reason, closes: true)
    }

    static func request(_ reason: String) -> BrokerRefusal {
        BrokerRefusal(kind: .invalid, rule: "llm.request", reason: reason)
    }

    static let unkept = BrokerRefusal(
        kind: .overloaded, rule: "llm.logging",
        reason: "the content cannot be kept as the policy demands, so nothing is sent")

    static func expired(_ grant: BrokerPlan.Grant) -> BrokerRefusal {
        expired("key", .authentication, field: "credentials.llm_api_key_ttl", note: grant.note)
    }

    static func expired(_ grant: PlaceGrant) -> BrokerRefusal {
        expired("credential", .permission, field: grant.kind.lifetimeField, note: grant.note)
    }

    private static func expired(_ what: String, _ kind: Kind, field: String, note: String?) -> BrokerRefusal {
        let remedy = note == nil ? "to start the sandbox again." : "to look at aibox auth status."
        return BrokerRefusal(
            kind: kind, rule: note == nil ? field : "credential.lease",
            reason: note ?? "the time for which the \(what) was lent is over",
            nextSteps: ["Ask the person at this machine \(remedy)"])
    }

    static let undecided = BrokerRefusal(
        kind: .overloaded, rule: "llm.policy", reason: "the policies did not answer, so nothing is sent", retryAfter: 1)

    static let unrecorded = BrokerRefusal(
        kind: .overloaded, rule: "audit", reason: "the audit log cannot be written, so nothing is sent")
}

extension BrokerRefusal {
    /// The body, in the API's form (Anthropic: docs "Errors"; OpenAI: "Error codes"), with a part of our own beside it.
    func body(_ api: BrokerPlan.API?, layer: String) -> [UInt8] {
        let ours = ours(layer: layer)
        let message = "aibox: " + reason
        if api == .openai {
            return JSONValue.object([
                "error": [
                    "message": .string(message), "type": .string(openAIType), "param": .null,
                    "code": .string(openAICode),
                ], "aibox": ours,
            ]).bytes
        }
        return JSONValue.object([
            "type": "error", "error": ["type": .string(anthropicType), "message": .string(message)], "aibox": ours,
        ]).bytes
    }

    /// The part of our own.
    func ours(layer: String) -> JSONValue {
        [
            "error": "denied", "rule": .string(rule), "layer": .string(layer), "reason": .string(reason),
            "next_steps": .array(nextSteps.map { .string($0) }),
        ]
    }

    private var anthropicType: String {
        switch kind {
        case .invalid: "invalid_request_error"
        case .authentication: "authentication_error"
        case .permission: "permission_error"
        case .notFound: "not_found_error"
        case .tooLarge: "request_too_large"
        case .rateLimited: "rate_limit_error"
        case .overloaded: "overloaded_error"
        case .upstream: "api_error"
        case .timeout: "timeout_error"
        }
    }

    private var openAIType: String {
        switch kind {
        case .invalid, .authentication, .notFound, .tooLarge: "invalid_request_error"
        case .permission: "permission_error"
        case .rateLimited: "rate_limit_error"
        case .overloaded, .upstream, .timeout: "server_error"
        }
    }

    private var openAICode: String {
        switch kind {
        case .authentication: "invalid_api_key"
        case .rateLimited: "rate_limit_exceeded"
        case .notFound: "model_not_found"
        case .tooLarge: "request_too_large"
        default: rule
        }
    }

    /// The whole answer.
    ///
    /// - Parameter style: whose clients ask, where they are not the API's own.
    func response(
        _ api: BrokerPlan.API?, style: LLMStyle? = nil, layer: String, keepsAlive: Bool
    ) -> [UInt8] {
        let body = style.flatMap { cloudBody($0, layer: layer) } ?? body(api ?? style?.api, layer: layer)
        var head = "HTTP/1.1 \(status) \(HTTPStatus.phrase(status))\r\nContent-Type: application/json\r\n"
        head += "Content-Length: \(body.count)\r\nX-Aibox-Rule: \(rule)\r\n"
        if style == .bedrock { head += "X-Amzn-ErrorType: \(bedrockType)\r\n" }
        // The clients of both APIs try again after most errors unless they are told not to.
        head += "X-Should-Retry: \(retryAfter != nil || !isDenial && kind != .invalid)\r\n"
        if let retryAfter { head += "Retry-After: \(retryAfter)\r\n" }
        if status == 405 { head += "Allow: GET, POST, DELETE\r\n" }
        head += keepsAlive && !closes ? "\r\n" : "Connection: close\r\n\r\n"
        return Array(head.utf8) + body
    }
}
