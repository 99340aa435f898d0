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
        "aibox2 1700000000.123 42 TCP_TUNNEL 200 517 3943 CONNECT allowed.test:443 allowed.test splice 198.51.100.10 - 40017 -"

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
        #expect(line.error == nil && line.clientPort == 40017 && line.event == nil && !line.isRefused)
    }

    @Test("escapes are undone, and a denial is seen")
    func denied() throws {
        let text =
            "aibox2 1700000000.000 0 TCP_DENIED 403 100 3900 GET http://x.test/a%20b%0A - - - ERR_ACCESS_DENIED 1 refused"
        let line = try SquidLogLine(Array(text.utf8)[...])
        #expect(line.url == "http://x.test/a b\n" && line.isRefused && line.server == nil)
        #expect(line.event == ICAPAnswer.told)
    }

    /// As Squid 5.7 wrote them for what was sent in an opened tunnel.
    @Test(
        "what Squid could not read is told from requests and from the end of a connection",
        arguments: [
            ("HTTP/2", "NONE_NONE 400 16 3535 PRI * - - - - 55094", true),
            ("another protocol", "NONE_NONE 400 14 3355 SSH-2.0-xx error:invalid-request - - - - 55100", true),
            ("another version", "NONE_NONE 505 20 3350 GET https://api.example.com:443/v1/x - - - - 55112", true),
            ("an end", "NONE_NONE 000 48 0 - error:transaction-end-before-headers - - - - 55094", false),
            ("a tunnel", "NONE_NONE 200 114 0 CONNECT api.example.com:443 api.example.com bump - - 55124", false),
            (
                "a dead origin",
                "TCP_MISS 503 20 3418 GET https://api.example.com/v1/x api.example.com bump 127.0.0.1 ERR_CONNECT_FAIL 5",
                false
            ),
        ])
    func unreadable(what: String, text: String, expected: Bool) throws {
        #expect(try SquidLogLine(Array("aibox2 1700000000.000 0 \(text) -".utf8)[...]).isUnreadable == expected)
    }

    @Test(
        "other lines are refused",
        arguments: [
            "", "aibox1", tunnel.replacing("aibox2", with: "aibox1"), tunnel + " x",
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
