import Testing

@testable import AiboxNetwork

@Suite("Squid's questions")
struct ICAPRequestTests {
    private static let head = "GET https://api.example.com/v1/x?y HTTP/1.1\r\nHost: api.example.com\r\nA: b\r\n\r\n"
    private static let asked = ICAPRequest.modify(
        path: "/secret", method: "GET", url: "https://api.example.com/v1/x?y", head: Array(head.utf8))

    /// As Squid 5.7 writes them.
    private static func question(
        _ head: String = head, section: String = "null-body", length: Int? = nil, more: String = "",
        first: String = "REQMOD icap://127.0.0.1:40001/secret ICAP/1.0"
    ) -> String {
        "\(first)\r\nHost: 127.0.0.1:40001\r\nDate: Mon, 23 Nov 2026 06:00:00 GMT\r\n"
            + "Encapsulated: req-hdr=0, \(section)=\(length ?? head.utf8.count)\r\n\(more)Allow: 204\r\n\r\n\(head)"
    }

    private func parse(_ text: String, by size: Int = .max) throws(ICAPRequest.Failure) -> [ICAPRequest] {
        var parser = ICAPRequestParser()
        var requests: [ICAPRequest] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            parser.feed(rest.prefix(size))
            rest = rest.dropFirst(size)
            while let request = try parser.next() { requests.append(request) }
        }
        return requests
    }

    @Test("what may be asked, requests with and without a body, several on a connection, in pieces of any size")
    func reads() throws {
        let options = "OPTIONS icap://127.0.0.1:40001/secret ICAP/1.0\r\nHost: 127.0.0.1:40001\r\n\r\n"
        let body = Self.question(section: "req-body", more: "Preview: 0\r\n")
        let all = options + Self.question() + body + "0\r\n\r\n" + body + "0; ieof\r\n\r\n" + Self.question()
        let expected = [.options(path: "/secret")] + [ICAPRequest](repeating: Self.asked, count: 4)
        for size in [1, 2, 7, 100, .max] { #expect(try parse(all, by: size) == expected, "\(size)") }
    }

    @Test(
        "what Squid does not write is an error",
        arguments: [
            question(length: head.utf8.count - 1), question(length: 0), question(length: -1), question(length: 200_000),
            question(section: "req-body"), question(section: "req-body", more: "Preview: 5\r\n"),
            question(section: "req-body", more: "Preview: 0\r\n") + "1\r\na\r\n0\r\n\r\n",
            question(section: "req-body", more: "Preview: 0\r\nPreview: 0\r\n"), question(section: "res-body"),
            question(more: "Encapsulated: req-hdr=0, null-body=9\r\n"), question("GET /\r\n\r\n"),
            question("GET  HTTP/1.1\r\n\r\n"),
            question("GET a b HTTP/1.1\r\n\r\n"), question("\r\n\r\n\r\n\r\n"), question("GET / FTP/1\r\n\r\n"),
            question(first: "RESPMOD icap://127.0.0.1:40001/secret ICAP/1.0"),
            question(first: "REQMOD /secret ICAP/1.0"),
            question(first: "REQMOD icap://127.0.0.1/secret ICAP/2.0"), question(first: "GET / HTTP/1.1"),
            question(more: "a\r\n"),
            question(more: "A: \u{1}\r\n"), "REQMOD icap://a/secret ICAP/1.0\r\n\r\n",
            String(repeating: "a", count: 9000),
        ])
    func malformed(text: String) {
        #expect(throws: ICAPRequest.Failure.self) { _ = try parse(text) }
        #expect(throws: ICAPRequest.Failure.self) { _ = try parse(text, by: 1) }
    }

    @Test("what is refused is a whole answer of HTTP, without its body where HEAD was asked")
    func answers() {
        let denial = EgressDenial(.pathNotAllowed, rule: "a\"b", reason: "no")
        let refused = String(decoding: ICAPAnswer.refused(denial, isHead: false).bytes, as: UTF8.self)
        let head = String(decoding: ICAPAnswer.refused(denial, isHead: true).bytes, as: UTF8.self)
        #expect(refused.contains("Encapsulated: res-hdr=0, res-body=") && refused.hasSuffix("}\n\r\n0\r\n\r\n"))
        #expect(refused.contains("X-Aibox-Event: refused\r\n") && refused.contains("HTTP/1.1 403 Forbidden\r\n"))
        #expect(head.contains("null-body=") && head.hasSuffix("\r\n\r\n") && !head.contains("path_not_allowed"))
        let passes = String(decoding: ICAPAnswer.passes(event: "01J").bytes, as: UTF8.self)
        #expect(passes == "ICAP/1.0 204 No Content\r\nISTag: \"aibox\"\r\nX-Aibox-Event: 01J\r\n\r\n")
    }
}
