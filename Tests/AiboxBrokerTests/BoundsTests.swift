import AiboxAudit
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import NIOCore
import Testing

@testable import AiboxBroker

/// Who is slow, and who is too much: each bound of docs/llm-proxy.md, with smaller numbers.
@Suite("The bounds of the LLM proxy")
struct BoundsTests {
    /// One bound of time, and who meets it.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bounds: @Sendable (inout LLMProxyServer.Bounds) -> Void
        var upstream: @Sendable (ScriptedUpstream.Connection) -> Void = { _ in }
        /// Asks in a slow way. The text is the head of a request up to its length.
        var client: @Sendable (RawClient, String) -> Void
        /// nil: the connection is closed without a word.
        var status: Int?
        var rule = "llm.time"
        /// Why, in the answer or in the event of one that was broken off.
        var words = ""
        /// What the log has of it, in order.
        var events: [String] = []
        var isComplete = true
    }

    private static let body = #"{"model":"claude-1","stream":true}"#
    private static let stream =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n"

    /// Byte by byte, for as long as somebody takes them: each of them is a sign of life.
    private static func trickle(_ client: RawClient, _ text: String) {
        for byte in text.utf8 {
            var answered = pollfd(fd: client.socket.number, events: Int16(POLLIN), revents: 0)
            if poll(&answered, 1, 100) != 0 || !Loopback.write(client.socket, [byte]) { return }
        }
    }

    private static let whole: @Sendable (RawClient, String) -> Void = { client, head in
        client.send(head + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    static let slowOnes: [Case] = [
        Case(
            testDescription: "a head that comes byte by byte", bounds: { $0.headTime = .seconds(1) },
            client: { client, head in
                client.send(head)
                trickle(client, "X: " + String(repeating: "x", count: 600))
            }, status: 408, words: "the request did not come within the time for it",
            events: ["llm.request failure"]),
        Case(
            testDescription: "a body that comes byte by byte", bounds: { $0.bodyTime = .seconds(1) },
            client: { client, head in
                client.send(head + "Content-Length: 600\r\n\r\n")
                trickle(client, String(repeating: " ", count: 600))
            }, status: 408, words: "the request did not come within the time for it",
            events: ["llm.request failure"]),
        Case(
            testDescription: "a chunked body without an end", bounds: { $0.bodyTime = .seconds(1) },
            client: { client, head in client.send(head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n") }, status: 408,
            words: "the request did not come within the time for it", events: ["llm.request failure"]),
        Case(
            testDescription: "a connection on which nothing is asked", bounds: { $0.idleTime = .milliseconds(500) },
            client: { _, _ in }),
        Case(
            testDescription: "a provider that does not begin to answer",
            bounds: { ($0.answerTime, $0.look) = (.seconds(1), .milliseconds(100)) },
            upstream: { connection in
                _ = connection.request()
                connection.drain()
            }, client: whole, status: 504, words: "the provider did not answer within 1 s",
            events: ["llm.request allowed", "llm.response failure", "llm.request failure"]),
        Case(
            testDescription: "a provider that falls silent",
            bounds: { ($0.silence, $0.look) = (.seconds(1), .milliseconds(100)) },
            upstream: { connection in
                _ = connection.request()
                connection.send(stream)
                connection.drain()
            }, client: whole, status: 200, words: "nothing moved for 1 s",
            events: ["llm.request allowed", "llm.response failure"], isComplete: false),
        Case(
            testDescription: "a client that does not read",
            bounds: { ($0.silence, $0.look) = (.seconds(1), .milliseconds(100)) },
            upstream: { connection in
                _ = connection.request()
                connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 67108864\r\n\r\n")
                for _ in 0..<64 { connection.send([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)) }
            },
            client: { client, head in
                whole(client, head)
                sleep(3)
            }, status: 200, words: "nothing moved for 1 s", events: ["llm.request allowed", "llm.response failure"],
            isComplete: false),
    ]

    @Test("who is slow is told, or broken off, in its time, and the log says why", arguments: slowOnes)
    func slow(_ expected: Case) throws {
        let upstream = try ScriptedUpstream(expected.upstream)
        let proxy = try LiveProxy(upstream, bounds: expected.bounds)
        let client = try proxy.client()
        let begun = ContinuousClock.now
        expected.client(
            client,
            "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\nx-api-key: \(LiveProxy.anthropic)\r\n")
        let answer = client.answer()
        #expect(begun.duration(to: .now) < .seconds(20))
        #expect(answer?.status == expected.status && answer?.isComplete ?? true == expected.isComplete)
        func shown() -> [String] { proxy.audit.all.map { "\($0.type.rawValue) \($0.outcome.rawValue)" } }
        #expect(eventually { shown().count == expected.events.count })
        #expect(shown() == expected.events)
        for event in proxy.audit.all { #expect(event.problems == []) }
        if let status = expected.status {
            let said = proxy.audit.all.last?.details["reason"]?.stringValue
            #expect(said == "\(expected.rule): \(expected.words)")
            if status >= 400 {
                #expect(answer?.json?["aibox"]?["rule"]?.stringValue == expected.rule)
                #expect(answer?.json?["error"]?["message"]?.stringValue == "aibox: " + expected.words)
                #expect(answer?.json?["error"]?["type"]?.stringValue == "timeout_error")
            }
        }
        // What was read halfway carries nothing more; what was read whole does.
        if expected.status != 504 { #expect(client.isClosed() && client.leftover.isEmpty) }
    }

    @Test("a connection that carried a request is closed when no other comes") func idle() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, bounds: { $0.idleTime = .milliseconds(500) })
        let client = try proxy.client()
        client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: Self.body)
        #expect(client.answer()?.status == 200)
        let begun = ContinuousClock.now
        #expect(client.isClosed() && client.leftover.isEmpty)
        #expect(begun.duration(to: .now) > .milliseconds(300))
    }

    /// A listening socket that has no room: what connects there waits for ever.
    private final class FullQueue {
        let port: UInt16
        private let listener: Descriptor
        private let waiting: [Descriptor]

        init() throws {
            (listener, port) = try Loopback.listen()
            Glibc.listen(listener.number, 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let place = address
            waiting = (0..<4).map { _ in
                let socket = Descriptor(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
                socket.setNonBlocking()
                withUnsafePointer(to: place) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        _ = Glibc.connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                return socket
            }
            usleep(50_000)
        }
    }

    @Test("an upstream that does not take the connection, or says nothing of TLS, or is not there, is 502 in its time")
    func connecting() throws {
        let full = try FullQueue()
        let silent = try ScriptedUpstream { $0.drain() }
        let cases = [
            ("http://127.0.0.1:\(full.port)", "cannot ask 127.0.0.1: it cannot be reached"),
            (
                "https://127.0.0.1:\(silent.port)",
                "cannot ask 127.0.0.1: the server closed the connection during the TLS handshake"
            ),
            ("http://127.0.0.1:\(try Lab.freePort())", "cannot ask 127.0.0.1: it cannot be reached"),
        ]
        for (base, words) in cases {
            let proxy = try LiveProxy(
                silent, bounds: { $0.connectTime = .milliseconds(400) }, edit: { $0.grants[0].base = base })
            let begun = ContinuousClock.now
            let answer = try proxy.ask()
            #expect(begun.duration(to: .now) < .seconds(10))
            #expect(answer.status == 502 && answer.json?["aibox"]?["rule"] == "llm.upstream")
            #expect(answer.json?["error"]?["message"]?.stringValue == "aibox: " + words)
            #expect(proxy.audit.of(.llmRequest).map(\.outcome) == [.allowed, .failure])
            #expect(proxy.audit.of(.llmRequest).last?.details["reason"]?.stringValue == "llm.upstream: " + words)
        }
    }

    @Test("100 MB in chunks, three times: the program has room for 32 MiB of them, and then gives that back")
    func memory() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let program = try ProxyProgram(
            BrokerPlan(
                grants: [
                    .init(
                        name: "llm-api-key:anthropic", api: .anthropic, surrogate: LiveProxy.anthropic,
                        secret: LiveProxy.secret, base: "http://127.0.0.1:\(upstream.port)")
                ], models: ["*"], targets: ["127.0.0.1/32"]))
        func kilobytes(_ name: String) throws -> Int {
            let status = try File.text("/proc/\(program.process.pid)/status")
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") })
            return try #require(Int(line.filter(\.isNumber)))
        }
        let before = try kilobytes("VmRSS")
        let piece = Array("10000\r\n\(String(repeating: "x", count: 65_536))\r\n".utf8)
        for _ in 0..<3 {
            let client = try program.client()
            client.send(
                "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(program.port)\r\nx-api-key: \(LiveProxy.anthropic)\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for _ in 0..<1600 { if !Loopback.write(client.socket, piece) { break } }
            #expect(client.answer()?.status == 413)
        }
        // The body, and what the allocator needs to make room for it.
        #expect(try kilobytes("VmHWM") < before + 64 << 10)
        #expect(eventually { ((try? kilobytes("VmRSS")) ?? .max) < before + 16 << 10 })
        #expect(upstream.connections == 0)
    }

    @Test("one connection more than there may be is told so, until another one goes") func connections() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, bounds: { $0.connections = 3 })
        var open = try (0..<3).map { _ in try proxy.client() }
        // Taken in the order in which they came.
        open[2].ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: Self.body)
        #expect(open[2].answer()?.status == 200)
        let beyond = try proxy.client()
        let refused = try #require(beyond.answer())
        #expect(refused.status == 503 && refused.json?["aibox"]?["rule"] == "llm.connections")
        #expect(refused.json?["error"]?["message"]?.stringValue == "aibox: more than 3 connections are open")
        #expect(beyond.isClosed())
        let event = try #require(proxy.audit.of(.llmRequest).last)
        #expect(event.outcome == .failure && event.problems == [])
        #expect(event.details["reason"] == "llm.connections: more than 3 connections are open")
        open.removeFirst().socket.close()
        #expect(eventually { (try? proxy.ask())?.status == 200 })
    }

    @Test("bodies that are held have room for 34 MiB in all; beyond that one is told to come again, and then has room")
    func bodies() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        func announce(_ bytes: Int) throws -> RawClient {
            let client = try proxy.client()
            client.send(
                "POST /v1/messages HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\nx-api-key: \(LiveProxy.anthropic)\r\nContent-Length: \(bytes)\r\nExpect: 100-continue\r\n\r\n"
            )
            return client
        }
        // What is announced is held.
        let first = try announce(32 << 20)
        #expect(first.more() && String(decoding: first.leftover, as: UTF8.self).contains("100 Continue"))
        let second = try announce((2 << 20) + 1)
        let refused = try #require(second.answer())
        #expect(refused.status == 503 && refused.json?["aibox"]?["rule"] == "llm.size")
        #expect(refused.head.contains("Retry-After: 1\r\n"))
        #expect(refused.json?["error"]?["message"]?.stringValue == "aibox: too many large requests are under way")
        #expect(second.isClosed())
        #expect(
            proxy.audit.of(.llmRequest).last?.details["reason"] == "llm.size: too many large requests are under way")
        // Exactly what is left fits.
        let exact = try announce(2 << 20)
        #expect(exact.more() && String(decoding: exact.leftover, as: UTF8.self).contains("100 Continue"))
        first.socket.close()
        exact.socket.close()
        #expect(
            eventually {
                guard let client = try? announce(32 << 20), client.more() else { return false }
                return String(decoding: client.leftover, as: UTF8.self).contains("100 Continue")
            })
    }
}
