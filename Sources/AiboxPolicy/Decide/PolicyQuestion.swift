public import AiboxNetwork
public import AiboxWire

/// Something that a sandbox asks to do, in the terms of the decision contract (docs/policy.md).
public enum PolicyQuestion: Sendable, Equatable {
    /// A command line, the program first.
    ///
    /// - Parameters:
    ///   - called: the names under which it counts, each as the words in the place of the first one; nil: as it stands.
    ///   - directory: where it runs; nil where that is not known.
    case tool([String], called: [[String]]? = nil, directory: String? = nil)
    /// A path inside; `write` also stands for removing and renaming.
    case file(path: String, write: Bool)
    /// A credential is about to be lent.
    ///
    /// - Parameters:
    ///   - type: `git_token`, `llm_api_key`, `mirror_token` or `custom`.
    ///   - name: as `aibox auth list` shows it; nil where none is asked about in particular.
    ///   - destination: `host` or `host:port`.
    case credential(type: String, seconds: Int, name: String? = nil, destination: String? = nil)
    /// - Parameter ref: the full name: `refs/heads/main`.
    case push(ref: String, force: Bool, delete: Bool)
    /// A request to a language model. What is not known is nil.
    ///
    /// - Parameters:
    ///   - provider: the host that is asked.
    ///   - endpoint: the API's path.
    case model(
        String, provider: String? = nil, endpoint: String? = nil, isStream: Bool? = nil, hasTools: Bool? = nil)
    /// A connection or a request. Method and path of a tunnel are not known.
    case network(EgressRequest)
    case server(id: String, tool: String)
    /// A sandbox is about to be made; what it is to be, as docs/policy.md describes it.
    case start(JSONValue)

    /// The part of the input document that is this question's own.
    public var input: (action: String, name: String, value: JSONValue) {
        switch self {
        case .tool(let argv, let called, let directory):
            ("tool", "command", Self.command(argv, called, directory))
        case .file(let path, let write):
            ("file", "request", ["path": .string(path), "mode": .string(write ? "write" : "read")])
        case .credential(let type, let seconds, let name, let destination):
            ("credential", "credential", Self.credential(type, seconds, name, destination))
        case .push(let ref, let force, let delete):
            ("push", "push", ["ref": .string(ref), "force": .bool(force), "delete": .bool(delete)])
        case .model(let model, let provider, let endpoint, let isStream, let hasTools):
            ("llm", "request", Self.model(model, provider, endpoint, isStream, hasTools))
        case .network(let request): ("network", "request", Self.request(request))
        case .server(let id, let tool): ("mcp", "request", ["server": .string(id), "tool": .string(tool)])
        case .start(let sandbox): ("start", "sandbox", sandbox)
        }
    }

    private static func request(_ request: EgressRequest) -> JSONValue {
        var object: JSONObject = [
            "host": .string(request.host.text), "port": .integer(Int64(request.port)),
            "scheme": .string(request.scheme.rawValue),
        ]
        if case .http(_, let method, let path) = request.content {
            object["method"] = .string(method)
            object["path"] = .string(path.path)
        }
        return .object(object)
    }

    private static func credential(
        _ type: String, _ seconds: Int, _ name: String?, _ destination: String?
    ) -> JSONValue {
        var object: JSONObject = ["type": .string(type), "ttl_seconds": .integer(Int64(seconds))]
        object["name"] = name.map { .string($0) }
        object["destination"] = destination.map { .string($0) }
        return .object(object)
    }

    private static func model(
        _ model: String, _ provider: String?, _ endpoint: String?, _ isStream: Bool?, _ hasTools: Bool?
    ) -> JSONValue {
        var object: JSONObject = ["model": .string(model)]
        object["provider"] = provider.map { .string($0) }
        object["endpoint"] = endpoint.map { .string($0) }
        object["stream"] = isStream.map { .bool($0) }
        object["tools"] = hasTools.map { .bool($0) }
        return .object(object)
    }

    private static func command(_ argv: [String], _ called: [[String]]?, _ directory: String?) -> JSONValue {
        func texts(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }
        var command: JSONObject = ["argv": texts(argv)]
        command["called"] = called.map { .array($0.map(texts)) }
        command["directory"] = directory.map { .string($0) }
        return .object(command)
    }

    /// `tool`, `network`, ...
    public var action: String { input.action }

    /// The field of a policy that answers it.
    public var field: String {
        switch self {
        case .tool: "tools.rules"
        case .file(_, let write): write ? "filesystem.protected" : "filesystem.deny"
        case .credential(let type, _, _, _): "credentials.\(type)_ttl"
        case .push: "push.unreviewed"
        case .model: "llm.models"
        case .network: "network.allow"
        case .server: "mcp.servers"
        case .start: "runtime.engine"
        }
    }
}
