import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AiboxBroker

@Suite("The policies in Rego decide requests to models")
struct RulingTests {
    private static let refused = LLMRuling(isAllowed: false, rule: "no-tools", layer: "org", reason: "not with tools")

    @Test("each kind of request is asked about once, with what it is; the answer holds until there is another plan")
    func once() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let gateway = ScriptedGateway { question in
            if case .request(let request) = question, request.hasTools { return Self.refused }
            return .allowed
        }
        var plan: BrokerPlan?
        let proxy = try LiveProxy(upstream, gateway: gateway, edit: { plan = $0 })
        for _ in 0..<3 { #expect(try proxy.ask().status == 200) }
        #expect(try proxy.ask("/v1/messages/count_tokens").status == 200)
        let answer = try proxy.ask(body: #"{"model":"claude-1","stream":true,"tools":[{"name":"t"}],"messages":[]}"#)
        #expect(answer.status == 403)
        for tools in [#""mcp_servers":[{"url":"x"}]"#, #""web_search_options":{"a":1}"#, #""prompt":{"id":"p"}"#] {
            #expect(try proxy.ask(body: #"{"model":"claude-1","stream":true,\#(tools),"messages":[]}"#).status == 403)
        }
        #expect(try proxy.ask(body: #"{"model":"claude-1","stream":1,"messages":[]}"#).status == 400)
        #expect(answer.json?["aibox"]?["rule"]?.stringValue == "no-tools")
        #expect(answer.json?["aibox"]?["reason"]?.stringValue == "not with tools")
        #expect(try proxy.ask("/v1/models", method: "GET").status == 200)
        func request(_ endpoint: String, _ isStream: Bool = false, _ hasTools: Bool = false) -> LLMQuestion {
            .request(
                LLMRequest(
                    model: "claude-1", provider: "127.0.0.1", endpoint: endpoint, isStream: isStream,
                    hasTools: hasTools))
        }
        let expected = [
            request("/v1/messages"), request("/v1/messages/count_tokens"), request("/v1/messages", true, true),
        ]
        func asked() -> [LLMQuestion] {
            gateway.questions.filter { if case .request = $0 { true } else { false } }
        }
        #expect(asked() == expected)
        #expect(upstream.contents.count == 5)
        try proxy.use(try #require(plan))
        #expect(try proxy.ask().status == 200)
        #expect(asked().count == 4)
        #expect(proxy.audit.of(.llmRequest).map(\.outcome).count { $0 == .denied } == 4)
    }

    @Test("a gateway that is silent lets nothing pass")
    func silent() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let silent = ScriptedGateway(patience: .milliseconds(200)) { _ in nil }
        let proxy = try LiveProxy(upstream, gateway: silent)
        for _ in 0..<2 {
            let answer = try proxy.ask()
            #expect(answer.status == 503)
            #expect(answer.json?["aibox"]?["rule"]?.stringValue == "llm.policy")
        }
        #expect(upstream.connections == 0)
    }

    @Test("no more questions are under way than the socket has room for, and a silent gateway is not asked for more")
    func bounded() throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let sent = Mutex<[Int64]>([])
        let desk = GatewayDesk(patience: .milliseconds(300)) { report in
            if case .ask(let number, _) = report { sent.withLock { $0.append(number) } }
            return true
        }
        let request = LLMRequest(model: "m", provider: "p", endpoint: "e", isStream: false, hasTools: false)
        let asked = (0..<100).map { _ in desk.ask(.request(request), on: loop) }
        #expect(sent.withLock { $0.count } == GatewayDesk.sentLimit)
        desk.answer(sent.withLock { $0[0] }, .allowed)
        // An answer that nobody asked for, and one given twice, change nothing.
        desk.answer(sent.withLock { $0[0] }, .allowed)
        desk.answer(9999, .allowed)
        #expect(sent.withLock { $0.count } == GatewayDesk.sentLimit + 1)
        #expect(try asked[0].wait() == .allowed)
        for answer in asked.dropFirst() { #expect(throws: GatewayDesk.Failure.self) { try answer.wait() } }
        #expect(throws: GatewayDesk.Failure.self) { try desk.ask(.request(request), on: loop).wait() }
        #expect(sent.withLock { $0.count } == GatewayDesk.sentLimit + 1)
        desk.end()
        #expect(throws: GatewayDesk.Failure.self) { try desk.ask(.request(request), on: loop).wait() }
    }

    @Test("what the gateway refuses was not counted against a limit") func uncounted() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let refusing = ScriptedGateway { _ in Self.refused }
        let proxy = try LiveProxy(upstream, limits: .init(requestsPerMinute: 1, tokens: 100), gateway: refusing)
        for _ in 0..<3 { #expect(try proxy.ask().status == 403) }
        #expect(proxy.audit.of(.llmRequest).allSatisfy { $0.details["estimated_tokens"] == nil })
    }
}
