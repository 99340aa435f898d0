import AiboxNetwork
import AiboxWire

/// The tables of clouds: paths in which a model or a tenant stands. What goes on is written anew from what was decided on.
extension LLMRoute {
    /// The table of a style, or the APIs' own.
    ///
    /// - Parameter target: path and query as sent.
    static func decide(
        method: String, target: [UInt8], _ style: LLMStyle?, permitsUploads: Bool
    ) -> Result<LLMRoute, BrokerRefusal> {
        guard let style else { return decide(method: method, target: target, permitsUploads: permitsUploads) }
        do throws(BrokerRefusal) {
            let end = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
            let path = String(decoding: target[..<end], as: UTF8.self)
            let query = String(decoding: target[end...], as: UTF8.self)
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard path.utf8.count <= 1024, path.utf8.allSatisfy({ isPlain($0) || $0 == UInt8(ascii: "%") }),
                parts.first == "", parts.count > 1, parts.dropFirst().allSatisfy({ !$0.isEmpty && $0.first != "." })
            else { throw .path("the path has characters or parts that no call of the API has") }
            guard isHarmless(query, style == .azure ? ["api-version"] : []) else {
                throw .path("the query has something that no call of the API has")
            }
            // Requests are signed over an empty one.
            if style == .bedrock, !query.isEmpty { throw .path("a call of Bedrock's has no query") }
            let names = Array(parts.dropFirst())
            if style == .azure, permitsUploads, let route = try azureFiles(method, names) {
                return .success(LLMRoute(api: .openai, call: .files, path: route, query: query))
            }
            guard var route = try style.route(names) else { throw .notHere(path, names, style) }
            let expected = route.call == .models ? "GET" : "POST"
            if method != expected { throw .method("\(route.path) takes \(expected) only") }
            route.query = query
            return .success(route)
        } catch {
            return .failure(error)
        }
    }

    /// The path of a call for files below `/openai` or `/openai/v1`; nil for what is none.
    private static func azureFiles(_ method: String, _ names: [Substring]) throws(BrokerRefusal) -> String? {
        guard names.count > 1, names[0] == "openai" else { return nil }
        let rest = Array(names.dropFirst(names[1] == "v1" ? 2 : 1))
        guard let call = FileCall.decide(method: method, rest) else { return nil }
        _ = try call.get()
        return "/" + names.joined(separator: "/")
    }
}

extension LLMStyle {
    /// The call; nil for what is not in the table.
    fileprivate func route(_ names: [Substring]) throws(BrokerRefusal) -> LLMRoute? {
        switch self {
        case .azure: try azure(names)
        case .bedrock: try bedrock(names)
        case .vertex: try vertex(names)
        }
    }

    /// A name that stands in the path.
    private func name(_ text: Substring, _ more: String = "") throws(BrokerRefusal) -> String {
        guard let name = PathName.decode(text, more) else {
            throw .path("a name in the path is none, or could be read in two ways")
        }
        return name
    }

    /// Azure OpenAI: the deployment stands for the model where it is in the path.
    private func azure(_ names: [Substring]) throws(BrokerRefusal) -> LLMRoute? {
        guard names.count > 1, names[0] == "openai" else { return nil }
        if names.count == 5, names[1] == "deployments", names[3] == "chat", names[4] == "completions" {
            let deployment = try name(names[2])
            return LLMRoute(
                api: .openai, call: .generation,
                path: "/openai/deployments/\(PathName.encode(deployment))/chat/completions", query: "",
                model: deployment)
        }
        let rest = names[1] == "v1" ? names.dropFirst(2) : names.dropFirst()
        let start = names[1] == "v1" ? "/openai/v1" : "/openai"
        func route(_ call: LLMRoute.Call, _ end: String) -> LLMRoute {
            LLMRoute(api: .openai, call: call, path: "\(start)/\(end)", query: "")
        }
        switch rest.map(String.init) {
        case ["responses"]: return route(.generation, "responses")
        case ["responses", "input_tokens"]: return route(.counting, "responses/input_tokens")
        case ["models"]: return route(.models, "models")
        case ["chat", "completions"] where names[1] == "v1": return route(.generation, "chat/completions")
        default:
            guard rest.count == 2, rest.first == "models", let last = rest.last else { return nil }
            return route(.models, "models/" + PathName.encode(try name(last)))
        }
    }

    /// Bedrock Runtime. An ARN names its account, and only a pattern that is one allows it.
    private func bedrock(_ names: [Substring]) throws(BrokerRefusal) -> LLMRoute? {
        guard names.count == 3, names[0] == "model" else { return nil }
        let calls: [Substring: (LLMRoute.Call, Bool)] = [
            "invoke": (.generation, false), "converse": (.generation, false),
            "invoke-with-response-stream": (.generation, true), "converse-stream": (.generation, true),
            "count-tokens": (.counting, false),
        ]
        guard let (call, isStream) = calls[names[2]] else { return nil }
        let model = try name(names[1], ":/")
        if model.contains("/"), !model.hasPrefix("arn:") { throw .path("a model with a slash in its name is no ARN") }
        return LLMRoute(
            api: .anthropic, call: call, path: "/model/\(PathName.encode(model))/\(names[2])", query: "", model: model,
            isStream: isStream)
    }

    /// Vertex AI: what stands before the publisher is the base's, whose project and location are the organisation's choice.
    private func vertex(_ names: [Substring]) throws(BrokerRefusal) -> LLMRoute? {
        guard names.count >= 8, names[0] == "v1", names[1] == "projects", names[3] == "locations" else { return nil }
        // A project may have a domain before its name: example.com:name.
        let tenant = "/v1/projects/\(try name(names[2], ":"))/locations/\(try name(names[4]))"
        let rest = Array(names[5...])
        if rest == ["endpoints", "openapi", "chat", "completions"] {
            return LLMRoute(
                call: .generation, path: tenant + "/endpoints/openapi/chat/completions", query: "", tenant: tenant)
        }
        guard rest.count == 4, rest[0] == "publishers", rest[1] == "anthropic", rest[2] == "models",
            let colon = rest[3].lastIndex(of: ":")
        else { return nil }
        let method = rest[3][rest[3].index(after: colon)...]
        guard method == "rawPredict" || method == "streamRawPredict" else { return nil }
        let model = try name(rest[3][..<colon], "@")
        let path = "\(tenant)/publishers/anthropic/models/\(PathName.encode(model)):\(method)"
        // Its body names the model.
        if model == "count-tokens" {
            if method != "rawPredict" { return nil }
            return LLMRoute(api: .anthropic, call: .counting, path: path, query: "", tenant: tenant)
        }
        return LLMRoute(
            api: .anthropic, call: .generation, path: path, query: "", model: model, tenant: tenant,
            isStream: method == "streamRawPredict")
    }
}

extension BrokerRefusal {
    fileprivate static func notHere(_ path: String, _ names: [Substring], _ style: LLMStyle) -> BrokerRefusal {
        let keeps = names.contains { LLMRoute.keeping.contains(String($0)) }
        var refusal = BrokerRefusal.path(
            keeps
                ? "\(path) keeps data at the provider, where anybody with the key can read it"
                : "\(path) is not one of the calls that pass")
        refusal.nextSteps = ["Ask as the clients of \(style.rawValue) do; docs/llm-proxy.md has the list."]
        return refusal
    }
}
