import AiboxAudit
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import NIOCore
import Testing

@testable import AiboxBroker

@Suite("Attacks on the LLM proxy")
struct AttackTests {
    static let body = #"{"model":"claude-1"}"#
    static let key = "x-api-key: \(LiveProxy.anthropic)"

    /// Heads of which two readers could make two different requests. A second request hides behind each.
    static let smuggled: [(String, String)] = [
        (
            "both lengths",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: 20\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
        (
            "two lengths",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: 20\r\nContent-Length: 0\r\n\r\n"
        ),
        (
            "the same length twice",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: 20\r\nContent-Length: 20\r\n\r\n"
        ),
        ("a list of lengths", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: 20, 20\r\n\r\n"),
        ("a signed length", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: +20\r\n\r\n"),
        (
            "a folded field",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: 20\r\nX: a\r\n Transfer-Encoding: chunked\r\n\r\n"
        ),
        (
            "white space before the colon",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nTransfer-Encoding : chunked\r\n\r\n"
        ),
        ("an unknown coding", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nTransfer-Encoding: xchunked\r\n\r\n"),
        ("two codings", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        (
            "chunked twice",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
        ),
        ("line feeds alone", "POST /v1/messages HTTP/1.1\nHost: H\nK\nContent-Length: 20\n\n"),
        ("a return alone", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n"),
        ("a zero byte", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nX: a\0b\r\n\r\n"),
        ("a control character", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nX: a\u{7f}b\r\n\r\n"),
        ("two hosts", "POST /v1/messages HTTP/1.1\r\nHost: H\r\nHost: evil.example\r\nK\r\n\r\n"),
        ("another host", "POST /v1/messages HTTP/1.1\r\nHost: evil.example\r\nK\r\nContent-Length: 20\r\n\r\n"),
        (
            "an absolute target",
            "POST http://evil.example/v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: 20\r\n\r\n"
        ),
        (
            "an absolute target that is not the host",
            "POST http://H/v1/messages HTTP/1.1\r\nHost: evil.example\r\nK\r\n\r\n"
        ),
        ("CONNECT", "CONNECT api.anthropic.com:443 HTTP/1.1\r\nHost: api.anthropic.com:443\r\nK\r\n\r\n"),
        ("HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (
            "an upgrade",
            "GET /v1/responses HTTP/1.1\r\nHost: H\r\nK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        ),
        (
            "a compressed body",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
        ),
        (
            "an expectation",
            "POST /v1/messages HTTP/1.1\r\nHost: H\r\nK\r\nExpect: 200-ok\r\nContent-Length: 20\r\n\r\n"
        ),
        ("a body of GET", "GET /v1/models HTTP/1.1\r\nHost: H\r\nK\r\nContent-Length: 20\r\n\r\n"),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}"),
    ]

    @Test("ambiguous heads are refused, the connection ends, and nothing behind them is read", arguments: smuggled)
    func smuggling(_ what: String, _ head: String) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        let host = "llm.test:\(proxy.port)"
        let head = head.replacing("Host: H", with: "Host: \(host)").replacing("http://H/", with: "http://\(host)/")
            .replacing("\nK", with: "\n" + Self.key)
        client.send(head + Self.body)
        client.ask("/v1/messages", key: Self.key, body: Self.body)
        let answer = try #require(client.answer())
        #expect((400...499).contains(answer.status), "\(answer.head)")
        #expect(client.isClosed() && client.leftover.isEmpty)
        #expect(upstream.connections == 0)
        #expect(proxy.audit.all.count == 1)
    }

    static let chunks: [(String, String)] = [
        ("no size", "\r\n"), ("a negative size", "-1\r\n"), ("0x", "0x14\r\n"),
        ("a size beyond all", "fffffffffffffffff\r\n"),
        ("an extension", "14;a=b\r\n\(body)\r\n0\r\n\r\n"), ("a line feed alone", "14\n\(body)\n0\n\n"),
        ("data beyond the size", "13\r\n\(body)\r\n0\r\n\r\n"), ("a trailer", "14\r\n\(body)\r\n0\r\nX: y\r\n\r\n"),
        ("white space", "14 \r\n\(body)\r\n0\r\n\r\n"),
    ]

    @Test("malformed chunks are refused", arguments: chunks) func chunking(_ what: String, _ body: String) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        client.send(
            "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\(Self.key)\r\nTransfer-Encoding: chunked\r\n\r\n"
                + body)
        #expect(client.answer()?.status == 400)
        #expect(client.isClosed())
        #expect(upstream.connections == 0)
    }

    @Test("well-formed chunks, byte by byte, become one body with a length") func chunked() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        client.send(
            "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\(Self.key)\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for byte in Self.body.utf8 { client.send("1\r\n\(Character(Unicode.Scalar(byte)))\r\n") }
        client.send("0\r\n\r\n")
        #expect(client.answer()?.status == 200)
        #expect(upstream.contents == [Array(Self.body.utf8)])
        #expect(upstream.requests[0].contains("\r\nContent-Length: \(Self.body.utf8.count)"))
    }

    @Test("100 MB are refused at the head, and while they come in chunks") func large() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, bounds: { $0.body = 1 << 20 })
        let client = try proxy.client()
        client.send(
            "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\(Self.key)\r\nContent-Length: 104857600\r\n\r\n"
        )
        #expect(client.answer()?.status == 413)
        let chunked = try proxy.client()
        chunked.send(
            "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\(Self.key)\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        let piece = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
        for _ in 0..<20 where chunked.send(piece) {}
        #expect(chunked.answer()?.status == 413)
        #expect(upstream.connections == 0)
    }

    @Test("100 MB in chunks are refused at the first byte above 32 MiB, and leave their room to others") func endless()
        throws
    {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let head = "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\(Self.key)\r\n"
        let piece = Array("10000\r\n\(String(repeating: "x", count: 65_536))\r\n".utf8)
        for _ in 0..<3 {
            let client = try proxy.client()
            client.send(head + "Transfer-Encoding: chunked\r\n\r\n")
            // As much as is allowed is waited for.
            for _ in 0..<512 { try #require(Loopback.write(client.socket, piece)) }
            var answered = pollfd(fd: client.socket.number, events: Int16(POLLIN), revents: 0)
            #expect(poll(&answered, 1, 300) == 0)
            var sent = 32 << 20
            while sent < 100 << 20, poll(&answered, 1, 0) == 0, Loopback.write(client.socket, piece) { sent += 65_536 }
            // What the sockets hold on the way comes on top.
            #expect(sent < 48 << 20, "\(sent)")
            let answer = client.answer()
            #expect(answer?.status == 413 && answer?.json?["aibox"]?["rule"] == "llm.size")
            client.socket.close()
        }
        #expect(proxy.audit.of(.llmRequest).allSatisfy { $0.outcome == .denied && $0.problems == [] })
        // All the room is there again.
        let last = try proxy.client()
        last.send(head + "Content-Length: \(32 << 20)\r\nExpect: 100-continue\r\n\r\n")
        #expect(last.more() && String(decoding: last.leftover, as: UTF8.self).contains("100 Continue"))
        #expect(upstream.connections == 0)
    }

    @Test(
        "answers are asked for as they are; one that comes encoded all the same is refused, and nothing of it passes",
        arguments: [
            "Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: gzip, br", "Content-Encoding: zstd",
            "content-encoding: DEFLATE", "Content-Encoding: identity, br",
            "Content-Encoding: identity\r\nContent-Encoding: br",
        ]) func encoded(_ field: String) throws
    {
        for status in [200, 429] {
            let upstream = try ScriptedUpstream.answering { _, body in
                let isPlain = String(decoding: body, as: UTF8.self).contains("plain")
                return ScriptedUpstream.json(
                    #"{"a":"MARK"}"#, status: status,
                    fields: isPlain ? "Content-Encoding: identity\r\n" : field + "\r\n")
            }
            let proxy = try LiveProxy(upstream)
            let answer = try proxy.ask(fields: "Accept-Encoding: br, gzip\r\nTE: gzip\r\n")
            #expect(answer.status == 502 && answer.json?["aibox"]?["rule"] == "llm.upstream")
            #expect(!answer.text.contains("MARK") && !answer.head.lowercased().contains("content-encoding"))
            #expect(
                answer.json?["error"]?["message"]?.stringValue
                    == "aibox: the server's answer is in an encoding that was not asked for, and what is in it could not be checked"
            )
            let asked = try #require(upstream.requests.first).lowercased()
            #expect(asked.split(separator: "accept-encoding: ").count == 2 && !asked.contains("\r\nte:"))
            #expect(asked.contains("\r\naccept-encoding: identity"))
            #expect(proxy.audit.of(.llmResponse).map(\.outcome) == [.failure])
            #expect(try proxy.ask(body: #"{"model":"claude-1","plain":1}"#).status == status)
        }
    }

    @Test(
        "a body that is encoded cannot be read, and is not passed on",
        arguments: ["gzip", "br", "gzip, br", "identity, br"])
    func encodedBody(_ coding: String) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let answer = try proxy.ask(fields: "Content-Encoding: \(coding)\r\n")
        #expect(answer.status == 415 && answer.json?["aibox"]?["rule"] == "llm.encoding")
        #expect(upstream.connections == 0)
    }

    @Test("a head of endless fields is refused") func endlessHead() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        client.send("GET / HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n")
        for number in 0..<5000 where client.send("X-\(number): y\r\n") {}
        #expect(client.answer()?.status == 431)
    }

    @Test(
        "the key comes back in no spelling: not in a body, a stream, a header, an error, cut wherever",
        arguments: [1, 3, 17, 4096])
    func echo(_ piece: Int) throws {
        let secret = LiveProxy.secret
        let spellings = [
            secret, Hex.encode(Array(secret.utf8)), Base64.encode(Array(secret.utf8)),
            secret.replacing("/", with: "\\/"),
        ]
        let upstream = try ScriptedUpstream { connection in
            while connection.request() != nil {
                let body = Array("{\"error\":\"\(spellings.joined(separator: " "))\"}".utf8)
                connection.send(
                    "HTTP/1.1 401 No \(secret)\r\nContent-Type: application/json\r\nX-Echo: a \(secret) b\r\nx-\(secret.filter { $0 != "/" && $0 != "+" }): y\r\nSet-Cookie: k=\(secret)\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                var rest = body[...]
                while !rest.isEmpty {
                    let part = rest.prefix(piece)
                    rest = rest.dropFirst(piece)
                    connection.send(Array("\(String(part.count, radix: 16))\r\n".utf8) + part + [13, 10])
                }
                connection.send("0\r\n\r\n")
            }
        }
        let proxy = try LiveProxy(upstream)
        let answer = try proxy.ask()
        #expect(answer.status == 401)
        for spelling in spellings {
            #expect(!answer.text.contains(spelling))
            #expect(!answer.head.contains(spelling))
        }
        #expect(answer.isComplete && answer.text.hasPrefix("{\"error\":\"***"))
        #expect(!answer.head.lowercased().contains("set-cookie"))
        #expect(eventually { proxy.audit.of(.llmResponse).first?.severity == .high })
        for event in proxy.audit.all {
            let text = JSONValue.object(event.details).text + event.subject
            for spelling in spellings { #expect(!text.contains(spelling)) }
        }
    }

    static let bad: [(String, String)] = [
        ("no HTTP", "SSH-2.0-x\r\n\r\n"),
        ("both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ("an encoding", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
        ("another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        ("a control character", "HTTP/1.1 200 OK\r\nX: a\u{1}b\r\nContent-Length: 2\r\n\r\n{}"),
        ("line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}\r\n\r\n"),
        ("nothing", ""),
        ("an endless head", "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 100_000)),
    ]

    @Test("what a provider must not send becomes 502 in the API's words", arguments: bad)
    func upstreamNonsense(_ what: String, _ answer: String) throws {
        let upstream = try ScriptedUpstream { connection in
            guard connection.request() != nil else { return }
            connection.send(answer)
        }
        let proxy = try LiveProxy(upstream)
        let got = try proxy.ask()
        #expect(got.status == 502)
        #expect(got.json?["error"]?["type"] == "api_error")
    }

    @Test("a stream that the provider cuts is seen to be cut, and its cost is counted", arguments: [false, true])
    func cutStream(_ isReset: Bool) throws {
        let upstream = try ScriptedUpstream { connection in
            guard connection.request() != nil else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            let event = "data: {\"message\":{\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n"
            connection.send("\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n")
            usleep(200_000)
            if isReset { connection.reset() }
        }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        client.ask("/v1/messages", key: Self.key, body: Self.body)
        let answer = try #require(client.answer())
        #expect(answer.status == 200 && !answer.isComplete)
        #expect(eventually { proxy.audit.of(.llmResponse).first?.outcome == .failure })
        #expect(proxy.audit.of(.llmResponse).first?.details["input_tokens"] == .integer(25))
    }

    @Test("bytes behind an answer are nobody's answer") func responseSplitting() throws {
        let upstream = try ScriptedUpstream { connection in
            guard connection.request() != nil else { return }
            connection.send(ScriptedUpstream.json("{}") + ScriptedUpstream.json("{\"evil\":true}"))
            while connection.request() != nil { connection.send(ScriptedUpstream.json("{}")) }
        }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        for _ in 0..<2 {
            client.ask("/v1/messages", key: Self.key, body: Self.body)
            #expect(client.answer()?.text == "{}")
        }
        #expect(client.leftover.isEmpty)
    }

    @Test("many who send nothing do not keep out one who asks; too many are told; and silence comes to its end")
    func slowLoris() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, bounds: { ($0.connections, $0.headTime) = (301, .seconds(6)) })
        var silent: [RawClient] = []
        for _ in 0..<300 {
            let client = try proxy.client()
            client.send("POST /v1/messages HTTP/1.1\r\nHost: llm.t")
            silent.append(client)
        }
        let asking = try proxy.client()
        for _ in 0..<2 {
            asking.ask("/v1/messages", key: Self.key, body: Self.body)
            #expect(asking.answer()?.status == 200)
        }
        let beyond = try proxy.client().answer()
        #expect(beyond?.status == 503 && beyond?.json?["aibox"]?["rule"] == "llm.connections")
        // Nobody keeps a place by beginning: a byte now and then gives no more time.
        for client in silent {
            client.send("e")
            #expect(client.answer()?.status == 408)
            client.socket.close()
        }
        #expect(eventually { (try? proxy.ask())?.status == 200 })
        let refused = proxy.audit.of(.llmRequest).filter { $0.outcome == .failure }
        #expect(refused.count == 301 && upstream.requests.count == 3)
    }

    @Test("a server whose certificate is not for its name gets no key") func certificate() throws {
        let place = try TemporaryFolder(prefix: "aibox-broker")
        let folder = place.path
        let runner = SystemCommandRunner()
        let made = try runner.run(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=llm",
                    "-addext", "subjectAltName=DNS:right.example", "-keyout", folder + "/key.pem", "-out",
                    folder + "/cert.pem",
                ]))
        let succeeded = made.succeeded
        try #require(succeeded)
        let (listener, port) = try Loopback.listen()
        listener.close()
        let nothing = Descriptor(open("/dev/null", O_RDWR))
        let server = try ChildProcess.start(
            Command(
                "openssl",
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", folder + "/cert.pem", "-key",
                    folder + "/key.pem", "-www",
                ]),
            descriptors: [nothing.number, nothing.number, nothing.number], deathSignal: SIGKILL)
        defer {
            server.send(SIGKILL)
            _ = try? server.wait()
        }
        #expect(eventually { (try? Loopback.connect(port)) != nil })
        let unused = try ScriptedUpstream.answering { _, _ in "" }
        func ask(_ name: String, trusted: Bool) throws -> RawClient.Answer {
            let proxy = try LiveProxy(
                unused,
                edit: { plan in
                    plan.grants[0].base = "https://\(name):\(port)"
                    plan.names = [.init(name: name, addresses: ["127.0.0.1"])]
                    plan.authorities = trusted ? [folder + "/cert.pem"] : []
                })
            return try proxy.ask("/v1/models", method: "GET")
        }
        let wrong = try ask("wrong.example", trusted: true)
        #expect(wrong.status == 502 && wrong.text.contains("certificate"), "\(wrong.text)")
        let foreign = try ask("right.example", trusted: false)
        #expect(foreign.status == 502 && foreign.text.contains("certificate"), "\(foreign.text)")
        // The control: the same server, with its name and its authority.
        #expect(try ask("right.example", trusted: true).status == 200)
    }
}
