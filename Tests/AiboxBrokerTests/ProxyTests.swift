import AiboxAudit
import AiboxBroker
import AiboxSystem
import AiboxWire
import Glibc
import NIOCore
import Synchronization
import Testing

@Suite("The LLM proxy")
struct ProxyTests {
    static let message = #"{"id":"msg_1","content":[],"usage":{"input_tokens":10,"output_tokens":5}}"#

    @Test("swaps the key, and passes on no credential of the caller's") func swap() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.message) }
        let proxy = try LiveProxy(upstream)
        let answer = try proxy.ask(
            key: "x-api-key: \(LiveProxy.anthropic)",
            fields:
                "Authorization: Bearer \(LiveProxy.anthropic)\r\nanthropic-version: 2023-06-01\r\nX-Forwarded-For: 1.1.1.1\r\n"
        )
        #expect(answer.status == 200)
        #expect(answer.text == Self.message)
        let head = try #require(upstream.requests.first)
        #expect(head.contains("\r\nx-api-key: \(LiveProxy.secret)"))
        #expect(head.contains("\r\nanthropic-version: 2023-06-01"))
        #expect(head.contains("\r\nAccept-Encoding: identity"))
        #expect(
            !head.contains("surrogate") && !head.lowercased().contains("authorization") && !head.contains("1.1.1.1"))
        #expect(head.hasPrefix("POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:\(upstream.port)\r\n"))
    }

    @Test("a gateway of the organisation's is told who asks, a provider is not, and nobody says it for somebody else")
    func identity() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.message) }
        let stay = LLMProxyServer.Stay(sandbox: "box-1", user: "a b\r\nX-Evil: 1 é@x")
        let forged = "X-Aibox-Sandbox: other\r\nx-aibox-user: root\r\nX-Aibox-More: y\r\n"
        for isGateway in [true, false] {
            let proxy = try LiveProxy(
                upstream, stay: stay,
                edit: { plan in for index in plan.grants.indices { plan.grants[index].tellsWho = isGateway } })
            #expect(try proxy.ask(fields: forged).status == 200)
            #expect(try proxy.ask("/v1/models", method: "GET", fields: forged).status == 200)
            for head in upstream.requests.suffix(2) {
                let named = head.split(separator: "\r\n").filter { $0.lowercased().contains("aibox") }
                #expect(
                    named
                        == (isGateway
                            ? ["X-Aibox-Sandbox: box-1", "X-Aibox-User: a%20b%0D%0AX-Evil%3A%201%20%C3%A9@x"] : []))
                #expect(!head.contains("\r\nX-Evil"))
            }
        }
        #expect(upstream.requests.count == 4)
    }

    @Test("OpenAI's key goes where OpenAI has it") func bearer() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let body = #"{"model":"gpt-5","input":"x"}"#
        #expect(
            try proxy.ask("/v1/responses", key: "Authorization: Bearer \(LiveProxy.openai)", body: body).status == 200)
        #expect(upstream.requests[0].contains("\r\nAuthorization: Bearer \(LiveProxy.secret)"))
        #expect(upstream.contents[0] == Array(body.utf8))
    }

    @Test("the decision is written down before the provider hears of it, the cost after") func recorded() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.message) }
        let proxy = try LiveProxy(upstream)
        _ = try proxy.ask()
        #expect(eventually { proxy.audit.all.count == 2 })
        let (asked, answered) = (proxy.audit.all[0], proxy.audit.all[1])
        #expect(asked.type == .llmRequest && asked.outcome == .allowed && asked.subject == "claude-1")
        #expect(answered.type == .llmResponse && answered.outcome == .success)
        #expect(answered.details["input_tokens"] == .integer(10) && answered.details["output_tokens"] == .integer(5))
        #expect(asked.details["request"] == answered.details["request"])
        for event in proxy.audit.all { #expect(event.problems == []) }
    }

    @Test("no audit, no action") func unrecorded() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        proxy.audit.fail()
        #expect(try proxy.ask().status == 503)
        #expect(upstream.requests.isEmpty)
    }

    static let refused: [(String, String, String, String?, String, Int)] = [
        (
            "a model beyond the list", "POST", "/v1/messages", "x-api-key: \(LiveProxy.anthropic)",
            #"{"model":"other"}"#, 403
        ),
        ("no key", "POST", "/v1/messages", nil, #"{"model":"claude-1"}"#, 401),
        ("a foreign key", "POST", "/v1/messages", "x-api-key: sk-ant-x", #"{"model":"claude-1"}"#, 403),
        (
            "the key of the other API", "POST", "/v1/messages", "x-api-key: \(LiveProxy.openai)",
            #"{"model":"claude-1"}"#, 403
        ),
        ("files", "POST", "/v1/files", "x-api-key: \(LiveProxy.anthropic)", "{}", 403),
        ("another method", "DELETE", "/v1/messages", "x-api-key: \(LiveProxy.anthropic)", "", 405),
        (
            "two models", "POST", "/v1/messages", "x-api-key: \(LiveProxy.anthropic)",
            #"{"model":"claude-1","model":"x"}"#, 400
        ),
    ]

    @Test("refuses in the API's words, records it, and asks nobody", arguments: refused)
    func refusals(_ what: String, _ method: String, _ path: String, _ key: String?, _ body: String, _ status: Int)
        throws
    {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let answer = try proxy.ask(path, method: method, key: key, body: body)
        #expect(answer.status == status)
        #expect(answer.json?["error"]?["message"]?.stringValue?.hasPrefix("aibox: ") == true)
        #expect(answer.json?["aibox"]?["rule"]?.stringValue != nil)
        #expect(upstream.connections == 0)
        let event = try #require(proxy.audit.all.last)
        #expect(event.outcome == .denied || status == 400)
        #expect(event.problems == [])
    }

    @Test("a refusal has the form of the API that was asked") func forms() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let anthropic = try proxy.ask(body: #"{"model":"x"}"#)
        #expect(anthropic.json?["type"] == "error" && anthropic.json?["error"]?["type"] == "not_found_error")
        let openai = try proxy.ask(
            "/v1/responses", key: "Authorization: Bearer \(LiveProxy.openai)", body: #"{"model":"x"}"#)
        #expect(openai.json?["error"]?["code"] == "model_not_found" && openai.json?["type"] == nil)
    }

    @Test("limits answer 429 with the time to wait, and what was spent is told") func limited() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.message) }
        let proxy = try LiveProxy(upstream, limits: .init(requestsPerMinute: 2), clock: { 100 })
        for _ in 0..<2 { #expect(try proxy.ask().status == 200) }
        let answer = try proxy.ask()
        #expect(answer.status == 429 && answer.head.contains("Retry-After: 61"))
        #expect(upstream.requests.count == 2)
    }

    @Test("a budget ends where it ends") func budget() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.message) }
        let proxy = try LiveProxy(upstream, limits: .init(tokens: 40))
        #expect(try proxy.ask().status == 200)  // 10 + 13 reserved, 15 spent
        #expect(try proxy.ask().status == 200)  // 30 spent
        #expect(try proxy.ask().status == 429)
    }

    @Test("a key whose time is over opens nothing") func expired() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, expires: Timestamp.now.seconds - 1)
        #expect(try proxy.ask().status == 401)
        #expect(upstream.connections == 0)
    }

    /// Sends `data: a` and then, each time that the gate opens, `data: b`.
    private static func streaming(_ go: Gate, ended: Gate) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.send("9\r\ndata: a\n\n\r\n")
            go.wait()
            connection.send("9\r\ndata: b\n\n\r\n")
            connection.drain()
            ended.open()
        }
    }

    private func stream(_ proxy: LiveProxy) throws -> RawClient {
        let client = try proxy.client()
        client.ask(
            "/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1","stream":true}"#)
        try see("data: a\n", client)
        return client
    }

    private func see(_ text: String, _ client: RawClient) throws {
        while !String(decoding: client.leftover, as: UTF8.self).contains(text) { try #require(client.more()) }
    }

    @Test("a stream ends with the time of its key, at the provider too, and the log says why") func ends() throws {
        let (go, ended) = (Gate(), Gate())
        let upstream = try Self.streaming(go, ended: ended)
        go.open()
        let proxy = try LiveProxy(
            upstream, expires: Timestamp.now.seconds + 2, bounds: { $0.look = .milliseconds(100) })
        let client = try stream(proxy)
        #expect(client.answer()?.isComplete == false)
        #expect(client.isClosed())
        ended.wait()
        #expect(eventually { !proxy.audit.of(.llmResponse).isEmpty })
        let event = try #require(proxy.audit.of(.llmResponse).first)
        #expect(event.outcome == .failure && event.problems == [])
        #expect(
            event.details["reason"]
                == "credentials.llm_api_key_ttl: the time for which the key was lent is over")
        #expect(try proxy.ask().status == 401)
    }

    @Test("a stream goes on with the lease that is renewed, and ends with the one that is cut short") func leased()
        throws
    {
        let (go, ended) = (Gate(), Gate())
        let upstream = try Self.streaming(go, ended: ended)
        let first = Timestamp.now.seconds + 2
        let proxy = try LiveProxy(upstream, expires: first, bounds: { $0.look = .milliseconds(100) })
        func renew(until: Int64, note: String? = nil) throws {
            var grant = BrokerPlan.Grant(
                name: "llm-api-key:anthropic", api: .anthropic, surrogate: LiveProxy.anthropic,
                secret: LiveProxy.secret, base: "http://127.0.0.1:\(upstream.port)", expires: until)
            grant.note = note
            try proxy.use(BrokerPlan(grants: [grant], models: ["*"], targets: ["127.0.0.1/32"]))
        }
        let client = try stream(proxy)
        try renew(until: first + 600)
        #expect(eventually { Timestamp.now.seconds > first })
        usleep(300_000)
        go.open()
        try see("data: b\n", client)
        try renew(until: Timestamp.now.seconds - 1, note: "Vault has not answered since 12:00")
        #expect(client.answer()?.isComplete == false)
        ended.wait()
        #expect(
            eventually {
                proxy.audit.of(.llmResponse).first?.details["reason"]
                    == "credential.lease: Vault has not answered since 12:00"
            })
    }

    @Test("what still waits for its first word when the key's time is over is refused") func endsWaiting() throws {
        let upstream = try ScriptedUpstream { connection in
            _ = connection.request()
            connection.drain()
        }
        let proxy = try LiveProxy(
            upstream, expires: Timestamp.now.seconds + 2, bounds: { $0.look = .milliseconds(100) })
        let answer = try proxy.ask()
        #expect(answer.status == 401 && answer.json?["aibox"]?["rule"] == "credentials.llm_api_key_ttl")
        #expect(proxy.audit.of(.llmRequest).map(\.outcome) == [.allowed, .denied])
    }

    @Test("connections are kept on both sides") func keepAlive() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.message) }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        for _ in 0..<20 {
            client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1"}"#)
            #expect(client.answer()?.status == 200)
        }
        #expect(upstream.connections == 1)
    }

    @Test("several requests sent at once are answered in order") func pipelined() throws {
        let upstream = try ScriptedUpstream.answering { _, body in
            ScriptedUpstream.json(String(decoding: body, as: UTF8.self))
        }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        for number in 0..<5 {
            client.ask(
                "/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1","n":\#(number)}"#)
        }
        for number in 0..<5 { #expect(client.answer()?.json?["n"] == .integer(Int64(number))) }
    }

    @Test("a stream comes byte for byte, each event as soon as the provider sends it") func stream() throws {
        let events = (0..<50).map { "event: delta\ndata: {\"n\":\($0)}\n\n" }
        let go = Gate()
        let upstream = try ScriptedUpstream { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for event in events {
                // Chunks end where events do not.
                let bytes = Array(event.utf8)
                for part in [bytes.prefix(7), bytes.dropFirst(7)] {
                    connection.send(
                        "\(String(part.count, radix: 16))\r\n" + String(decoding: part, as: UTF8.self) + "\r\n")
                }
                go.wait()
            }
            connection.send("0\r\n\r\n")
        }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        client.ask(
            "/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1","stream":true}"#)
        var seen = ""
        // The next event is sent only once this one was seen whole.
        for event in events {
            let end = String(event.dropFirst(20))
            while !seen.contains(end) {
                try #require(client.more())
                seen = String(decoding: client.leftover, as: UTF8.self)
            }
            go.open()
        }
        let answer = try #require(client.answer())
        #expect(answer.text == events.joined())
        #expect(answer.isComplete)
    }

    @Test("a slow reader slows the provider, not the memory") func backPressure() throws {
        let sent = Counter()
        let upstream = try ScriptedUpstream { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 67108864\r\n\r\n")
            let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
            for _ in 0..<64 {
                connection.send(piece)
                sent.add()
            }
        }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1"}"#)
        // Nobody reads: what the sockets hold is sent, and no more.
        var last = -1
        #expect(
            eventually {
                defer { last = sent.value }
                usleep(300_000)
                return sent.value == last
            })
        #expect(sent.value < 32)
        let answer = try #require(client.answer())
        #expect(answer.body.count == 64 << 20 && answer.isComplete)
    }

    @Test("a client that goes away ends the request at the provider") func abandoned() throws {
        let ended = Gate()
        let upstream = try ScriptedUpstream { connection in
            guard connection.request() != nil else { return }
            connection.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata:\n\r\n"
            )
            connection.drain()
            ended.open()
        }
        let proxy = try LiveProxy(upstream)
        do {
            let client = try proxy.client()
            client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1"}"#)
            while !String(decoding: client.leftover, as: UTF8.self).contains("data:") { try #require(client.more()) }
            client.socket.close()
        }
        ended.wait()
        #expect(eventually { proxy.audit.of(.llmResponse).last?.outcome == .failure })
    }

    @Test("an idle connection carries nothing that a later plan would make no connection for") func narrowed() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        for _ in 0..<2 { #expect(try proxy.ask().status == 200) }
        #expect(upstream.connections == 1)
        let grant = BrokerPlan.Grant(
            name: "llm-api-key:anthropic", api: .anthropic, surrogate: LiveProxy.anthropic, secret: LiveProxy.secret,
            base: "http://127.0.0.1:\(upstream.port)")
        // The same place with the same key, and its address is open no longer.
        try proxy.use(BrokerPlan(grants: [grant], models: ["*"]))
        #expect(try proxy.ask().status != 200)
        #expect(upstream.requests.count == 2)
    }

    @Test("another plan holds from the next request on; a stream goes on until its key is taken back")
    func reload() throws {
        let go = Gate()
        let upstream = try ScriptedUpstream.streaming("b", each: go)
        let proxy = try LiveProxy(upstream)
        func stream(_ surrogate: String) throws -> RawClient {
            let client = try proxy.client()
            client.ask(
                "/v1/messages", key: "x-api-key: \(surrogate)", body: #"{"model":"claude-1","stream":true}"#)
            while !String(decoding: client.leftover, as: UTF8.self).contains("\r\na\n\r\n") {
                try #require(client.more())
            }
            return client
        }
        func grant(_ surrogate: String, _ secret: String) -> BrokerPlan.Grant {
            .init(
                name: surrogate, api: .anthropic, surrogate: surrogate, secret: secret,
                base: "http://127.0.0.1:\(upstream.port)")
        }
        func use(_ grants: BrokerPlan.Grant...) throws {
            try proxy.use(BrokerPlan(grants: grants, models: ["*"], targets: ["127.0.0.1/32"]))
        }
        let other = "sk-ant-aibox-surrogate-of-another"
        let streaming = try stream(LiveProxy.anthropic)
        try use(grant(LiveProxy.anthropic, "next-secret"), grant(other, "other-secret"))
        #expect(try proxy.ask().status == 200)
        #expect(upstream.requests.last?.contains("next-secret") == true)
        let ending = try stream(other)
        try use(grant(LiveProxy.anthropic, "next-secret"))
        #expect(try proxy.ask(key: "x-api-key: " + other).status == 403)
        #expect(ending.answer()?.isComplete == false)
        go.open()
        #expect(streaming.answer()?.text == "a\nb")
        #expect(
            eventually {
                proxy.audit.of(.llmResponse).contains { $0.outcome != .success && $0.subject == "claude-1" }
            })
    }

    @Test("who is there is answered without a key; nothing else is") func greeting() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        #expect(try proxy.ask("/", method: "GET", key: nil).status == 200)
        let head = try proxy.client()
        head.send("HEAD / HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\r\n")
        #expect(head.more() && String(decoding: head.leftover, as: UTF8.self).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(try proxy.ask("/v1/models", method: "GET", key: nil).status == 401)
        #expect(upstream.connections == 0)
    }

    @Test("an address that the policy does not open is not connected to") func privateTarget() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, edit: { $0.targets = [] })
        let answer = try proxy.ask()
        #expect(answer.status == 502)
        #expect(answer.json?["error"]?["type"] == "api_error")
        #expect(upstream.connections == 0)
    }
}

/// Opens once for each one that waits.
final class Gate: Sendable {
    private let pipe: (read: Descriptor, write: Descriptor)

    init() {
        var ends: [Int32] = [-1, -1]
        Glibc.pipe(&ends)
        pipe = (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    func open() {
        var byte: UInt8 = 1
        _ = write(pipe.write.number, &byte, 1)
    }

    func wait() {
        var byte: UInt8 = 0
        _ = read(pipe.read.number, &byte, 1)
    }
}

final class Counter: Sendable {
    private let count = Atomic(0)
    func add() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}
