import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxBroker

@Suite("SIGHUP to the LLM proxy")
struct ReloadTests {
    @Test("the plan is asked for again and counts from then on; a stream goes on; what cannot be read changes nothing")
    func reload() throws {
        let go = Gate()
        let upstream = try ScriptedUpstream.streaming("b\n", "c\n", each: go)
        let folder = try TemporaryFolder(prefix: "aibox-reload")
        let bundle = "/etc/ssl/certs/ca-certificates.crt"
        let authority = try folder.write("ca.pem", try File.text(bundle))
        let program = try ProxyProgram(
            BrokerPlan(
                grants: [
                    .init(
                        name: "llm-api-key:anthropic", api: .anthropic, surrogate: LiveProxy.anthropic,
                        secret: LiveProxy.secret, base: "http://127.0.0.1:\(upstream.port)")
                ], models: ["claude-*"], targets: ["127.0.0.1/32"], authorities: [authority]))
        let client = try program.client()
        client.ask(
            "/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1","stream":true}"#)
        func see(_ text: String) throws {
            while !String(decoding: client.leftover, as: UTF8.self).contains(text) { try #require(client.more()) }
        }
        try see("a\n")
        #expect(try program.ask("claude-1") == 200)
        #expect(try program.ask("other") == 403)

        program.change { $0.models = ["other"] }
        program.process.send(SIGHUP)
        #expect(eventually { program.count(.serving) == 2 })
        #expect(program.count(.reload) == 1)
        #expect(try program.ask("other") == 200)
        #expect(try program.ask("claude-1") == 403)
        go.open()
        try see("b\n")

        // The same plan, and a file that it names is gone: nothing holds that was not permitted, so it goes on.
        try File.remove(authority)
        program.process.send(SIGHUP)
        #expect(eventually { program.count(.serving) == 3 })
        #expect(program.log.contains("reload failed"))
        #expect(try program.ask("other") == 200)
        go.open()
        let answer = client.answer()
        #expect(answer?.text == "a\nb\nc\n" && answer?.isComplete == true)

        // Another plan that it cannot take is not passed over: the gateway ends who does not follow.
        program.change { $0.models = [] }
        program.process.send(SIGHUP)
        #expect(eventually { program.count(.reload) == 3 })
        #expect(try program.ask("other") == 200)
        #expect(program.count(.serving) == 3)

        program.process.send(SIGTERM)
        #expect(try program.process.wait() == .exited(0))
    }
}
