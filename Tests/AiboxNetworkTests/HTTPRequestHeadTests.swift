import AiboxNetwork
import Testing

@Suite("HTTP request heads")
struct HTTPRequestHeadTests {
    static func parse(_ bytes: [UInt8], chunk: Int = .max) -> HTTPRequestHeadParser.Progress {
        var parser = HTTPRequestHeadParser()
        var index = 0
        while index < bytes.count {
            let end = chunk >= bytes.count - index ? bytes.count : index + chunk
            switch parser.feed(bytes[index..<end]) {
            case .needsMore: index = end
            case .head(let head, let unread): return .head(head, unread: unread + bytes.count - end)
            case .refused(let why): return .refused(why)
            }
        }
        return .needsMore
    }

    static func parse(_ text: String) -> HTTPRequestHeadParser.Progress { parse(Array(text.utf8)) }

    @Test(
        "targets",
        arguments: [
            (
                "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
                HTTPRequestHead.Target.authority(host: "a.example", port: 443)
            ),
            ("CONNECT 1.2.3.4:443 HTTP/1.1\r\nHost: x\r\n\r\n", .authority(host: "1.2.3.4", port: 443)),
            ("CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n", .authority(host: "[::1]", port: 443)),
            (
                "GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n",
                .absolute(scheme: "http", host: "a.example", port: 80, path: Array("/x?y".utf8))
            ),
            (
                "GET HTTP://a.example:8080 HTTP/1.1\r\nHost: a.example\r\n\r\n",
                .absolute(scheme: "http", host: "a.example", port: 8080, path: Array("/".utf8))
            ),
            (
                "GET http://a.example?q HTTP/1.1\r\nHost: a.example\r\n\r\n",
                .absolute(scheme: "http", host: "a.example", port: 80, path: Array("/?q".utf8))
            ),
            ("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", .origin(path: Array("/x".utf8))),
            ("GET /x HTTP/1.0\r\n\r\n", .origin(path: Array("/x".utf8))),
        ])
    func targets(text: String, expected: HTTPRequestHead.Target) {
        guard case .head(let head, let unread) = Self.parse(text) else {
            Issue.record("refused")
            return
        }
        #expect(head.target == expected && unread == 0)
    }

    @Test(
        "what two readers could read in two ways is refused",
        arguments: [
            (
                "CL and TE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                HTTPRefusal.length
            ),
            (
                "TE and CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
                .length
            ),
            (
                "two lengths that differ",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", .length
            ),
            (
                "two lengths that agree",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", .length
            ),
            ("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\n", .length),
            ("a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\n", .length),
            ("a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\n", .length),
            ("an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", .length),
            (
                "a length beyond 18 digits",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n", .length
            ),
            ("another coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .encoding),
            (
                "chunked twice",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                .encoding
            ),
            ("a disguised coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n", .control),
            ("identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", .encoding),
            ("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .encoding),
            ("a space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", .field),
            ("a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", .folded),
            ("a folded field by tab", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", .folded),
            ("a space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .folded),
            ("a bare line feed", "GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
            ("a bare line feed in a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", .bareLineFeed),
            ("a bare carriage return", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", .bareCarriageReturn),
            ("NUL", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", .control),
            ("a control character", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n", .control),
            ("no Host", "GET / HTTP/1.1\r\n\r\n", .host),
            ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .host),
            ("two Hosts that agree", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", .host),
            ("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .host),
            ("a list in Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .host),
            ("user information in Host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .host),
            ("bytes beyond ASCII in Host", "GET / HTTP/1.1\r\nHost: é\r\n\r\n", .host),
            ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", .field),
            ("an empty field name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", .field),
            ("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            ("four words", "GET / x HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            ("HTTP/0.9", "GET /\r\n\r\n", .requestLine),
            ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .version),
            ("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .version),
            ("lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", .version),
            ("user information in the target", "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n", .target),
            ("a backslash in the authority", "GET http://a\\b/ HTTP/1.1\r\nHost: b\r\n\r\n", .target),
            ("CONNECT without a port", "CONNECT a.example HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            ("CONNECT with port 0", "CONNECT a.example:0 HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            ("CONNECT with a URL", "CONNECT http://a.example:443/ HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            ("CONNECT with a path", "CONNECT a.example:443/x HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            (
                "CONNECT with a body", "CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
                .unexpectedBody
            ),
            ("GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", .unexpectedBody),
            ("GET with chunks", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .unexpectedBody),
            ("HEAD with chunks", "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .unexpectedBody),
            ("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            ("no scheme", "GET a.example/ HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            ("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            ("an empty authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", .target),
            ("a TLS record", "\u{16}\u{3}\u{1}", .notHTTP),
            ("a blank line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .notHTTP),
            ("a long request line", "GET /" + String(repeating: "a", count: 9000), .tooLarge),
            ("a long field", "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 70000), .tooLarge),
            (
                "many fields", "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 200) + "\r\n",
                .tooLarge
            ),
        ])
    func refused(what: String, text: String, why: HTTPRefusal) {
        #expect(Self.parse(text) == .refused(why))
    }

    @Test("the way the bytes are cut changes nothing", arguments: [1, 2, 3, 7, 64])
    func chunks(size: Int) {
        let texts = [
            "POST http://a.example/x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabcGET /",
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n",
        ]
        for text in texts { #expect(Self.parse(Array(text.utf8), chunk: size) == Self.parse(Array(text.utf8))) }
    }

    @Test("what follows the head is left for the next reader")
    func unread() {
        guard case .head(let head, let unread) = Self.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2") else {
            Issue.record("refused")
            return
        }
        #expect(unread == 6 && head.body == .none && head.keepsAlive)
    }

    @Test("after a refusal nothing is read any more")
    func stuck() {
        var parser = HTTPRequestHeadParser()
        #expect(parser.feed(Array("\n".utf8)[...]) == .refused(.bareLineFeed))
        #expect(parser.feed(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)[...]) == .refused(.bareLineFeed))
    }

    @Test(
        "keeping alive",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false), ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false),
        ])
    func keepAlive(text: String, expected: Bool) {
        guard case .head(let head, _) = Self.parse(text) else {
            Issue.record("refused")
            return
        }
        #expect(head.keepsAlive == expected)
    }
}

@Suite("HTTP bodies")
struct HTTPBodyTrackerTests {
    @Test(
        "the end of a body",
        arguments: [
            (HTTPRequestHead.Body.none, "GET", 0, Int64(0)), (.length(0), "GET", 0, 0), (.length(3), "abcGET", 3, 3),
            (.chunked, "0\r\n\r\nGET", 5, 0), (.chunked, "3\r\nabc\r\n0\r\n\r\nGET", 13, 3),
            (.chunked, "A\r\n0123456789\r\n00\r\n\r\n", 21, 10),
        ])
    func ends(body: HTTPRequestHead.Body, bytes: String, size: Int, content: Int64) throws {
        for chunk in [1, 2, 5, 100] {
            var tracker = HTTPBodyTracker(body)
            var consumed = 0
            var rest = Array(bytes.utf8)[...]
            while !rest.isEmpty, !tracker.isFinished {
                let progress = try tracker.feed(rest.prefix(chunk))
                consumed += progress.consumed
                rest = rest.dropFirst(progress.consumed)
            }
            #expect(tracker.isFinished && consumed == size && tracker.contentBytes == content)
        }
    }

    @Test(
        "a chunked body that can be read in two ways is refused",
        arguments: [
            "\r\n", "x\r\n", "3;ext=1\r\nabc\r\n", "3 \r\nabc\r\n", "3\nabc\r\n", "3\r\nabcd\r\n",
            "3\r\nabc\n0\r\n\r\n", "0\r\nX: y\r\n\r\n",
            "-1\r\n", "+3\r\nabc\r\n", "0x3\r\nabc\r\n", "fffffffffffffffff\r\n", "0\r\n\n", "3\r\rabc",
        ])
    func refused(bytes: String) {
        var tracker = HTTPBodyTracker(.chunked)
        #expect(throws: HTTPRefusal.self) { try tracker.feed(Array(bytes.utf8)[...]) }
    }

    @Test(
        "responses end where their head says",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, HTTPRequestHead.Body?.some(.length(5)), false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, .chunked, false),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false, nil, true),
            ("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", false, HTTPRequestHead.Body.none, false),
            ("HTTP/1.1 304 No\r\n\r\n", false, HTTPRequestHead.Body.none, false),
            ("HTTP/1.1 100 Continue\r\n\r\n", false, HTTPRequestHead.Body.none, false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, HTTPRequestHead.Body.none, false),
        ])
    func responses(text: String, isHead: Bool, body: HTTPRequestHead.Body?, closes: Bool) {
        guard case .head(let head) = HTTPResponseHead.read(Array((text + "rest").utf8), isHead: isHead) else {
            Issue.record("not read")
            return
        }
        #expect(head.body == body && head.closes == closes && head.size == text.utf8.count)
    }
}
