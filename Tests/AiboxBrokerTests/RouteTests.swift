import AiboxNetwork
import AiboxWire
import Testing

@testable import AiboxBroker

@Suite("Which calls of the APIs pass")
struct RouteTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var method: String
        var target: String
        /// nil: refused.
        var call: LLMRoute.Call?
        var rule: String?

        init(_ description: String, _ method: String, _ target: String, _ call: LLMRoute.Call?, _ rule: String? = nil) {
            testDescription = description
            self.method = method
            self.target = target
            self.call = call
            self.rule = rule
        }
    }

    static let rows: [Row] = [
        Row("Messages", "POST", "/v1/messages", .generation),
        Row("Messages as Claude Code calls it", "POST", "/v1/messages?beta=true", .generation),
        Row("counting tokens", "POST", "/v1/messages/count_tokens", .counting),
        Row("Chat Completions", "POST", "/v1/chat/completions", .generation),
        Row("Responses", "POST", "/v1/responses", .generation),
        Row("models", "GET", "/v1/models?limit=20&after_id=x", .models),
        Row("one model", "GET", "/v1/models/claude-opus-4", .models),
        Row("another method", "DELETE", "/v1/messages", nil, "llm.method"),
        Row("GET where POST belongs", "GET", "/v1/messages", nil, "llm.method"),
        Row("uploading a file", "POST", "/v1/files", nil, "llm.path"),
        Row("a stored answer", "GET", "/v1/responses/resp_1", nil, "llm.path"),
        Row("a batch", "POST", "/v1/messages/batches", nil, "llm.path"),
        Row("the organisation's keys", "GET", "/v1/organizations/api_keys", nil, "llm.path"),
        Row("dots", "POST", "/v1/messages/../files", nil, "llm.path"),
        Row("encoded dots", "POST", "/v1/messages/%2e%2e/files", nil, "llm.path"),
        Row("an encoded letter", "POST", "/v1/m%65ssages", nil, "llm.path"),
        Row("a doubled slash", "POST", "//v1/messages", nil, "llm.path"),
        Row("a backslash", "POST", "/v1\\messages", nil, "llm.path"),
        Row("a semicolon", "POST", "/v1/messages;x", nil, "llm.path"),
        Row("another case", "POST", "/V1/Messages", nil, "llm.path"),
        Row("a slash at the end", "POST", "/v1/messages/", nil, "llm.path"),
        Row("an unknown parameter", "POST", "/v1/messages?key=x", nil, "llm.path"),
        Row("an encoded parameter", "POST", "/v1/messages?beta=%74rue", nil, "llm.path"),
        Row("nothing", "GET", "/v1", nil, "llm.path"),
    ]

    @Test("by method and path", arguments: rows) func table(_ row: Row) throws {
        switch LLMRoute.decide(method: row.method, target: Array(row.target.utf8)) {
        case .success(let route): #expect(route.call == row.call)
        case .failure(let refusal):
            #expect(row.call == nil, "\(refusal.reason)")
            #expect(refusal.rule == row.rule)
        }
    }

    @Test(
        "a model is permitted if a pattern matches all of it",
        arguments: [
            ("claude-opus-4", ["claude-*"], true), ("gpt-5", ["claude-*"], false), ("claude-", ["claude-*"], true),
            ("xclaude-1", ["claude-*"], false), ("a-b-c", ["a*c"], true), ("a-b-cd", ["a*c"], false),
            ("any", ["*"], true),
            ("any", [], false), ("gpt-5-mini", ["gpt-5"], false), ("gpt-5", ["gpt-5", "x"], true),
            ("aXbXc", ["a*b*c"], true),
            ("GPT-5", ["gpt-5"], false),
        ])
    func models(_ model: String, _ patterns: [String], _ isAllowed: Bool) {
        #expect(ModelList(patterns).allows(model) == isAllowed)
    }

    @Test(
        "a base is a server, and its version is not said twice",
        arguments: [
            ("https://api.anthropic.com", "api.anthropic.com", ""), ("https://x.example/v1", "x.example", ""),
            ("https://x.example/openai/v1/", "x.example", "/openai"),
            ("http://x.example:8000/a/b", "x.example:8000", "/a/b"),
            ("https://X.Example:443", "x.example", ""), ("http://127.0.0.1:1", "127.0.0.1:1", ""),
        ])
    func bases(_ text: String, _ authority: String, _ prefix: String) throws {
        let base = try #require(UpstreamBase(text))
        #expect(base.authority == authority)
        #expect(base.prefix == prefix)
    }

    @Test(
        "what is no server is no base",
        arguments: [
            "ftp://x.example", "https://user@x.example", "https://", "https://x.example?q", "https://x.example/../y",
            "https://x.example/a%2fb", "x.example", "https://x_y.example", "https://x.example#f",
        ])
    func noBases(_ text: String) { #expect(UpstreamBase(text) == nil) }
}

@Suite("What a request's body says")
struct BodyTests {
    private func read(_ text: String) -> Result<LLMBody, BrokerRefusal> {
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(BrokerRefusal) { return .success(try LLMBody.read(bytes)) } catch { return .failure(error) }
        }
    }

    @Test("model, stream and the most that it may cost") func plain() throws {
        let text = #"{"model":"claude-1","max_tokens":100,"stream":true,"messages":[{"content":"{\"model\":\"x\"}"}]}"#
        let body = try read(text).get()
        #expect(body.model == "claude-1")
        #expect(body.isStream)
        #expect(body.input == (text.utf8.count + 3) / 4)
        #expect(body.reserve == body.input + 100)
    }

    @Test(
        "the most that may come out, wherever the API or the model's maker has it",
        arguments: [
            (#""max_tokens_to_sample":9000"#, 9000), (#""maxTokens":9000"#, 9000),
            (#""inferenceConfig":{"maxTokens":9000}"#, 9000), (#""inferenceConfig":{"max_new_tokens":9000}"#, 9000),
            (#""textGenerationConfig":{"maxTokenCount":9000}"#, 9000),
            (#""additionalModelRequestFields":{"max_tokens":9000},"inferenceConfig":{"maxTokens":5}"#, 9000),
            (#""additionalModelRequestFields":{"inferenceConfig":{"max_new_tokens":9000}}"#, 9000),
            (#""inferenceConfig":{"x":"\#(String(repeating: "y", count: 5000))","maxTokens":9000}"#, 9000),
            (#""max_tokens":null,"n":null"#, 4096), (#""max_tokens":-1"#, 4096), (#""inferenceConfig":null"#, 4096),
        ])
    func limits(_ members: String, _ most: Int) throws {
        #expect(try read(#"{"model":"m",\#(members)}"#).get().output == most)
    }

    @Test(
        "a limit that cannot be read is refused, not overlooked",
        arguments: [
            #""max_tokens":1e6"#, #""max_tokens":"9000""#, #""max_tokens":9000.5"#, #""max_tokens":[9000]"#,
            #""max_tokens":99999999999999999999"#, #""inferenceConfig":{"maxTokens":1e6}"#, #""n":1e2"#,
            #""max_tokens":0.\#(String(repeating: "0", count: 5000))1"#,
            #""inferenceConfig":{"maxTokens":1,"maxTokens":9000}"#,
        ])
    func unread(_ members: String) {
        guard case .failure(let refusal) = read(#"{"model":"m",\#(members)}"#) else {
            Issue.record("it was taken")
            return
        }
        #expect(refusal.status == 400)
    }

    @Test(
        "tools are seen wherever they are given",
        arguments: [
            (#""tools":[{"name":"a"}]"#, true), (#""additionalModelRequestFields":{"tools":[{"type":"a"}]}"#, true),
            (#""data_sources":[{"type":"azure_search"}]"#, true), (#""toolConfig":{"tools":[1]}"#, true),
            (#""additionalModelRequestFields":{"top_k":5}"#, false), (#""tools":[]"#, false),
            (#""messages":[{"tools":[1]}]"#, false),
        ])
    func tools(_ members: String, _ hasTools: Bool) throws {
        #expect(try read(#"{"model":"m",\#(members)}"#).get().hasTools == hasTools)
    }

    @Test("answers that are wished for several times cost several times") func several() throws {
        let text = #"{"model":"m","n":3,"max_completion_tokens":10}"#
        #expect(try read(text).get().reserve == (text.utf8.count + 3) / 4 + 30)
    }

    @Test(
        "what two servers could read in two ways is refused",
        arguments: [
            #"{"model":"a","model":"b"}"#, #"{"model":"a","mod\u0065l":"b"}"#, #"{"model":"a","Model":"b"}"#,
            #"{"model":"a"} {"model":"b"}"#, #"{"model":"a",}"#, #"{'model':'a'}"#, #"[{"model":"a"}]"#,
            #"{"model":["a"]}"#,
            #"{"model":""}"#, #"{"messages":[]}"#, "", "{", #"{"model":"a","x":"\#u{0}"}"#, #"{"model":"a","x":01}"#,
            #"{"model":"a b"}"#, "\u{feff}" + #"{"model":"a"}"#, #"{"model":"a"}//"#, #"{"model":"a","x":NaN}"#,
            #"{"model":"a","x":"\x"}"#,
        ])
    func ambiguous(_ text: String) {
        guard case .failure(let refusal) = read(text) else {
            Issue.record("it was taken")
            return
        }
        #expect(refusal.status == 400)
    }

    @Test("nesting costs no stack") func deep() {
        let text = #"{"model":"a","x":"# + String(repeating: "[", count: 1_000_000)
        #expect(throws: BrokerRefusal.self) { try read(text).get() }
        let fine = #"{"model":"a","x":"# + String(repeating: "[", count: 500) + String(repeating: "]", count: 500) + "}"
        #expect(throws: Never.self) { try read(fine).get() }
    }

    @Test("for every cut and every changed byte there is an answer, never a crash") func cuts() {
        let text = Array(#"{"model":"claude-1","a":[1,2.5e3,{"b":null}],"c":"\u00e9\n","d":true,"max_tokens":7}"#.utf8)
        var generator = SystemRandomNumberGenerator()
        for end in text.indices {
            #expect(throws: BrokerRefusal.self) { try read(String(decoding: text[..<end], as: UTF8.self)).get() }
        }
        for _ in 0..<5000 {
            var changed = text
            changed[Int.random(in: changed.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            changed.withUnsafeBytes { bytes in _ = try? LLMBody.read(bytes) }
        }
    }
}

@Suite("Whose key a request shows")
struct CallerFieldsTests {
    static let grants = [
        BrokerPlan.Grant(name: "a", api: .anthropic, surrogate: LiveProxy.anthropic, secret: "real-anthropic"),
        BrokerPlan.Grant(name: "o", api: .openai, surrogate: LiveProxy.openai, secret: "real-openai"),
    ]

    private func fields(_ lines: [String]) -> [HTTPRequestHead.Field] {
        lines.map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return HTTPRequestHead.Field(name: String(parts[0]), value: Array(parts[1].drop { $0 == " " }.utf8))
        }
    }

    static let right: [(String, [String], BrokerPlan.API?)] = [
        ("x-api-key", ["x-api-key: \(LiveProxy.anthropic)"], .anthropic),
        ("bearer", ["authorization: Bearer \(LiveProxy.openai)"], .openai),
        (
            "both places", ["Authorization: bearer \(LiveProxy.anthropic)", "X-API-Key: \(LiveProxy.anthropic)"],
            .anthropic
        ),
        ("a path of both APIs", ["authorization: Bearer \(LiveProxy.openai)"], nil),
    ]

    @Test("the sandbox's own, in its place", arguments: right)
    func accepted(_ description: String, _ lines: [String], _ api: BrokerPlan.API?) throws {
        _ = try CallerFields.grant(fields(lines), among: Self.grants, for: api)
    }

    static let wrong: [(String, [String], BrokerPlan.API?)] = [
        ("none", [], .anthropic), ("a foreign key", ["x-api-key: sk-ant-foreign"], .anthropic),
        (
            "a foreign key beside the own", ["x-api-key: \(LiveProxy.anthropic)", "authorization: Bearer sk-x"],
            .anthropic
        ),
        ("the own twice, one foreign", ["x-api-key: \(LiveProxy.anthropic)", "x-api-key: sk-x"], .anthropic),
        ("the other API's", ["x-api-key: \(LiveProxy.openai)"], .anthropic),
        ("the real one", ["x-api-key: real-anthropic"], .anthropic),
        ("a beginning of it", ["x-api-key: \(LiveProxy.anthropic.dropLast())"], .anthropic),
        ("basic", ["authorization: Basic \(LiveProxy.anthropic)"], .anthropic),
        ("a cookie", ["x-api-key: \(LiveProxy.anthropic)", "cookie: session=1"], .anthropic),
        ("a proxy's", ["x-api-key: \(LiveProxy.anthropic)", "proxy-authorization: Bearer x"], .anthropic),
        ("an organisation", ["authorization: Bearer \(LiveProxy.openai)", "OpenAI-Organization: org-1"], .openai),
        ("a project", ["authorization: Bearer \(LiveProxy.openai)", "openai-project: p"], .openai),
    ]

    @Test("everything else is refused", arguments: wrong)
    func refused(_ description: String, _ lines: [String], _ api: BrokerPlan.API?) {
        #expect(throws: BrokerRefusal.self) { try CallerFields.grant(fields(lines), among: Self.grants, for: api) }
    }

    @Test("nothing that could authenticate is passed on") func stripped() {
        let forwarded = CallerFields.forwarded(
            fields([
                "x-api-key: a", "Authorization: Bearer b", "cookie: c", "anthropic-version: 2023-06-01",
                "anthropic-beta: x",
                "Content-Type: application/json", "x-forwarded-for: 1.2.3.4", "openai-api-key: d",
                "x-stainless-os: Linux",
                "anthropic-client-api-key: e", "connection: x-stainless-os", "te: trailers",
                "x-http-method-override: DELETE",
            ]))
        #expect(
            forwarded.map { "\($0.name): \($0.text)" } == [
                "anthropic-version: 2023-06-01", "anthropic-beta: x", "Content-Type: application/json",
                "x-stainless-os: Linux",
            ])
    }
}
