import AiboxSystem
import Testing

@testable import AiboxGateway

@Suite("Lines of the control socket are bounded")
struct LineFramerTests {
    @Test("lines come out whole, however the bytes come in", arguments: [1, 2, 3, 100])
    func pieces(size: Int) throws {
        var framer = LineFramer(limit: 8)
        let bytes = Array("ab\n\nlonger7\nrest".utf8)
        var lines: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += try framer.feed(bytes[start..<min(start + size, bytes.count)])
        }
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["ab", "", "longer7"])
    }

    @Test("one byte too many is refused, with or without its newline")
    func overlong() throws {
        var framer = LineFramer(limit: 4)
        #expect(try framer.feed(Array("abc\n".utf8)) == [Array("abc".utf8)])
        #expect(throws: LineFramer.Overlong.self) { try framer.feed(Array("abcd".utf8)) }
    }
}

@Suite("Log lines cannot be forged")
struct GatewayLogTests {
    static let lines: [(why: String, value: String, printed: String)] = [
        ("plain", "127.0.0.1:22", "127.0.0.1:22"),
        ("empty", "", "\"\""),
        ("a space", "a b", "\"a b\""),
        ("a line break", "a\n2026 error x", #""a\n2026 error x""#),
        ("an escape sequence", "\u{1b}[2J", #""\u001b[2J""#),
        ("a quote", "a\"b", #""a\"b""#),
    ]

    @Test("values are quoted where they need to be", arguments: lines)
    func value(why: String, value: String, printed: String) {
        let line = GatewayLog.line(Timestamp(seconds: 0), .info, "event", ["key": value])
        #expect(line == "1970-01-01T00:00:00.000Z info event key=\(printed)\n", "\(why)")
    }
}

@Suite("IPv4 addresses")
struct IPv4Tests {
    @Test("four decimal numbers", arguments: ["0.0.0.0", "10.200.1.2", "255.255.255.255"])
    func accepted(text: String) { #expect(IPv4(text)?.description == text) }

    @Test(
        "nothing else",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "1.2.3.", "01.2.3.4", "1.2.3.256", "+1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "١.2.3.4",
        ])
    func refused(text: String) { #expect(IPv4(text) == nil) }
}

@Suite("Every namespace is closed before it has a cable")
struct KernelSwitchesTests {
    @Test("IPv6, forwarding, redirects and loopback routing are off for present and future interfaces")
    func complete() {
        let wanted = Dictionary(KernelSwitches.wanted.map { ($0.path, $0.value) }) { $1 }
        for name in ["all", "default"] {
            #expect(wanted["ipv6/conf/\(name)/disable_ipv6"] == "1")
            #expect(wanted["ipv4/conf/\(name)/rp_filter"] == "1")
            for off in ["forwarding", "accept_source_route", "accept_redirects", "send_redirects", "route_localnet"] {
                #expect(wanted["ipv4/conf/\(name)/\(off)"] == "0")
            }
        }
        #expect(KernelSwitches.wanted.first?.path == "ipv4/ip_forward")
    }
}
