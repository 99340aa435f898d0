/// Whose paths a gateway for models has, where they are not the API's own: written before its URL, `bedrock+https://...`.
public enum LLMStyle: String, Sendable, CaseIterable {
    /// Azure OpenAI: `/openai/deployments/{deployment}/chat/completions` and `/openai/v1/...`
    /// (learn.microsoft.com/azure/ai-services/openai/reference).
    case azure
    /// Amazon Bedrock Runtime: `/model/{modelId}/invoke`, `/converse` and the streams of both
    /// (docs.aws.amazon.com/bedrock/latest/APIReference, "Amazon Bedrock Runtime").
    case bedrock
    /// Google Vertex AI: `.../publishers/anthropic/models/{model}:rawPredict` and `.../endpoints/openapi/chat/completions`
    /// (cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude).
    case vertex

    /// Whose surrogate a sandbox is lent for it.
    public var api: BrokerPlan.API { self == .azure ? .openai : .anthropic }

    /// Takes a base apart: the style that is written before it, if there is one, and the URL.
    public static func split(_ base: String) -> (style: LLMStyle?, url: String) {
        guard let plus = base.firstIndex(of: "+"), let style = LLMStyle(rawValue: String(base[..<plus])) else {
            return (nil, base)
        }
        return (style, String(base[base.index(after: plus)...]))
    }

    /// The style of a list of bases, with commas between them; nil where they have none.
    public static func of(_ list: String) -> LLMStyle? {
        BrokerPlan.Grant.bases(list).first.flatMap { split($0).style }
    }

    /// Whether a URL's path is what the style needs: Vertex AI's names the project and the location, which pins both; Azure's
    /// own paths begin with `/openai`, and so stand behind it.
    ///
    /// - Parameter url: without the style.
    public func accepts(_ url: String) -> Bool {
        switch self {
        case .azure: !Self.parts(url).contains("openai")
        case .bedrock: true
        case .vertex: Self.place(url) != nil
        }
    }

    /// Project and location of a base of Vertex AI: the end of its path, `/v1/projects/PROJECT/locations/LOCATION`.
    public static func place(_ url: String) -> (project: String, location: String)? {
        let end = Array(parts(url).suffix(5))
        guard end.count == 5, end[0] == "v1", end[1] == "projects", end[3] == "locations" else { return nil }
        return (end[2], end[4])
    }

    /// The region of a server of Bedrock, as its name says it (docs.aws.amazon.com/general/latest/gr/bedrock.html); nil where it
    /// does not.
    public static func region(_ host: String) -> String? {
        let labels = host.split(separator: ".").map(String.init)
        guard let service = labels.firstIndex(where: { $0 == "bedrock-runtime" || $0 == "bedrock-runtime-fips" }),
            service + 1 < labels.count, labels.contains("amazonaws")
        else { return nil }
        return labels[service + 1]
    }

    /// The host of a URL.
    public static func host(_ url: String) -> String {
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        return rest.prefix { $0 != "/" && $0 != ":" }.lowercased()
    }

    private static func parts(_ url: String) -> [String] {
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        return rest.split(separator: "/").dropFirst().map(String.init)
    }
}
