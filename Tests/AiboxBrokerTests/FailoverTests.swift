import AiboxAudit
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import NIOCore
import Synchronization
import Testing

@testable import AiboxBroker

@Suite("Several gateways of language models")
struct FailoverTests {
    private static let hello = #"{"ok":true,"usage":{"input_tokens":25,"output_tokens":7}}"#

    private static func healthy() throws -> ScriptedUpstream {
        try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(hello) }
    }

    /// A proxy whose grants have these upstreams, by their URLs.
    private static func proxy(
        _ urls: [String], gateway: ScriptedGateway = ScriptedGateway(), edit: (inout BrokerPlan) -> Void = { _ in }
    ) throws -> LiveProxy {
        try LiveProxy(
            try ScriptedUpstream { _ in }, gateway: gateway,
            edit: { plan in
                for index in plan.grants.indices { plan.grants[index].base = urls.joined(separator: ", ") }
                edit(&plan)
            })
    }

    private static func url(_ upstream: ScriptedUpstream) -> String { "http://127.0.0.1:\(upstream.port)" }
    /// Where nobody listens.
    private static func dead() throws -> String { "http://127.0.0.1:\(try Lab.freePort())" }

    @Test("where the first cannot be reached the next is asked, with the same key, and the log says so") func dead()
        throws
    {
        let second = try Self.healthy()
        let proxy = try Self.proxy([try Self.dead(), Self.url(second)])
        for _ in 0..<3 { #expect(try proxy.ask().text == Self.hello) }
        #expect(
            second.requests.count == 3 && second.requests.allSatisfy { $0.contains("x-api-key: \(LiveProxy.secret)") })
        // The first request met the dead one; the others passed it over.
        let asked = proxy.audit.of(.llmRequest)
        #expect(asked.count == 4 && asked.allSatisfy { $0.outcome == .allowed })
        #expect(asked[1].details["reason"]?.stringValue?.hasPrefix("cannot ask 127.0.0.1") == true)
        #expect(asked[1].details["request"] == asked[0].details["request"])
        #expect(eventually { proxy.audit.of(.llmResponse).count == 3 })
    }

    @Test("where the first has no room the next is asked, and the client sees nothing of it", arguments: [503, 529])
    func overloaded(status: Int) throws {
        let first = try ScriptedUpstream.answering { _, _ in
            ScriptedUpstream.json("{\"secret\":\"\(LiveProxy.secret)\"}", status: status)
        }
        let second = try Self.healthy()
        let proxy = try Self.proxy([Self.url(first), Self.url(second)])
        for _ in 0..<3 {
            let answer = try proxy.ask()
            #expect(answer.status == 200 && answer.text == Self.hello)
        }
        #expect(first.requests.count == 1 && second.requests.count == 3 && second.contents[0] == first.contents[0])
        #expect(eventually { proxy.audit.of(.llmResponse).count == 4 })
        let refused = proxy.audit.of(.llmResponse)[0]
        #expect(refused.outcome == .failure && refused.details["status"] == .integer(Int64(status)))
        #expect(refused.details["input_tokens"] == nil)
    }

    @Test(
        "what the first may have worked on is not asked again; the client's next request goes to the next",
        arguments: [502, 504])
    func unclear(status: Int) throws {
        let first = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}", status: status) }
        let second = try Self.healthy()
        let proxy = try Self.proxy([Self.url(first), Self.url(second)])
        #expect(try proxy.ask().status == status)
        #expect(second.requests.isEmpty)
        #expect(try proxy.ask().text == Self.hello)
        #expect(first.requests.count == 1)
    }

    @Test("a connection that is lost under a request is not asked again either", arguments: [false, true])
    func lost(hasBegun: Bool) throws {
        let first = try ScriptedUpstream { connection in
            _ = connection.request()
            if hasBegun { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") }
        }
        let second = try Self.healthy()
        let proxy = try Self.proxy([Self.url(first), Self.url(second)])
        let answer = try proxy.ask()
        #expect(answer.status == (hasBegun ? 200 : 502) && answer.isComplete == !hasBegun)
        #expect(second.requests.isEmpty)
    }

    @Test("other errors are the client's to see", arguments: [400, 401, 429, 500])
    func errors(status: Int) throws {
        let first = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}", status: status) }
        let second = try Self.healthy()
        let proxy = try Self.proxy([Self.url(first), Self.url(second)])
        for _ in 0..<2 { #expect(try proxy.ask().status == status) }
        #expect(first.requests.count == 2 && second.requests.isEmpty)
    }

    @Test("where none can be asked one refusal names them all, and nothing was spent") func allDead() throws {
        let full = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}", status: 503) }
        let (one, two) = (try Self.dead(), try Self.dead())
        let proxy = try Self.proxy(
            [
                one, Self.url(full).replacing("127.0.0.1", with: "full.example"),
                two.replacing("127.0.0.1", with: "two.example"),
            ],
            edit: { plan in
                plan.names = ["full.example", "two.example"].map { .init(name: $0, addresses: ["127.0.0.1"]) }
            })
        for _ in 0..<2 {
            let answer = try proxy.ask()
            #expect(answer.status == 502 && answer.head.contains("X-Should-Retry: true"))
            for part in ["cannot ask 127.0.0.1", "cannot ask two.example", "full.example answered 503"] {
                #expect(answer.text.contains(part), "\(answer.text)")
            }
        }
        #expect(proxy.audit.of(.llmRequest).last?.outcome == .failure)
        #expect(proxy.audit.of(.llmResponse).allSatisfy { $0.details["input_tokens"] == nil })
    }

    @Test("the last one's answer is the client's, whatever it is") func last() throws {
        let full = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{\"full\":1}", status: 529) }
        let proxy = try Self.proxy([try Self.dead(), Self.url(full)])
        let answer = try proxy.ask()
        #expect(answer.status == 529 && answer.text == "{\"full\":1}")
        // One alone is never passed over.
        let alone = try Self.proxy([Self.url(full)])
        for _ in 0..<3 { #expect(try alone.ask().status == 529) }
        #expect(full.requests.count == 4)
    }

    @Test("a server that does not prove its name, or may not be reached, is a reason to stop") func suspect() throws {
        let second = try Self.healthy()
        let false1 = try LabHTTP2()
        let base = "https://\(LabHTTP2.name):\(false1.port)"
        let proxy = try Self.proxy(
            [base, Self.url(second)],
            edit: { plan in plan.names = [.init(name: LabHTTP2.name, addresses: ["127.0.0.1"])] })
        for _ in 0..<2 {
            let answer = try proxy.ask()
            #expect(answer.status == 502 && answer.text.contains("cannot trust"), "\(answer.text)")
        }
        let closed = try Self.proxy(
            ["http://10.9.8.7:1", Self.url(second)])
        let refused = try closed.ask()
        #expect(refused.status == 502 && refused.text.contains("network.targets"), "\(refused.text)")
        #expect(second.requests.isEmpty)
    }

    @Test("the policies in Rego are asked about the next one too") func judged() throws {
        let second = try Self.healthy()
        let gateway = ScriptedGateway { question in
            guard case .request(let asked) = question, asked.provider == "two.example" else { return .allowed }
            return LLMRuling(isAllowed: false, rule: "not-two", layer: "org", reason: "not that one")
        }
        let proxy = try Self.proxy(
            [try Self.dead(), Self.url(second).replacing("127.0.0.1", with: "two.example")], gateway: gateway,
            edit: { plan in plan.names = [.init(name: "two.example", addresses: ["127.0.0.1"])] })
        let answer = try proxy.ask()
        #expect(answer.status == 502 && answer.text.contains("the policy does not permit two.example: not that one"))
        #expect(second.requests.isEmpty)
    }

    @Test("a gateway that refuses streams twice is passed over") func refusedStreams() throws {
        let server = try LabHTTP2()
        let second = try Self.healthy()
        let proxy = try Self.proxy(
            ["https://\(LabHTTP2.name):\(server.port)/refused", Self.url(second)],
            edit: { plan in
                plan.names = [.init(name: LabHTTP2.name, addresses: ["127.0.0.1"])]
                plan.authorities = [server.authority]
            })
        #expect(try proxy.ask().text == Self.hello)
        #expect(second.requests.count == 1)
    }

    @Test("what is not written down does not go to the next one") func unrecorded() throws {
        let second = try Self.healthy()
        let first = Mutex<RememberedEvents?>(nil)
        let full = try ScriptedUpstream.answering { _, _ in
            first.withLock { $0 }?.fail()
            return ScriptedUpstream.json("{}", status: 503)
        }
        let proxy = try Self.proxy([Self.url(full), Self.url(second)])
        first.withLock { $0 = proxy.audit }
        defer { first.withLock { $0 = nil } }
        let answer = try proxy.ask()
        #expect(answer.status == 503 && answer.text.contains("audit log") && second.requests.isEmpty)
    }

    @Test("one that failed is passed over for 30 s; then one request tries it, and the others wait for that one")
    func circuit() {
        let all = [1, 2, 3].compactMap { UpstreamBase("http://10.0.0.\($0)") }
        let (a, b, c) = (all[0], all[1], all[2])
        var circuit = UpstreamCircuit()
        let start = NIODeadline.now()
        #expect(circuit.order(all, at: start) == [a, b, c])
        circuit.failed(a, at: start)
        #expect(circuit.order(all, at: start + .seconds(29)) == [b, c, a])
        #expect(circuit.order(all, at: start + .seconds(30)) == [a, b, c])
        #expect(circuit.order(all, at: start + .seconds(30)) == [b, c, a])
        // It failed again: another 30 s.
        circuit.failed(a, at: start + .seconds(31))
        #expect(circuit.order(all, at: start + .seconds(60)) == [b, c, a])
        #expect(circuit.order(all, at: start + .seconds(61)) == [a, b, c])
        circuit.works(a)
        #expect(circuit.order(all, at: start + .seconds(61)) == [a, b, c])
        // All of them: as they are named.
        for base in all { circuit.failed(base, at: start + .seconds(70)) }
        #expect(circuit.order(all, at: start + .seconds(71)) == [a, b, c])
        // One behind a healthy one is only reached where that fails: nobody's turn is lost.
        circuit.works(a)
        for _ in 0..<3 { #expect(circuit.order(all, at: start + .seconds(200)) == [a, b, c]) }
    }
}
