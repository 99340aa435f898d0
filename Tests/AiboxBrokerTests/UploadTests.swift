import AiboxAudit
import AiboxWire
import Testing

@testable import AiboxBroker

@Suite("Files at a provider")
struct UploadTests {
    private static let form =
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x--\r\n"
    private static let anthropic = "x-api-key: \(LiveProxy.anthropic)"
    private static let openai = "Authorization: Bearer \(LiveProxy.openai)"

    private func proxy(
        _ upstream: ScriptedUpstream, edit: @escaping (inout BrokerPlan) -> Void = { _ in }
    ) throws -> LiveProxy {
        try LiveProxy(
            upstream, bounds: { $0.body = 4096 },
            edit: { plan in
                plan.permitsUploads = true
                edit(&plan)
            })
    }

    private func echo() throws -> ScriptedUpstream {
        try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(#"{"id":"file_1"}"#) }
    }

    static let calls: [(String, String, String)] = [
        ("POST", "/v1/files", anthropic), ("POST", "/v1/files", openai), ("GET", "/v1/files?limit=2", anthropic),
        ("GET", "/v1/files/file_1", openai), ("GET", "/v1/files/file_1/content", anthropic),
        ("DELETE", "/v1/files/file_1", anthropic), ("POST", "/v1/uploads", openai),
        ("POST", "/v1/uploads/u_1/parts", openai), ("POST", "/v1/uploads/u_1/complete", openai),
        ("POST", "/v1/uploads/u_1/cancel", openai),
    ]

    @Test("pass where the organisation permits them, with the key in its place, and are written down")
    func permitted() throws {
        let upstream = try echo()
        let proxy = try proxy(upstream) { $0.digests = true }
        for (index, (method, path, key)) in Self.calls.enumerated() {
            let answer = try proxy.ask(path, method: method, key: key, body: Self.form)
            #expect(answer.status == 200, "\(method) \(path): \(answer.text)")
            let head = try #require(upstream.requests.last)
            #expect(head.hasPrefix("\(method) \(path) ") && head.contains(LiveProxy.secret), "\(head)")
            #expect(upstream.contents.last == (method == "POST" ? Array(Self.form.utf8) : []))
            let events = proxy.audit.of(.llmRequest)
            #expect(events.count == index + 1 && events.last?.outcome == .allowed)
            #expect((events.last?.details["digest"] != nil) == (method == "POST"))
        }
    }

    @Test("are refused where nobody permits them: a plan says nothing of itself")
    func forbidden() throws {
        let upstream = try echo()
        let proxy = try LiveProxy(upstream)
        for (method, path, key) in Self.calls {
            let answer = try proxy.ask(path, method: method, key: key, body: Self.form)
            #expect(answer.status == 403 && answer.json?["aibox"]?["rule"] == "llm.path", "\(method) \(path)")
        }
        #expect(upstream.requests.isEmpty)
    }

    @Test("nothing else that keeps data passes with them, nor what is too large, or has no key, or another API's")
    func bounded() throws {
        let upstream = try echo()
        let proxy = try proxy(upstream)
        let paths = [
            "/v1/files/../batches", "/v1/files/a/b/c", "/v1/files/%2e%2e", "/v1/files/", "/v1/batches",
            "/v1/vector_stores", "/v1/skills", "/v1/files/a/content/x", "/v1/uploads/u_1",
        ]
        for path in paths {
            let answer = try proxy.ask(path, key: Self.openai, body: Self.form)
            #expect(answer.status == 403 && answer.json?["aibox"]?["rule"] == "llm.path", "\(path): \(answer.text)")
        }
        #expect(try proxy.ask("/v1/files", method: "PUT", key: Self.openai).status == 405)
        #expect(try proxy.ask("/v1/uploads", key: Self.anthropic, body: "{}").status == 403)
        #expect(try proxy.ask("/v1/files", key: nil, body: "{}").status == 401)
        #expect(try proxy.ask("/v1/files", key: "x-api-key: sk-ant-other", body: "{}").status == 403)
        let large = String(repeating: "x", count: 5000)
        #expect(try proxy.ask("/v1/files", key: Self.openai, body: large).status == 413)
        #expect(upstream.requests.isEmpty)
    }

    @Test("what must not leave does not leave in a file")
    func leaks() throws {
        let upstream = try echo()
        let proxy = try proxy(upstream) {
            $0.leaks = [LeakRule(id: "roadmap", .canary("AIBOX-CANARY-4711"), blocks: true, layer: "org")]
        }
        let body = Self.form.replacing("hello", with: "see AIBOX-CANARY-4711")
        let answer = try proxy.ask("/v1/files", key: Self.openai, body: body)
        #expect(answer.status == 403 && answer.json?["aibox"]?["rule"] == "llm.dlp:roadmap", "\(answer.text)")
        #expect(try proxy.ask("/v1/files", key: Self.openai, body: Self.form).status == 200)
    }

    @Test("a call for files that is JSON is read as JSON: escapes hide nothing")
    func escaped() throws {
        let upstream = try echo()
        let proxy = try proxy(upstream) {
            $0.leaks = [LeakRule(id: "roadmap", .canary("AIBOX-CANARY-4711"), blocks: true, layer: "org")]
        }
        let name = #"\u0041IBOX-\u0043ANARY-4711"#
        for (body, status) in [
            (#"{"filename":"\#(name)","purpose":"assistants"}"#, 403),
            (#" {"a":{"b":["AIBOX-CAN","ARY-4711"]}}"#, 403), (#"{"filename":"a"}"#, 200),
            // No JSON: as it is.
            (#"{"filename":"AIBOX-CANARY-4711""#, 403),
        ] {
            #expect(try proxy.ask("/v1/uploads", key: Self.openai, body: body).status == status, "\(body)")
        }
    }

    @Test("Azure's files pass below its own paths")
    func azure() throws {
        let upstream = try echo()
        let proxy = try proxy(upstream) { plan in
            plan.grants.removeFirst()
            plan.grants[0].base = "azure+http://127.0.0.1:\(upstream.port)"
        }
        for path in ["/openai/files?api-version=2024-10-21", "/openai/v1/files"] {
            #expect(try proxy.ask(path, key: Self.openai, body: Self.form).status == 200)
            #expect(upstream.requests.last?.hasPrefix("POST \(path) ") == true)
        }
        #expect(try proxy.ask("/openai/v1/vector_stores", key: Self.openai, body: "{}").status == 403)
    }
}
