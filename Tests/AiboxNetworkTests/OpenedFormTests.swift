import Testing

@testable import AiboxNetwork

@Suite("Requests in opened tunnels, as they are written")
struct OpenedFormTests {
    private func form(_ rest: String, method: String = "GET", hasBody: Bool = false) -> OpenedForm? {
        let url = "https://a.test" + rest
        return try? EgressRequest(url, method: method).form(inside: url, hasBody: hasBody)
    }

    @Test(
        ". segments are taken out of the path, and nothing else is touched",
        arguments: [
            ("/dir/./Packages", "/dir/Packages"), ("/.", "/"), ("/./", "/"), ("/././.", "/"), ("/a/.", "/a/"),
            ("/a/./", "/a/"), ("/./a", "/a"), ("/a/././b/./c", "/a/b/c"), ("/.a/./b./...", "/.a/b./..."),
            ("/a/./b?x=/./y/../.&%2e=//%c3", "/a/b?x=/./y/../.&%2e=//%c3"), ("/.?/.", "/?/."), ("/./?", "/?"),
            (":8443/./a", ":8443/a"), ("/./a;v=1/%C3%A9/x%2Fy", "/a;v=1/%C3%A9/x%2Fy"),
            // The case of escapes is nothing that anybody decides on; what goes out is the normal form all the same.
            ("/dir/./g%2b%2b_1%3a2.deb", "/dir/g%2B%2B_1%3A2.deb"), ("/./x%2fy", "/x%2Fy"),
            ("/" + String(repeating: "./", count: 4096) + "a", "/a"),
            ("/a/" + String(repeating: "./", count: 4096), "/a/"),
        ])
    func rewritten(raw: String, expected: String) {
        #expect(form(raw) == .rewritten("https://a.test" + expected))
        #expect(form(expected) == .asWritten)
        #expect(form(raw, method: "get") == .refused(.otherMethod))
        #expect(form(raw, hasBody: true) == .refused(.otherPath), "what has a body goes out as it is written")
    }

    @Test(
        "what is in its normal form goes out as it is",
        arguments: [
            "", "/", "/a/b", "/?x=/./", "/a?/./..//%2e", "/.a", "/a.", "/...", "/.a/b.", "/%c3%a9", "/.%3Fx",
            "/.%C3%A9", ":8443/a",
        ])
    func asWritten(raw: String) {
        #expect(form(raw) == .asWritten)
        #expect(form(raw, hasBody: true) == .asWritten)
    }

    @Test(
        "whatever else is not in normal form is refused, beside . segments and without them",
        arguments: [
            "/..", "/a/../b", "/./../x", "/../.", "/a/./../b", "/a/.././b", "//", "/.//", "//./a", "/a/.//b", "/a//./b",
            "/./a//", "/%2e", "/a/%2e/b", "/a/./%2E/b", "/%2e/./a", "/./%2e%2e/x", "/./.%2e/x", "/./%61", "/./%7e",
            "/%2E/%c3", "/%2e/a%20b",
        ])
    func refused(raw: String) { #expect(form(raw) == .refused(.otherPath)) }

    @Test(
        "what servers read in different ways is no request at all",
        arguments: [
            "/.;", "/./.;/x", "/./..;/x", "/./..%2fx", "/.%2fx", "/./%2f.", "/./%252e/x", "/./a\\b", "/.\\x",
            "/./a#/./b",
            "/./%00", "/./%", "/./a b", "/./\u{e9}", "/./\u{301}", "/.\u{301}/x", "?x=/./#", "?x=\u{301}",
        ])
    func unreadable(raw: String) { #expect(form(raw) == nil) }

    @Test("what goes out is in normal form, stands for the same request, and has the same query")
    func property() throws {
        let pieces = [
            "/", ".", "./", "/.", "..", "%2e", "%2E", "%2f", "%c3", "%C3", ";", "?", "a", "~", "%7e", "\\", "#", "%",
            ":",
        ]
        var random = SystemRandomNumberGenerator()
        var count = 0
        for _ in 0..<50_000 {
            let raw =
                "/"
                + (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
            guard case .rewritten(let url) = form(raw) else { continue }
            count += 1
            #expect(try EgressRequest(url) == EgressRequest("https://a.test" + raw), "\(raw)")
            #expect(form(String(url.dropFirst(14))) == .asWritten, "\(raw)")
            #expect(url.drop { $0 != "?" } == raw.drop { $0 != "?" }, "\(raw)")
            let path = raw.prefix { $0 != "?" }
            #expect(path.split(separator: "/").contains(".") && !path.contains("//"), "\(raw)")
            #expect(!path.split(separator: "/").contains("..") && !path.lowercased().contains("%2e"), "\(raw)")
        }
        #expect(count > 100)
    }
}
