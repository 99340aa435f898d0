import AiboxNetwork
import AiboxWire
import Testing

@testable import AiboxBroker

@Suite("Which calls of clouds pass")
struct CloudRouteTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var style: LLMStyle
        var method = "POST"
        var target: String
        /// What goes on behind the base; nil: refused.
        var sent: String?
        var model: String?
        var isStream = false
    }

    private static let project = "/v1/projects/acme/locations/us-east5"
    private static let claude = project + "/publishers/anthropic/models/"

    private static func row(
        _ words: String, _ style: LLMStyle, _ target: String, _ sent: String?, _ model: String? = nil,
        _ isStream: Bool = false, method: String = "POST"
    ) -> Row {
        Row(
            testDescription: words, style: style, method: method, target: target, sent: sent, model: model,
            isStream: isStream)
    }

    static let azure: [Row] = [
        row(
            "a deployment", .azure, "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            "/openai/deployments/gpt-4o/chat/completions", "gpt-4o"),
        row(
            "a deployment that is escaped", .azure, "/openai/deployments/gpt%2D4o/chat/completions",
            "/openai/deployments/gpt-4o/chat/completions", "gpt-4o"),
        row("Responses", .azure, "/openai/responses?api-version=2025-04-01-preview", "/openai/responses"),
        row("Responses of version 1", .azure, "/openai/v1/responses?api-version=preview", "/openai/v1/responses"),
        row("Chat Completions of version 1", .azure, "/openai/v1/chat/completions", "/openai/v1/chat/completions"),
        row("models", .azure, "/openai/models?api-version=2024-10-21", "/openai/models", method: "GET"),
        row("one model", .azure, "/openai/v1/models/gpt-4o", "/openai/v1/models/gpt-4o", method: "GET"),
        row("another method", .azure, "/openai/v1/models", nil),
        row("GET of an answer", .azure, "/openai/v1/responses", nil, method: "GET"),
        row("a deployment that is two parts", .azure, "/openai/deployments/a%2fb/chat/completions", nil),
        row("dots", .azure, "/openai/deployments/../chat/completions", nil),
        row("escaped dots", .azure, "/openai/deployments/%2e%2e/chat/completions", nil),
        row("an escape in an escape", .azure, "/openai/deployments/%2567pt/chat/completions", nil),
        row("half an escape", .azure, "/openai/deployments/gpt%2/chat/completions", nil),
        row("an escaped null", .azure, "/openai/deployments/gpt%00/chat/completions", nil),
        row("an escaped query", .azure, "/openai/deployments/gpt%3fx/chat/completions", nil),
        row("images of a deployment", .azure, "/openai/deployments/gpt-4o/images/generations", nil),
        row("managing deployments", .azure, "/openai/deployments?api-version=2022-12-01", nil),
        row("uploading", .azure, "/openai/files?api-version=2024-10-21", nil),
        row("the API's own paths", .azure, "/v1/chat/completions", nil),
        row("nothing", .azure, "/openai", nil), row("a key in the query", .azure, "/openai/responses?api-key=x", nil),
        row("an escaped letter of the path", .azure, "/open%61i/responses", nil),
    ]

    static let bedrock: [Row] = [
        row(
            "a model", .bedrock, "/model/anthropic.claude-v2:1/invoke", "/model/anthropic.claude-v2%3A1/invoke",
            "anthropic.claude-v2:1"),
        row(
            "as boto3 escapes it", .bedrock, "/model/anthropic.claude-v2%3A1/invoke-with-response-stream",
            "/model/anthropic.claude-v2%3A1/invoke-with-response-stream", "anthropic.claude-v2:1", true),
        row("Converse", .bedrock, "/model/a/converse", "/model/a/converse", "a"),
        row("Converse as a stream", .bedrock, "/model/a/converse-stream", "/model/a/converse-stream", "a", true),
        row("counting", .bedrock, "/model/a/count-tokens", "/model/a/count-tokens", "a"),
        row(
            "an ARN", .bedrock, "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Fx/invoke",
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Fx/invoke",
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/x"),
        row("a slash in what is no ARN", .bedrock, "/model/a%2Fb/invoke", nil),
        row("dots in an ARN", .bedrock, "/model/arn%3Aaws%2F..%2F..%2Fguardrail/invoke", nil),
        row("a slash that is not escaped", .bedrock, "/model/arn:aws/x/invoke", nil),
        row("what stands behind a semicolon", .bedrock, "/model/a;b/invoke", nil),
        row("the same, escaped", .bedrock, "/model/a%3Bb/invoke", nil),
        row("a query that the APIs know", .bedrock, "/model/a/invoke?limit=1", nil),
        row("an empty query", .bedrock, "/model/a/invoke?", nil),
        row("a signature in the query", .bedrock, "/model/a/invoke?X-Amz-Signature=x", nil),
        row("an invocation that is kept", .bedrock, "/async-invoke", nil),
        row("a guardrail", .bedrock, "/guardrail/x/version/1/apply", nil),
        row("another method", .bedrock, "/model/a/invoke", nil, method: "GET"),
        row("two slashes", .bedrock, "/model//invoke", nil),
    ]

    static let vertex: [Row] = [
        row(
            "a model", .vertex, claude + "claude-sonnet-4@20250514:rawPredict",
            "/publishers/anthropic/models/claude-sonnet-4@20250514:rawPredict", "claude-sonnet-4@20250514"),
        row(
            "an escaped model, as a stream", .vertex, claude + "claude%2D4%4020250514:streamRawPredict",
            "/publishers/anthropic/models/claude-4@20250514:streamRawPredict", "claude-4@20250514", true),
        row(
            "counting, which names its model in the body", .vertex, claude + "count-tokens:rawPredict",
            "/publishers/anthropic/models/count-tokens:rawPredict"),
        row(
            "Chat Completions", .vertex, project + "/endpoints/openapi/chat/completions",
            "/endpoints/openapi/chat/completions"),
        row("another version", .vertex, "/v1beta1" + claude.dropFirst(3) + "claude-4:rawPredict", nil),
        row("another publisher", .vertex, project + "/publishers/google/models/gemini:rawPredict", nil),
        row("another verb", .vertex, claude + "claude-4:predict", nil),
        row("counting as a stream", .vertex, claude + "count-tokens:streamRawPredict", nil),
        row("an endpoint of one's own", .vertex, project + "/endpoints/123:rawPredict", nil),
        row("data", .vertex, project + "/datasets", nil),
        row("dots that lead to another project", .vertex, project + "/../../x/locations/y/endpoints/openapi", nil),
        row(
            "an escaped slash in the project", .vertex,
            "/v1/projects/acme%2Fx/locations/us-east5/endpoints/openapi/chat/completions", nil),
        row("no verb", .vertex, claude + "claude-4", nil), row("no model", .vertex, claude + ":rawPredict", nil),
    ]

    @Test("by method and path, and what goes on is written anew", arguments: azure + bedrock + vertex)
    func table(_ row: Row) throws {
        let decided = LLMRoute.decide(
            method: row.method, target: Array(row.target.utf8), row.style, permitsUploads: false)
        switch decided {
        case .success(let route):
            #expect(String(route.sent) == row.sent)
            #expect(route.model == row.model && route.isStream == row.isStream)
        case .failure(let refusal):
            #expect(row.sent == nil, "\(refusal.reason)")
            #expect(["llm.path", "llm.method"].contains(refusal.rule))
        }
    }

    @Test(
        "whatever the path is, what goes on has no escape that could be read as a part of a path",
        arguments: LLMStyle.allCases)
    func random(_ style: LLMStyle) {
        let pieces = [
            "/", "..", "%2e", "%2F", "%25", "a", "model", "openai", "deployments", "v1", "projects", ";", "?", ":", "@",
            "invoke", "chat", "completions", "publishers", "anthropic", "models", "locations", ":rawPredict", "\\",
            "%5c",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let starts = ["/model/", "/openai/deployments/", Self.claude, "/"]
            var text = starts.randomElement(using: &random) ?? "/"
            for _ in 0..<Int.random(in: 1...6, using: &random) { text += pieces.randomElement(using: &random) ?? "" }
            let ends = ["/invoke", "/chat/completions", ":rawPredict", ""]
            text += ends.randomElement(using: &random) ?? ""
            let decided = LLMRoute.decide(method: "POST", target: Array(text.utf8), style, permitsUploads: true)
            guard case .success(let route) = decided else { continue }
            let path = route.path.lowercased()
            let parts = path.replacing("%2f", with: "/").split(separator: "/", omittingEmptySubsequences: false)
            #expect(!parts.dropFirst().contains { ["", ".", ".."].contains($0) } && !path.contains("%25"), "\(text)")
            #expect(!path.contains("%2f") || route.model?.hasPrefix("arn:") == true, "\(text)")
        }
    }

    @Test("an ARN needs a pattern that is one: a list of names lends nobody another account's models")
    func arn() {
        let arn = "arn:aws:bedrock:eu-west-1:999:inference-profile/eu.anthropic.claude"
        #expect(!ModelList(["*", "*claude*"]).allows(arn, isNamed: true))
        #expect(ModelList(["arn:aws:bedrock:eu-west-1:999:*"]).allows(arn, isNamed: true))
        #expect(!ModelList(["arn:aws:bedrock:eu-west-1:123:*"]).allows(arn, isNamed: true))
    }

    @Test("a server's name tells its region")
    func region() {
        #expect(LLMStyle.region("bedrock-runtime.eu-west-1.amazonaws.com") == "eu-west-1")
        #expect(LLMStyle.region("bedrock-runtime-fips.us-gov-west-1.amazonaws.com") == "us-gov-west-1")
        #expect(LLMStyle.region("vpce-1-2.bedrock-runtime.us-east-1.vpce.amazonaws.com") == "us-east-1")
        #expect(LLMStyle.region("llm.example.org") == nil)
    }
}
