import AiboxAudit
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxBroker

@Suite("HTTP/2 towards upstreams")
struct HTTP2Tests {
    private static let events = (0..<20).map { "event: message\ndata: {\"n\": \($0)}\n\n" }.joined()
    private static let key = "x-api-key: \(LiveProxy.anthropic)"
    private static let body = #"{"model":"claude-1","stream":true}"#

    @Test("a provider that speaks HTTP/2 is asked in it, and its answer comes as HTTP/1.1") func speaks() throws {
        let lab = try HTTP2Lab()
        let answer = try lab.proxy.ask(fields: "Connection: x-claude-a\r\nX-Claude-A: b\r\nTE: trailers\r\n")
        #expect(answer.status == 200 && answer.isComplete && answer.head.hasPrefix("HTTP/1.1 200"), "\(answer.head)")
        #expect(answer.head.contains("content-length: \(answer.body.count)") && !answer.head.contains(":status"))
        let request = try #require(lab.requests.first)
        #expect(request["path"] == "/hello/v1/messages" && request["method"] == "POST")
        #expect(request["authority"] == .string("\(LabHTTP2.name):\(lab.server.port)"))
        #expect(
            request["fields"] == ["accept-encoding", "content-length", "content-type", "x-api-key", "x-claude-a"],
            "\(request)")
        #expect(eventually { lab.proxy.audit.of(.llmResponse).first?.details["input_tokens"] == .integer(25) })
        #expect(lab.proxy.audit.of(.llmResponse).first?.details["output_tokens"] == .integer(7))
    }

    @Test("a stream of events comes byte for byte, each as it is sent") func streams() throws {
        let lab = try HTTP2Lab("stream")
        let client = try lab.proxy.client()
        client.ask("/v1/messages", key: Self.key, body: Self.body)
        // The head and the first event, long before the last.
        while client.leftover.firstRange(of: Array("{\"n\": 0}\n\n".utf8)) == nil { try #require(client.more()) }
        #expect(client.leftover.firstRange(of: Array("{\"n\": 19}".utf8)) == nil)
        let answer = try #require(client.answer())
        #expect(answer.text == Self.events && answer.isComplete)
        #expect(answer.head.contains("transfer-encoding: chunked"))
    }

    @Test("many requests at once go over one connection, the first ones too") func many() throws {
        let lab = try HTTP2Lab("stream")
        let clients = try (0..<60).map { _ in try lab.proxy.client() }
        for client in clients { client.ask("/v1/messages", key: Self.key, body: Self.body) }
        for client in clients { #expect(client.answer()?.text == Self.events) }
        #expect(lab.requests.count == 60 && lab.connections == 1)
    }

    @Test("no more than the server takes at once: the rest goes over other connections") func full() throws {
        let lab = try HTTP2Lab("stream", streams: 4)
        let clients = try (0..<20).map { _ in try lab.proxy.client() }
        for client in clients { client.ask("/v1/messages", key: Self.key, body: Self.body) }
        for client in clients { #expect(client.answer()?.text == Self.events) }
        #expect(lab.requests.count == 20 && (2...20).contains(lab.connections), "\(lab.connections)")
    }

    @Test(
        "what the server refused unprocessed is sent again on another connection, once",
        arguments: ["refused-once", "goaway-once"])
    func repeated(_ what: String) throws {
        let lab = try HTTP2Lab(what)
        let answer = try lab.proxy.ask()
        #expect(answer.status == 200 && answer.text.contains("\"ok\":true"), "\(answer.text)")
        #expect(lab.requests.count == 1 && lab.requests[0]["connection"] == .integer(2))
        #expect(lab.proxy.audit.of(.llmRequest).count == 1)
        // With a body that came in pieces, too.
        let place = try HTTP2Lab()
        let posted = try place.ask(what, method: "POST", body: String(repeating: "x", count: 60_000))
        #expect(posted.status == 200, "\(posted.head)")
        #expect(place.requests.count == 1 && place.requests[0]["size"] == .integer(60_000))
        #expect(
            place.requests[0]["sha256"]
                == .string(try SHA256.digest([UInt8](repeating: UInt8(ascii: "x"), count: 60_000)).hex))
    }

    @Test("a server that refuses again and again is asked twice, and the request has cost nothing") func refused()
        throws
    {
        let lab = try HTTP2Lab("refused")
        let answer = try lab.proxy.ask()
        #expect(answer.status == 502 && answer.text.contains("REFUSED_STREAM"), "\(answer.text)")
        #expect(lab.requests.isEmpty && lab.proxy.audit.of(.llmResponse).isEmpty)
        #expect(lab.proxy.audit.of(.llmRequest).map(\.outcome) == [.allowed, .failure])
    }

    @Test("a GOAWAY in the middle ends nothing that is under way; what follows goes elsewhere") func goesAway() throws {
        let lab = try HTTP2Lab("last")
        for number in 1...3 {
            #expect(try lab.proxy.ask(body: Self.body).text == Self.events)
            #expect(lab.connections == number)
        }
    }

    @Test("a body that is on its way up when the server takes no new requests arrives whole") func leaving() throws {
        let lab = try HTTP2Lab("leaving")
        let content = String(repeating: "x", count: 300_000)
        let posted = try lab.ask("leaving", method: "POST", body: content)
        #expect(posted.status == 200 && posted.json?["size"] == .integer(300_000), "\(posted.text)")
        let body = #"{"model":"claude-1","max_tokens":10,"messages":["\#(content)"]}"#
        let asked = try lab.proxy.ask(body: body)
        #expect(asked.json?["size"] == .integer(Int64(body.utf8.count)), "\(asked.text)")
        #expect(lab.requests.count == 2)
    }

    @Test("an answer that is reset or cut is seen to be cut, and its cost is counted", arguments: ["reset", "die"])
    func cut(_ what: String) throws {
        let lab = try HTTP2Lab(what)
        let answer = try lab.proxy.ask(body: Self.body)
        #expect(answer.status == 200 && !answer.isComplete && answer.text.hasPrefix("data: "))
        #expect(eventually { lab.proxy.audit.of(.llmResponse).first?.outcome == .failure })
        if what == "reset" {
            #expect(lab.proxy.audit.of(.llmResponse).first?.details["input_tokens"] == .integer(25))
        }
        // It began: nobody asks for it again.
        #expect(lab.requests.count == 1)
    }

    @Test("a client that leaves ends its own stream alone") func leaves() throws {
        let lab = try HTTP2Lab("stream")
        let (stays, leaves) = (try lab.proxy.client(), try lab.proxy.client())
        for client in [stays, leaves] { client.ask("/v1/messages", key: Self.key, body: Self.body) }
        while leaves.leftover.firstRange(of: Array("{\"n\": 0}".utf8)) == nil { try #require(leaves.more()) }
        leaves.socket.close()
        #expect(stays.answer()?.text == Self.events)
        // CANCEL (RFC 9113 section 7).
        #expect(eventually { lab.resets == [8] })
        #expect(lab.connections == 1)
    }

    @Test("the key comes back in no frame, however it is cut") func redacted() throws {
        let secret = LiveProxy.secret
        let lab = try HTTP2Lab("echo")
        for answer in [try lab.proxy.ask(), try lab.ask("echo")] {
            #expect(answer.status == 200 && answer.isComplete && answer.text.hasPrefix("said: ***"), "\(answer.text)")
            for form in [secret, Hex.encode(Array(secret.utf8))] {
                #expect(!answer.text.contains(form) && !answer.head.contains(form))
            }
        }
        #expect(eventually { lab.proxy.audit.of(.llmResponse).first?.severity == .high })
        #expect(eventually { lab.proxy.audit.of(.credentialUse).contains { $0.severity == .high } })
    }

    @Test("answers in between and trailers are left out") func between() throws {
        let lab = try HTTP2Lab("between")
        let answer = try lab.proxy.ask()
        #expect(answer.status == 200 && answer.isComplete && answer.text.contains("\"ok\":true"))
        #expect(!answer.head.contains("x-trailer") && answer.head.contains("transfer-encoding: chunked"))
    }

    @Test("an answer without a body has none") func bodiless() throws {
        let lab = try HTTP2Lab()
        let client = try lab.begin("thing", method: "HEAD")
        client.send("GET \(lab.place("empty-answer")) HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n\r\n")
        while client.leftover.firstRange(of: Array("HTTP/1.1 204".utf8)) == nil { try #require(client.more()) }
        let text = String(decoding: client.leftover, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 200") && !text.contains("transfer-encoding"), "\(text)")
    }

    @Test("idle connections are kept for the next request, not for other rules") func plans() throws {
        let lab = try HTTP2Lab()
        for _ in 0..<3 { #expect(try lab.proxy.ask().status == 200) }
        #expect(lab.connections == 1)
        // Without a target that opens the loopback nothing is sent, not on the old connection either.
        var plan = BrokerPlan(
            grants: [
                .init(
                    name: "llm-api-key:anthropic", api: .anthropic, surrogate: LiveProxy.anthropic,
                    secret: LiveProxy.secret, base: "https://\(LabHTTP2.name):\(lab.server.port)/hello")
            ], models: ["claude-*"], targets: [])
        plan.names = [.init(name: LabHTTP2.name, addresses: ["127.0.0.1"])]
        plan.authorities = [lab.server.authority]
        try lab.proxy.use(plan)
        let refused = try lab.proxy.ask()
        #expect(refused.status == 502 && refused.text.contains("network.targets"), "\(refused.text)")
    }

    @Test("nginx with HTTP/2 and few requests a connection loses none") func nginx() throws {
        let text = Self.events
        let upstream = try ScriptedUpstream { connection in
            while connection.request() != nil {
                connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
                for line in text.split(separator: "\n\n") {
                    connection.send(line + "\n\n")
                    usleep(1000)
                }
                return
            }
        }
        let server = try LabHTTP2(before: upstream.port, rules: "http2_max_concurrent_streams 3; keepalive_requests 7;")
        let lab = try HTTP2Lab(server: server)
        for _ in 0..<4 {
            let clients = try (0..<20).map { _ in try lab.proxy.client() }
            for client in clients { client.ask("/v1/messages", key: Self.key, body: Self.body) }
            for client in clients {
                let answer = client.answer()
                #expect(
                    answer?.status == 200 && answer?.text == text, "\(answer?.head ?? "nothing") \(answer?.text ?? "")")
            }
        }
        #expect(upstream.requests.count == 80)
    }
}
