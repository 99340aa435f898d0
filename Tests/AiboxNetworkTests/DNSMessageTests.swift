import AiboxNetwork
import Testing

@Suite("DNS messages")
struct DNSMessageTests {
    @Test("a query and its answer survive the wire")
    func roundTrip() throws {
        let query = DNSMessage(identifier: 0xBEEF, questions: [.init(name: DNSName("a.example"), type: .a)])
        #expect(try DNSMessage(wire: query.wire) == query)
        let answer = query.response(
            .noError, answers: [.init(name: DNSName("a.example"), type: .a, data: [10, 200, 1, 1])])
        let read = try DNSMessage(wire: answer.wire)
        #expect(read == answer && read.answers[0].address?.description == "10.200.1.1")
    }

    @Test("compressed names are followed backwards only")
    func compression() throws {
        let head: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
        let question: [UInt8] = [1, 97, 7] + Array("example".utf8) + [0, 0, 1, 0, 1]
        let record: [UInt8] = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4]
        let message = try DNSMessage(wire: head + question + [1, 98, 0xC0, 14] + record)
        #expect(message.answers[0].name.description == "b.example.")
        for pointer: [UInt8] in [[0xC0, 27], [0xC0, 29], [0xFF, 0xFF], [0xC0, 40]] {
            #expect(throws: DNSFailure.self) { try DNSMessage(wire: head + question + pointer + record) }
        }
    }

    @Test(
        "what is no message is refused",
        arguments: [
            [], [0], [UInt8](repeating: 0, count: 11), [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
            [0, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 1, 0, 1],
            [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1],
            [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [UInt8]((0..<130).flatMap { _ in [UInt8(1), 97] }) + [
                0, 0, 1, 0, 1,
            ],
        ])
    func refused(bytes: [UInt8]) {
        #expect(throws: DNSFailure.self) { try DNSMessage(wire: bytes) }
    }

    @Test("names are shown without control characters")
    func shown() {
        #expect(DNSName(labels: [[0x1B, 0x41], Array("b.c".utf8)]).description == "\\027A.b\\046c.")
    }
}

@Suite("Squid's log")
struct SquidLogLineTests {
    static let tunnel =
        "aibox1 1700000000.123 42 TCP_TUNNEL 200 517 3943 CONNECT allowed.test:443 allowed.test splice 198.51.100.10 - 40017"

    @Test("a tunnel")
    func reads() throws {
        let line = try SquidLogLine(Array(Self.tunnel.utf8)[...])
        #expect(
            line.time == 1_700_000_000_123 && line.duration == 42 && line.result == "TCP_TUNNEL" && line.status == 200)
        #expect(
            line.bytesReceived == 517 && line.bytesSent == 3943 && line.method == "CONNECT"
                && line.url == "allowed.test:443")
        #expect(
            line.serverName == "allowed.test" && line.bumpMode == "splice" && line.server == IPAddress("198.51.100.10"))
        #expect(line.error == nil && line.clientPort == 40017 && !line.isRefused)
    }

    @Test("escapes are undone, and a denial is seen")
    func denied() throws {
        let text =
            "aibox1 1700000000.000 0 TCP_DENIED 403 100 3900 GET http://x.test/a%20b%0A - - - ERR_ACCESS_DENIED 1"
        let line = try SquidLogLine(Array(text.utf8)[...])
        #expect(line.url == "http://x.test/a b\n" && line.isRefused && line.server == nil)
    }

    @Test(
        "other lines are refused",
        arguments: [
            "", "aibox1", tunnel.replacing("aibox1", with: "aibox2"), tunnel + " x",
            tunnel.replacing(" 42 ", with: " -42 "),
            tunnel.replacing(" 42 ", with: "  "), tunnel.replacing("200", with: "2000"),
            tunnel.replacing("allowed", with: "al%zowed"),
            tunnel.replacing("allowed", with: "all\towed"), tunnel + "\0",
            tunnel.replacing("40017", with: String(repeating: "x", count: 70000)),
        ])
    func refused(text: String) {
        #expect(throws: SquidLogLine.Failure.self) { try SquidLogLine(Array(text.utf8)[...]) }
    }
}
