import AiboxNetwork
import AiboxWire

/// What a request asks of an API, by method and path. What is not in the table is refused.
struct LLMRoute: Sendable, Equatable {
    enum Call: Sendable, Equatable {
        /// Writes text, and costs: Messages, Chat Completions, Responses.
        case generation
        /// Counts the tokens of a request. Costs nothing, but names a model and sends a prompt.
        case counting
        /// Lists models, or tells of one.
        case models
        /// Keeps a file at the provider, lists them, gives one back or removes it: where `llm.uploads` permits that.
        case files
    }

    /// nil where both APIs have the path.
    var api: BrokerPlan.API?
    var call: Call
    /// The path alone, as it is written down.
    var path: String
    /// Query with its `?`; empty without one.
    var query: String
    /// The model, decoded, where the path names it.
    var model: String?
    /// What of the path stands in the base already: whose project is asked. Empty: nothing.
    var tenant = ""
    /// The path says that the answer is a stream.
    var isStream = false

    /// What is sent behind the base.
    var sent: Substring { path.dropFirst(tenant.count) }

    /// A request has a JSON body that names its model.
    var namesModel: Bool { call == .generation || call == .counting }
    /// A request may have a body.
    var mayHaveBody: Bool { namesModel || call == .files }

    /// The answer to clients that ask for the root, to see whether somebody is there; nil for every other request.
    static func greeting(_ head: HTTPRequestHead, _ target: [UInt8]) -> [UInt8]? {
        guard target == [UInt8(ascii: "/")], head.method == "HEAD" || head.method == "GET",
            head.body == .none || head.body == .length(0)
        else { return nil }
        let body = head.method == "HEAD" ? "" : "{}"
        let length = "Content-Length: \(body.utf8.count)"
        return Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\(length)\r\n\r\n\(body)".utf8)
    }

    /// The table.
    ///
    /// - Parameter target: path and query as sent.
    static func decide(
        method: String, target: [UInt8], permitsUploads: Bool = false
    ) -> Result<LLMRoute, BrokerRefusal> {
        let end = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        let path = String(decoding: target[..<end], as: UTF8.self)
        let query = String(decoding: target[end...], as: UTF8.self)
        // A path has one spelling here: what is encoded, doubled or dotted is not in the table.
        guard path.utf8.allSatisfy({ isPlain($0) }), !path.contains("//"), !path.contains("/.") else {
            return .failure(.path("the path has characters or parts that no call of the API has"))
        }
        guard isHarmless(query) else { return .failure(.path("the query has something that no call of the API has")) }
        func route(_ api: BrokerPlan.API?, _ call: Call) -> Result<LLMRoute, BrokerRefusal> {
            let expected = call == .models ? "GET" : "POST"
            if method != expected { return .failure(.method("\(path) takes \(expected) only")) }
            return .success(LLMRoute(api: api, call: call, path: path, query: query))
        }
        switch path {
        case "/v1/messages": return route(.anthropic, .generation)
        case "/v1/messages/count_tokens": return route(.anthropic, .counting)
        case "/v1/chat/completions", "/v1/responses": return route(.openai, .generation)
        case "/v1/responses/input_tokens": return route(.openai, .counting)
        case "/v1/models": return route(nil, .models)
        default: break
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 4, parts[1] == "v1", parts[2] == "models", !parts[3].isEmpty { return route(nil, .models) }
        if permitsUploads, parts.count > 2, parts[1] == "v1",
            let call = FileCall.decide(method: method, Array(parts.dropFirst(2)))
        {
            return call.map { LLMRoute(api: $0, call: .files, path: path, query: query) }
        }
        if parts.count > 2, keeping.contains(String(parts[2])) {
            return .failure(.path("\(path) keeps data at the provider, where anybody with the key can read it"))
        }
        return .failure(.path("\(path) is not one of the calls that pass"))
    }

    /// What stores things under the organisation's account.
    static let keeping: Set<String> = [
        "files", "uploads", "vector_stores", "batches", "fine_tuning", "assistants", "threads", "containers", "skills",
        "organizations", "organization", "evals", "images", "audio", "conversations",
    ]

    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "@"):
            true
        default: false
        }
    }

    /// The names that the calls above have; their values without anything that reads in two ways.
    private static let parameters: Set<String> = [
        "beta", "limit", "after_id", "before_id", "after", "order", "client_version", "purpose",
    ]

    /// - Parameter more: names that are harmless beside those.
    static func isHarmless(_ query: String, _ more: Set<String> = []) -> Bool {
        if query.isEmpty || query == "?" { return true }
        if query.utf8.count > 512 { return false }
        return query.dropFirst().split(separator: "&", omittingEmptySubsequences: false).allSatisfy { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 && (parameters.contains(String(parts[0])) || more.contains(String(parts[0])))
                && parts[1].utf8.allSatisfy { isPlain($0) && $0 != UInt8(ascii: "/") }
        }
    }
}
