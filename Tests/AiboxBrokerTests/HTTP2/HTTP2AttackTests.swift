import AiboxAudit
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxBroker

@Suite("Attacks over HTTP/2 on the LLM proxy")
struct HTTP2AttackTests {
    /// What a server must not do, by the name that the lab's server has for it.
    static let attacks = [
        "short", "long", "lengths", "chunked", "encoded", "statusless", "switching", "huge", "bomb", "endless", "pings",
        "settings", "empty", "hints", "push", "garbage",
    ]

    @Test("what a provider must not do is no answer, and stops nobody else", arguments: attacks)
    func attacked(_ what: String) throws {
        let lab = try HTTP2Lab(what)
        let answer = try lab.proxy.ask()
        #expect(answer.status == 502 || !answer.isComplete, "\(answer.head) \(answer.text)")
        if answer.status == 502 { #expect(answer.json?["error"]?["type"] == "api_error") }
        #expect(answer.body.count < 4096 && answer.head.utf8.count < 4096)
        #expect(try lab.ask("hello").status == 200)
    }

    @Test("slow clients grow no memory and stop nobody on the same connection") func slow() throws {
        let lab = try HTTP2Lab()
        #expect(try lab.ask("hello").status == 200)
        // Together far more than the window of a connection.
        let slow = try (0..<8).map { _ in try lab.begin("big/24") }
        #expect(eventually { lab.server.sent > 8 * 200_000 })
        for _ in 0..<5 { #expect(try lab.ask("hello").text.contains("\"ok\":true")) }
        var before = -1
        #expect(
            eventually {
                defer { before = lab.server.sent }
                usleep(500_000)
                return lab.server.sent == before
            })
        // What the kernel's buffers of the clients hold, a window and a buffer of ours each; 192 MiB wait.
        #expect(lab.server.sent < 8 * 8 << 20, "\(lab.server.sent)")
        #expect(lab.connections == 1)
        for client in slow {
            let answer = try #require(client.answer())
            #expect(answer.isComplete && answer.body.count == 24 << 20)
            #expect(
                stride(from: 0, to: answer.body.count, by: 65_536).allSatisfy {
                    answer.body[$0] == UInt8($0 >> 16 & 255)
                })
        }
    }

    @Test("a body of any size goes up only as fast as the server takes it") func stuck() throws {
        let lab = try HTTP2Lab()
        let client = try lab.proxy.client()
        client.send(
            "POST \(lab.place("stuck")) HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\nContent-Length: 104857600\r\n\r\n"
        )
        let flags = fcntl(client.socket.number, F_GETFL)
        _ = fcntl(client.socket.number, F_SETFL, flags | O_NONBLOCK)
        let piece = [UInt8](repeating: 1, count: 65_536)
        var (sent, quiet) = (0, 0)
        while sent < 100 << 20, quiet < 100 {
            let count = send(client.socket.number, piece, piece.count, Int32(MSG_NOSIGNAL))
            if count > 0 {
                (sent, quiet) = (sent + count, 0)
            } else {
                quiet += 1
                usleep(10_000)
            }
        }
        // The kernel's buffers, and less than a megabyte of ours.
        #expect(sent < 16 << 20, "\(sent)")
        #expect(try lab.ask("hello").status == 200)
    }

    @Test(
        "a server that is gone without a word is found out long before the network says so; one that thinks is waited for"
    )
    func silent() throws {
        let thinking = try HTTP2Lab("silent")
        let client = try thinking.proxy.client()
        client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: #"{"model":"claude-1"}"#)
        #expect(eventually { thinking.requests.count == 1 })

        let begin = ContinuousClock.now
        let gone = try HTTP2Lab("deaf")
        let answer = try gone.proxy.ask()
        #expect(answer.status == 502 && answer.text.contains("does not answer any more"), "\(answer.text)")
        #expect(begin.duration(to: .now) < .seconds(50))

        // The same time, and more, for the other one: it answers pings.
        sleep(2)
        #expect(thinking.proxy.audit.of(.llmResponse).isEmpty && thinking.proxy.audit.of(.llmRequest).count == 1)
        client.socket.close()
        #expect(eventually { thinking.resets == [8] })
    }
}
