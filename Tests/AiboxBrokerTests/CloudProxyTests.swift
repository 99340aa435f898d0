import AiboxAudit
import AiboxCrypto
import AiboxWire
import Testing

@testable import AiboxBroker

@Suite("Asking through clouds")
struct CloudProxyTests {
    private static let pinned = "/v1/projects/acme/locations/us-east5"

    /// A proxy whose keys lead to one server of that style.
    private static func proxy(
        _ style: LLMStyle, _ upstream: ScriptedUpstream, models: [String] = ["claude-*", "gpt-*"],
        more: [String] = [], limits: BrokerPlan.Limits = .init()
    ) throws -> LiveProxy {
        let url = "http://127.0.0.1:\(upstream.port)"
        let paths = style == .vertex ? [pinned] + more : [""]
        return try LiveProxy(
            upstream, models: models, limits: limits,
            edit: { plan in
                plan.grants = plan.grants.filter { $0.api == style.api }
                plan.grants[0].base = paths.map { "\(style.rawValue)+\(url)\($0)" }.joined(separator: ", ")
                plan.grants[0].header = "Authorization"
            })
    }

    private static func bearer(_ style: LLMStyle) -> String {
        "Authorization: Bearer \(style == .azure ? LiveProxy.openai : LiveProxy.anthropic)"
    }

    struct Call: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var style: LLMStyle
        var path: String
        var sent: String
        var body: String
        var answer: String
        /// What goes in and what comes out.
        var tokens: [Int64]
    }

    static let calls: [Call] = [
        Call(
            testDescription: "a deployment of Azure's", style: .azure,
            path: "/openai/deployments/gpt%2D4o/chat/completions?api-version=2024-10-21",
            sent: "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
            body: #"{"model":"gpt-4o","messages":[]}"#,
            answer: #"{"usage":{"prompt_tokens":11,"completion_tokens":6}}"#, tokens: [11, 6]),
        Call(
            testDescription: "a model of Vertex AI's", style: .vertex,
            path: pinned + "/publishers/anthropic/models/claude-4%4020250514:rawPredict",
            sent: pinned + "/publishers/anthropic/models/claude-4@20250514:rawPredict",
            body: #"{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[]}"#,
            answer: #"{"usage":{"input_tokens":12,"output_tokens":7}}"#, tokens: [12, 7]),
        Call(
            testDescription: "Chat Completions of Vertex AI's", style: .vertex,
            path: pinned + "/endpoints/openapi/chat/completions", sent: pinned + "/endpoints/openapi/chat/completions",
            body: #"{"model":"gpt-google","messages":[]}"#,
            answer: #"{"usage":{"prompt_tokens":13,"completion_tokens":8}}"#, tokens: [13, 8]),
        Call(
            testDescription: "a model of Bedrock's", style: .bedrock, path: "/model/claude-v2:1/invoke",
            sent: "/model/claude-v2%3A1/invoke",
            body: #"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[]}"#,
            answer: #"{"usage":{"input_tokens":14,"output_tokens":9}}"#, tokens: [14, 9]),
        Call(
            testDescription: "Converse of Bedrock's", style: .bedrock, path: "/model/claude-v2%3A1/converse",
            sent: "/model/claude-v2%3A1/converse", body: #"{"inferenceConfig":{"maxTokens":9},"messages":[]}"#,
            answer: #"{"usage":{"inputTokens":15,"outputTokens":10,"totalTokens":25}}"#, tokens: [15, 10]),
    ]

    @Test("the model of the path is decided on, the key is added in its place, the cost is counted", arguments: calls)
    func asked(_ call: Call) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(call.answer) }
        let proxy = try Self.proxy(call.style, upstream)
        let answer = try proxy.ask(
            call.path, key: Self.bearer(call.style),
            fields: "X-Amz-Date: 20260101T000000Z\r\nX-Amz-Content-Sha256: x\r\nX-Forwarded-For: 1.2.3.4\r\n",
            body: call.body)
        #expect(answer.status == 200 && answer.text == call.answer)
        let head = try #require(upstream.requests.first)
        #expect(head.hasPrefix("POST \(call.sent) HTTP/1.1"), "\(head)")
        #expect(head.contains("Authorization: Bearer \(LiveProxy.secret)"))
        #expect(!head.contains("surrogate") && !head.lowercased().contains("x-amz") && !head.contains("1.2.3.4"))
        #expect(upstream.contents.first == Array(call.body.utf8))
        #expect(eventually { !proxy.audit.of(.llmResponse).isEmpty })
        let event = try #require(proxy.audit.of(.llmResponse).first)
        #expect([event.details["input_tokens"], event.details["output_tokens"]] == call.tokens.map { .integer($0) })
        #expect(proxy.audit.of(.llmRequest).first?.subject.isEmpty == false)
    }

    @Test("Azure's key goes into the header that it was given for")
    func header() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(
            upstream,
            edit: { plan in
                plan.grants.removeFirst()
                plan.grants[0].base = "azure+http://127.0.0.1:\(upstream.port)"
                plan.grants[0].header = "api-key"
            })
        let answer = try proxy.ask(
            "/openai/v1/responses", key: "api-key: \(LiveProxy.openai)", body: #"{"model":"gpt-1","input":"a"}"#)
        #expect(answer.status == 200)
        let head = try #require(upstream.requests.first)
        #expect(head.contains("api-key: \(LiveProxy.secret)") && !head.contains("Authorization"))
    }

    struct Refused: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var style: LLMStyle
        var path: String
        var rule: String
        var key: String?
        var body = #"{"max_tokens":9,"messages":[]}"#
    }

    private static func refused(
        _ words: String, _ style: LLMStyle, _ path: String, _ rule: String, key: String? = nil,
        body: String = #"{"max_tokens":9,"messages":[]}"#
    ) -> Refused {
        Refused(testDescription: words, style: style, path: path, rule: rule, key: key, body: body)
    }

    static let refusals: [Refused] = [
        refused(
            "another project", .vertex,
            "/v1/projects/thief/locations/us-east5/publishers/anthropic/models/claude-4:rawPredict", "llm.tenant"),
        refused(
            "another location", .vertex,
            "/v1/projects/acme/locations/eu/publishers/anthropic/models/claude-4:rawPredict", "llm.tenant"),
        refused(
            "a project whose name ends in the pinned one's", .vertex,
            "/v1/projects/xacme/locations/us-east5/endpoints/openapi/chat/completions", "llm.tenant",
            body: #"{"model":"gpt-1"}"#),
        refused("another deployment", .azure, "/openai/deployments/other/chat/completions", "llm.models"),
        refused("another model", .bedrock, "/model/meta.llama/invoke", "llm.models"),
        refused("another account's model", .bedrock, "/model/arn:aws:bedrock:eu:999:claude-x/invoke", "llm.models"),
        refused(
            "a body that names another model than the path", .azure, "/openai/deployments/gpt-4o/chat/completions",
            "llm.request", body: #"{"model":"gpt-5"}"#),
        refused(
            "a model in two spellings", .bedrock, "/model/claude-1/invoke", "llm.request",
            body: #"{"Model":"other"}"#),
        refused(
            "a signature of the caller's own", .bedrock, "/model/claude-1/invoke", "llm.credential",
            key: "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request"),
        refused(
            "a session of the caller's own", .bedrock, "/model/claude-1/invoke", "llm.credential",
            key: "Authorization: Bearer \(LiveProxy.anthropic)\r\nX-Amz-Security-Token: x"),
        refused(
            "a key of Google's", .vertex, pinned + "/publishers/anthropic/models/claude-4:rawPredict",
            "llm.credential", key: "Authorization: Bearer \(LiveProxy.anthropic)\r\nx-goog-api-key: AIzaX"),
        refused(
            "somebody else who pays", .vertex, pinned + "/publishers/anthropic/models/claude-4:rawPredict",
            "llm.tenant", key: "Authorization: Bearer \(LiveProxy.anthropic)\r\nx-goog-user-project: thief"),
        refused("uploading", .azure, "/openai/files?api-version=2024-10-21", "llm.path"),
    ]

    @Test("what is not the organisation's is refused in the words of the cloud, and written down", arguments: refusals)
    func tenant(_ row: Refused) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try Self.proxy(row.style, upstream, models: ["claude-*", "gpt-*", "*claude-x*"])
        let answer = try proxy.ask(row.path, key: row.key ?? Self.bearer(row.style), body: row.body)
        #expect(answer.status >= 400)
        #expect(answer.json?["aibox"]?["rule"]?.stringValue == row.rule, "\(answer.text)")
        #expect(upstream.requests.isEmpty)
        #expect(proxy.audit.of(.llmRequest).contains { $0.outcome != .allowed })
        switch row.style {
        case .azure: #expect(answer.json?["error"]?["code"]?.stringValue != nil)
        case .bedrock:
            #expect(answer.json?["message"]?.stringValue?.hasPrefix("aibox: ") == true)
            #expect(answer.head.contains("X-Amzn-ErrorType: "))
        case .vertex: #expect(answer.json?["error"]?["status"]?.stringValue != nil)
        }
    }

    @Test("of several projects the one that the path names is asked, and no other")
    func projects() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let second = "/v1/projects/acme/locations/europe-west1"
        let proxy = try Self.proxy(.vertex, upstream, more: [second])
        let path = second + "/publishers/anthropic/models/claude-4:rawPredict"
        #expect(try proxy.ask(path, key: Self.bearer(.vertex), body: "{}").status == 200)
        #expect(upstream.requests.map { $0.hasPrefix("POST \(path) ") } == [true])
    }

    @Test("an event stream of Bedrock's passes byte for byte, each message as it comes, and its cost is counted")
    func streamed() throws {
        let first = EventFramesTests.chunk(#"{"type":"message_start","message":{"usage":{"input_tokens":10}}}"#)
        let second = EventFramesTests.chunk(#"{"type":"message_delta","usage":{"output_tokens":5}}"#)
        let gate = Gate()
        let upstream = try ScriptedUpstream { connection in
            while connection.request() != nil {
                connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                for message in [first, second] {
                    connection.send(
                        Array("\(String(message.count, radix: 16))\r\n".utf8) + message + Array("\r\n".utf8))
                    gate.wait()
                }
                connection.send("0\r\n\r\n")
            }
        }
        let proxy = try Self.proxy(.bedrock, upstream)
        let client = try proxy.client()
        client.ask(
            "/model/claude-v2%3A1/invoke-with-response-stream", key: Self.bearer(.bedrock),
            body: #"{"max_tokens":9,"messages":[]}"#)
        // All of the first message is there before the second one is sent.
        let end = Array(first.suffix(4))
        while client.leftover.firstRange(of: end) == nil, client.more() {}
        #expect(client.leftover.firstRange(of: end) != nil)
        gate.open()
        gate.open()
        let answer = try #require(client.answer())
        #expect(answer.isComplete && answer.body == first + second)
        #expect(eventually { !proxy.audit.of(.llmResponse).isEmpty })
        let event = try #require(proxy.audit.of(.llmResponse).first)
        #expect(event.details["input_tokens"] == .integer(10) && event.details["output_tokens"] == .integer(5))
    }

    @Test("a key in an event of a stream is masked: as it is, and in the Base64 of Bedrock's events")
    func masked() throws {
        let event = EventFramesTests.chunk(#"{"text":"\#(LiveProxy.secret)"}"#)
        let plain = EventFramesTests.message(#"{"text":"\#(LiveProxy.secret)"}"#)
        let upstream = try ScriptedUpstream { connection in
            while connection.request() != nil {
                let all = event + plain
                connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nContent-Length: \(all.count)\r\n\r\n"
                )
                connection.send(all)
            }
        }
        let proxy = try Self.proxy(.bedrock, upstream)
        let answer = try proxy.ask("/model/claude-1/converse-stream", key: Self.bearer(.bedrock), body: "{}")
        #expect(answer.body.count == event.count + plain.count)
        for form in SecretForms.forms(of: Array(LiveProxy.secret.utf8)) where form.count > 12 {
            #expect(answer.body.firstRange(of: form) == nil)
        }
    }

    @Test("a budget holds for what a model of Bedrock's says in its head alone")
    func budget() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in
            ScriptedUpstream.json(
                #"{"generation":"x"}"#,
                fields: "X-Amzn-Bedrock-Input-Token-Count: 60\r\nX-Amzn-Bedrock-Output-Token-Count: 50\r\n")
        }
        let proxy = try Self.proxy(.bedrock, upstream, limits: .init(tokens: 120))
        let body = #"{"inferenceConfig":{"maxTokens":20}}"#
        let path = "/model/claude-1/converse"
        #expect(try proxy.ask(path, key: Self.bearer(.bedrock), body: body).status == 200)
        #expect(eventually { !proxy.audit.of(.llmResponse).isEmpty })
        let second = try proxy.ask(path, key: Self.bearer(.bedrock), body: body)
        #expect(second.status == 429 && second.head.contains("ThrottlingException"))
        #expect(second.json?["aibox"]?["rule"] == "llm.budget")
    }

    @Test(
        "what no server of that style could be is no plan",
        arguments: ["vertex+http://127.0.0.1:1", "azure+http://127.0.0.1:1/openai", "gcp+http://127.0.0.1:1"])
    func noBase(_ base: String) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in "" }
        #expect(throws: (any Error).self) {
            _ = try LiveProxy(
                upstream,
                edit: { plan in
                    plan.grants.removeLast()
                    plan.grants[0].base = base
                })
        }
    }

    @Test("servers that speak OpenAI's language under a path of their own (Ollama, vLLM) need no style")
    func ownPath() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in
            ScriptedUpstream.json(#"{"usage":{"prompt_tokens":3,"completion_tokens":2}}"#)
        }
        for (base, sent) in [("", "/v1"), ("/v1", "/v1"), ("/serving/qwen/v1/", "/serving/qwen/v1")] {
            let proxy = try LiveProxy(
                upstream,
                edit: { plan in
                    for index in plan.grants.indices {
                        plan.grants[index].base = "http://127.0.0.1:\(upstream.port)\(base)"
                        plan.grants[index].header = "Authorization"
                    }
                })
            let answer = try proxy.ask(
                "/v1/chat/completions", key: Self.bearer(.azure), body: #"{"model":"gpt-oss:20b","messages":[]}"#)
            #expect(answer.status == 200)
            #expect(upstream.requests.last?.hasPrefix("POST \(sent)/chat/completions ") == true)
            #expect(upstream.requests.last?.contains("Authorization: Bearer \(LiveProxy.secret)") == true)
            #expect(try proxy.ask("/v1/models", method: "GET", key: Self.bearer(.azure)).status == 200)
        }
    }
}
