import AiboxAudit
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import NIOCore
import Testing

@testable import AiboxBroker

/// Package managers' requests on one side, a mirror that lets one user in on the other.
@Suite("Mirrors of packages through the broker")
struct MirrorTests {
    @Test(
        "files come as they are, indexes with their links led back, and each is in the log before the mirror hears of it"
    )
    func works() throws {
        let lab = try MirrorLab()
        try lab.mirror.publish()
        let wheel = try lab.ask("/lab_package-1.0-py3-none-any.whl")
        let file = try lab.mirror.file("lab_package-1.0-py3-none-any.whl")
        #expect(wheel.status == 200 && wheel.body == file, "\(wheel.head)")
        #expect(!wheel.head.lowercased().contains("accept-ranges"))
        // As pip spells what stands in a page.
        let escaped = try lab.proxy.client().asked(lab.base.replacing(":", with: "%3A") + "/simple/lab-package/")
        #expect(escaped?.status == 200)
        let page = try lab.ask("/simple/lab-package/")
        #expect(page.text.contains("href=\"\(lab.url)/lab_package-1.0-py3-none-any.whl\""), "\(page.text)")
        let npm = try lab.ask("/npm/lab-package")
        let tarball = npm.json?["versions"]?["1.0.0"]?["dist"]?["tarball"]?.stringValue
        #expect(tarball == "\(lab.url)/npm-files/lab-package-1.0.0.tgz", "\(npm.text)")
        let cargo = try lab.ask("/sparse/config.json")
        #expect(cargo.json?["dl"]?.stringValue?.hasPrefix(lab.url + "/crates/") == true, "\(cargo.text)")
        let pom = try lab.ask("/maven/test/lab/thing/1.0/thing-1.0.pom")
        #expect(try pom.body == lab.mirror.file("maven/test/lab/thing/1.0/thing-1.0.pom"))
        let missing = try lab.ask("/npm/@lab%2fnone")
        #expect(missing.status == 404 && missing.text == "nothing here")
        #expect(lab.mirror.requests.count == 7 && lab.mirror.requests.allSatisfy { $0.contains("\"right\": true") })
        #expect(lab.mirror.requests.last?.contains("/npm/@lab%2Fnone") == true, "a scoped name stays one")
        let events = lab.proxy.audit.of(.credentialUse)
        #expect(events.count == 7)
        for event in events {
            #expect(event.outcome == .allowed && event.subject == lab.grant.name)
            #expect(event.details["host"]?.stringValue == lab.mirror.place && event.details["operation"] == "read")
            #expect(!JSONValue.object(event.details).text.contains(lab.mirror.secret))
        }
        #expect(events.first?.details["path"] == "/lab_package-1.0-py3-none-any.whl")
    }

    /// learn.microsoft.com/nuget/api/overview and /nuget/api/package-base-address-resource; no client of it is here.
    @Test("NuGet's service index leads back through the broker, step by step to the package")
    func nuget() throws {
        let lab = try MirrorLab()
        try lab.mirror.publish()
        let index = try lab.ask("/nuget-v3/index.json")
        let resources = try #require(index.json?["resources"]?.elements)
        func place(_ type: String) -> String? {
            resources.first { $0["@type"]?.stringValue == type }?["@id"]?.stringValue
        }
        let flat = try #require(place("PackageBaseAddress/3.0.0"))
        #expect(flat == lab.url + "/nuget-v3/flat/", "\(index.text)")
        #expect(place("SearchQueryService") == lab.url + "/nuget-v3/query")
        // Of another server: as it was written.
        #expect(place("RegistrationsBaseUrl/3.6.0") == "https://elsewhere.example/v3/registration/")
        let path = String(flat.dropFirst(lab.url.count)) + "lab-package/"
        #expect(try lab.ask(path + "index.json").json?["versions"]?.elements?.first == "1.0.0")
        let package = try lab.ask(path + "1.0.0/lab-package.1.0.0.nupkg")
        #expect(try package.body == lab.mirror.file("lab-package.1.0.0.nupkg"))
        #expect(lab.mirror.requests.allSatisfy { $0.contains("\"right\": true") })
    }

    /// learn.microsoft.com/nuget/api/registration-base-url-resource
    @Test("each URL of the mirror in NuGet's registration index, page and leaf leads back, and nothing else is changed")
    func nugetRegistrations() throws {
        let lab = try MirrorLab()
        try lab.mirror.publish()
        let start = "/nuget-v3/registration/lab-package/"
        let index = try #require(try lab.ask(start + "index.json").json)
        let page = try #require(index["items"]?.elements?.first?["@id"]?.stringValue)
        let leaf = try #require(
            try lab.ask(String(page.dropFirst(lab.url.count))).json?["items"]?.elements?.first?["@id"]?.stringValue)
        let content = try #require(
            try lab.ask(String(leaf.dropFirst(lab.url.count))).json?["catalogEntry"]?["packageContent"]?.stringValue)
        #expect(
            [page, leaf, content].allSatisfy { $0.hasPrefix(lab.url + "/nuget-v3/") }, "\(page) \(leaf) \(content)")
        let package = try lab.ask(String(content.dropFirst(lab.url.count)))
        #expect(try package.body == lab.mirror.file("lab-package.1.0.0.nupkg"))
        for name in ["index.json", "page/1.0.0/1.0.0.json", "1.0.0.json"] {
            let own = String(decoding: try lab.mirror.file(String(start.dropFirst()) + name), as: UTF8.self)
            let answer = try lab.ask(start + name).text
            #expect(answer == own.replacing("https://\(lab.mirror.place)/", with: lab.url + "/"), "\(name): \(answer)")
            #expect(own.contains(lab.mirror.place) && !answer.contains("https://\(lab.mirror.place)/"))
        }
        #expect(try lab.ask(start + "1.0.0.json").text.contains("https://not-\(lab.mirror.place)/x"))
    }

    @Test("Maven's files come byte for byte, those too that name the mirror: their sums are beside them")
    func maven() throws {
        let lab = try MirrorLab()
        try lab.mirror.publish()
        for file in ["parent/1.0/parent-1.0.pom", "parent/1.0/parent-1.0.pom.sha1", "thing/1.0/thing-1.0.jar"] {
            let path = "maven/test/lab/" + file
            #expect(try lab.ask("/" + path).body == lab.mirror.file(path), "\(path)")
        }
        #expect(try lab.ask("/maven/test/lab/parent/1.0/parent-1.0.pom").text.contains(lab.mirror.place))
    }

    @Test("a question for the head alone has no body, and the connection goes on") func head() throws {
        let lab = try MirrorLab()
        try lab.mirror.publish()
        let client = try lab.proxy.client()
        for path in ["/simple/lab-package/", "/lab_package-1.0-py3-none-any.whl", "/none"] {
            client.send("HEAD \(lab.base)\(path) HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n\r\n")
        }
        client.send(
            "GET \(lab.base)/npm-files/lab-package-1.0.0.tgz HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n\r\n")
        var bytes: [UInt8] = []
        let file = try lab.mirror.file("npm-files/lab-package-1.0.0.tgz")
        while bytes.suffix(file.count) != file[...] {
            guard let more = Loopback.read(client.socket) else { break }
            bytes += more
        }
        let statuses = String(decoding: bytes, as: UTF8.self).split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
        #expect(statuses == ["200", "200", "404", "200"])
        #expect(lab.mirror.requests.count == 4)
    }

    @Test("a refused question for the head has no body either") func refusedHead() throws {
        let lab = try MirrorLab()
        let client = try lab.proxy.client()
        client.send("HEAD /mirror/other.example/x HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n\r\n")
        client.send("GET \(lab.base)/blocked HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n\r\n")
        var text = ""
        while !text.contains("curation"), let more = Loopback.read(client.socket) {
            text += String(decoding: more, as: UTF8.self)
        }
        #expect(text.contains("\r\n\r\nHTTP/1.1 403"), "\(text)")
    }

    static let attacks: [(why: String, path: String, method: String, fields: String, rule: String)] = [
        ("another host", "../evil.example/x", "GET", "", "mirror.credential"),
        ("a host that begins alike", "../localhost.evil.example/x", "GET", "", "mirror.credential"),
        ("a letter that looks alike", "../l%D0%BEcalhost/x", "GET", "", "mirror.path"),
        ("a user before another host", "../localhost@evil.example/x", "GET", "", "mirror.path"),
        ("another port", "../localhost:1/x", "GET", "", "mirror.credential"),
        ("the port of TLS", "../localhost/x", "GET", "", "mirror.credential"),
        ("above the path", "npm/../other/x", "GET", "", "mirror.credential"),
        ("above it, hidden", "npm/%2e%2e/other", "GET", "", "mirror.credential"),
        ("above it, slash hidden", "npm/..%2fother", "GET", "", "mirror.path"),
        ("above it, hidden twice", "npm/%252e%252e/other", "GET", "", "mirror.path"),
        ("above it, with a parameter", "npm/..;/other", "GET", "", "mirror.path"),
        ("above it, backslash", "npm/..%5cother", "GET", "", "mirror.path"),
        ("a slash that is none", "npm%2fx", "GET", "", "mirror.credential"),
        ("a neighbour", "npmx/y", "GET", "", "mirror.credential"),
        ("into git's part", "../../git/localhost:1/x.git/info/refs?service=git-upload-pack", "GET", "", "mirror.path"),
        ("publishing", "npm/x", "PUT", "", "mirror.method"), ("a POST", "npm/x", "POST", "", "mirror.method"),
        ("npm's audit", "npm/-/npm/v1/security/advisories/bulk", "POST", "", "mirror.method"),
        ("deleting", "npm/x", "DELETE", "", "mirror.method"),
        ("a credential of its own", "npm/x", "GET", "Authorization: Bearer abc\r\n", "mirror.credential"),
        ("one in a header of npm's", "npm/x", "GET", "npm-otp: 123456\r\n", "mirror.credential"),
        ("one of Artifactory's", "npm/x", "GET", "X-JFrog-Art-Api: abc\r\n", "mirror.credential"),
        ("a cookie", "npm/x", "GET", "Cookie: a=b\r\n", "mirror.credential"),
        ("an upgrade", "npm/x", "GET", "Upgrade: websocket\r\n", "http.upgrade"),
        ("a body", "npm/x", "GET", "Content-Length: 2\r\n", "http.framing"),
        ("two lengths", "npm/x", "GET", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "http.framing"),
        ("a NUL", "npm/x%00", "GET", "", "mirror.path"),
    ]

    @Test("nothing else goes out with the credential", arguments: attacks)
    func attacked(why: String, path: String, method: String, fields: String, rule: String) throws {
        let upstream = try ScriptedUpstream { _ in }
        let grant = PlaceGrant(
            .mirror, name: "mirror-token:localhost", host: "localhost", port: upstream.port, path: "/npm",
            value: "Bearer mirror-canary-1", secret: "mirror-canary-1")
        let proxy = try LiveProxy(
            upstream,
            edit: { plan in
                plan.places = [grant]
                plan.names = [.init(name: "localhost", addresses: ["127.0.0.1"])]
            })
        let answer = try proxy.ask(
            "/mirror/localhost:\(upstream.port)/" + path, method: method, key: nil, fields: fields, body: "0000")
        #expect(answer.status >= 400 && answer.head.contains("X-Aibox-Rule: \(rule)"), "\(answer.head) \(answer.text)")
        #expect(upstream.connections == 0)
        let event = try #require(proxy.audit.all.last)
        #expect(event.outcome != .allowed && !JSONValue.object(event.details).text.contains("mirror-canary-1"))
    }

    @Test("the credential of git does not open a mirror, nor that of one mirror another one") func kinds() throws {
        let lab = try MirrorLab(.git)
        let answer = try lab.proxy.client().asked(
            "/mirror/\(lab.mirror.place)/npm/x")
        #expect(answer?.head.contains("X-Aibox-Rule: mirror.credential") == true)
        #expect(lab.mirror.requests.isEmpty)
    }

    @Test("what a client says of itself does not reach the mirror: where it comes from, a piece of a file")
    func fields() throws {
        let lab = try MirrorLab()
        _ = try lab.ask(
            "/none",
            fields: "Range: bytes=0-3\r\nX-Forwarded-For: 1.2.3.4\r\nX-HTTP-Method-Override: PUT\r\nAccept: */*\r\n"
                + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")
        let request = try #require(lab.mirror.requests.last)
        #expect(
            request.contains("\"fields\": [\"accept\", \"accept-encoding\", \"authorization\", \"host\"]"), "\(request)"
        )
    }

    @Test("redirects: back through the broker on the same server, as they are to another one, not without TLS")
    func redirected() throws {
        let lab = try MirrorLab()
        func location(_ path: String) throws -> String? {
            let answer = try lab.ask(path)
            let line = answer.head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("location: ") }
            return line.map { String($0.dropFirst("location: ".count)) }
        }
        #expect(try location("/moved/npm/x?a=b") == lab.base + "/npm/x?a=b")
        #expect(try location("/moved/../../git/x") == nil)
        #expect(try location("/relative/npm/x") == lab.base + "/relative/npm/x")
        #expect(
            try location("/away/file.whl") == "https://elsewhere.example/file.whl?sig=a%2bb", "a signature as it was")
        let plain = try lab.ask("/plain/x")
        #expect(plain.status == 502 && plain.text.contains("the credential stays here"), "\(plain.text)")
    }

    @Test("where a redirect leads, however it is written")
    func locations() throws {
        func access(_ kind: PlaceGrant.Kind, _ host: String, _ path: String) throws -> PlaceAccess {
            try PlaceAccess(
                PlaceGrant(
                    kind, name: "mirror-token:" + host, host: host, path: path, value: "Bearer x", secret: "12345678"))
        }
        let places = [
            try access(.mirror, "a.example", "/npm"), try access(.mirror, "files.example", "/"),
            try access(.git, "git.example", "/"),
        ]
        let route = try MirrorRoute.decide(method: "GET", target: Array("/mirror/a.example/npm/x/y".utf8))
        let rows: [(location: String, shown: String?)] = [
            ("/npm/z?q=1#f", "/mirror/a.example/npm/z?q=1"), ("z", "/mirror/a.example/npm/x/z"),
            ("../z", "/mirror/a.example/npm/z"), ("?q", "/mirror/a.example/npm/x/y?q"),
            ("https://A.example:443/npm/z", "/mirror/a.example/npm/z"),
            ("//a.example/npm/z", "/mirror/a.example/npm/z"),
            ("https://files.example/z", "/mirror/files.example/z"),
            ("https://git.example/z", "https://git.example/z"), ("/other", "https://a.example/other"),
            ("../../../z", "https://a.example/z"), ("https://a.example/npm/../z", "https://a.example/npm/../z"),
            ("HTTPS://b.example/Z%2f", "https://b.example/Z%2f"), ("//b.example/z", "https://b.example/z"),
            ("https://a.example:444/npm/z", "https://a.example:444/npm/z"),
            ("https://a.example@b.example/z", nil), ("http://a.example/npm/z", nil), ("javascript:x", nil), ("", nil),
            ("/npm/..%2fz", nil), ("https://127.0.0.1/z", nil), ("ftp://a.example/npm/z", nil),
        ]
        for row in rows { #expect(route.location(row.location, among: places) == row.shown, "\(row.location)") }
    }

    @Test("links are led back wherever pieces begin, and only those of the mirror") func links() throws {
        let lab = try MirrorLab()
        let (answer, place) = (try lab.ask("/links"), lab.mirror.place)
        let expected =
            "\(lab.url)/a \(lab.url.replacing("/", with: "\\/"))\\/b https://\(place).evil/c https://\(place) https://h"
        #expect(answer.text == expected, "\(answer.text)")
        let page = try lab.ask("/page").text
        #expect(
            page == "<a href=\"\(lab.base)/a\">a</a> <a href='\(lab.base)/b'>b</a> <a href=\"//other.example/c\">c</a>"
                + " <a href=\"d\">d</a> /e <a href=\"/", "\(page)")
        let narrow = try MirrorLab(path: "/links")
        #expect(try narrow.ask("/links").text.hasPrefix("https://\(narrow.mirror.place)/a "), "below its path alone")
    }

    @Test("links are found at every border of two pieces, and types of files with sums are none of an index")
    func borders() throws {
        let grant = PlaceGrant(.mirror, name: "m", host: "a.example", value: "Bearer x", secret: "12345678")
        let rewriting = LinkRewriting(
            [try PlaceAccess(grant)], broker: "b:1",
            root: ("/mirror/a.example", "application/vnd.pypi.simple.v1+json"))
        let text = Array(
            #"{"url": "/x", "url":"//y", "u": "https://a.example:443/z https://a.example/", "h": "http"}"#.utf8)
        let expected =
            #"{"url": "/mirror/a.example/x", "url":"//y", "u": "http://b:1/mirror/a.example/z http://b:1/mirror/a.example/","#
            + #" "h": "http"}"#
        for cut in 0...text.count {
            var copy = rewriting
            var out: [UInt8] = []
            for piece in [text[..<cut], text[cut...]] { out += copy.feed(ByteBuffer(bytes: piece)).readableBytesView }
            out += copy.finish().readableBytesView
            #expect(String(decoding: out, as: UTF8.self) == expected, "cut at \(cut)")
        }
        let types: [(String?, Bool)] = [
            ("text/html; charset=utf-8", true), ("application/vnd.npm.install-v1+json", true),
            ("Application/JSON", true),
            (nil, false), ("text/plain", false), ("application/xml", false), ("text/xml", false),
            ("application/octet-stream", false), ("application/vnd.org.gradle.module+json", false),
            ("application/vnd.oci.image.manifest.v1+json", false), ("application/vnd.dev.sigstore.bundle+json", false),
        ]
        for (type, isIndex) in types { #expect(LinkRewriting.isIndex(type) == isIndex, "\(type ?? "none")") }
    }

    @Test("a mirror that says the credential again, piece by piece, says it to nobody inside") func echoed() throws {
        let lab = try MirrorLab()
        let answer = try lab.ask("/echo")
        let pair = Base64.encode(Array("\(lab.mirror.user):\(lab.mirror.secret)".utf8))
        #expect(answer.status == 200 && answer.text.contains("said: aibox:***"), "\(answer.text)")
        for secret in [lab.mirror.secret, pair, String(pair.dropFirst(4).prefix(12))] {
            #expect(!answer.head.contains(secret) && !answer.text.contains(secret), "\(answer.head)\n\(answer.text)")
        }
        #expect(eventually { lab.proxy.audit.of(.credentialUse).last?.severity == .high })
    }

    @Test("programs are told why, in a form that they show, and asked for no password") func refused() throws {
        let wrong = try MirrorLab(secret: "not-the-right-secret")
        let text = try wrong.ask("/npm/lab-package")
        #expect(text.status == 403 && text.head.hasPrefix("HTTP/1.1 403 aibox: "), "\(text.head)")
        #expect(text.text.contains("does not accept mirror-token:") && !text.head.lowercased().contains("www-auth"))
        let json = try wrong.ask("/npm/lab-package", fields: "Accept: application/json\r\n")
        #expect(json.json?["error"]?.stringValue?.contains("does not accept") == true, "\(json.text)")
        let late = try MirrorLab(expires: 1)
        let over = try late.ask("/npm/lab-package")
        #expect(over.status == 403 && over.head.contains("credentials.mirror_token_ttl"), "\(over.head)")
        #expect(late.mirror.requests.isEmpty)
        let lab = try MirrorLab()
        #expect(try lab.ask("/blocked").text == "blocked by curation")
        let audit = try lab.ask("/-/npm/v1/security/advisories/bulk", method: "POST", body: "{}")
        #expect(audit.status == 405 && audit.head.contains("Allow: GET, HEAD"), "\(audit.head)")
        lab.proxy.audit.fail()
        #expect(try lab.ask("/npm/lab-package").status == 503)
        #expect(lab.mirror.requests.count == 1)
    }

    @Test("what is under way ends with the place, goes on with a new secret, and ends with its time") func withdrawn()
        throws
    {
        let lab = try MirrorLab()
        func begin() throws -> RawClient {
            let client = try lab.proxy.client()
            client.send("GET \(lab.base)/endless HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n\r\n")
            #expect(client.more())
            return client
        }
        let client = try begin()
        var next = lab.grant
        (next.secret, next.value) = ("another-secret", "Bearer another-secret")
        try lab.use([next])
        #expect(client.more())
        #expect(try lab.ask("/npm/lab-package").text.contains("does not accept"), "the new one is used at once")
        try lab.use([])
        #expect(client.isClosed())
        #expect(try lab.ask("/npm/lab-package").status == 403)
        next.expires = Timestamp.now.seconds + 2
        (next.secret, next.value) = (lab.grant.secret, lab.grant.value)
        try lab.use([next])
        #expect(try begin().isClosed())
        let events = lab.proxy.audit.of(.credentialUse)
        #expect(
            events.last?.details["reason"]
                == "credentials.mirror_token_ttl: the time for which the credential was lent is over")
        #expect(events.last?.outcome == .denied)
    }

    @Test("one connection serves mirrors and models in turn") func turns() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let client = try proxy.client()
        for _ in 0..<3 {
            client.ask(
                "/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)",
                body: #"{"model":"claude-1","max_tokens":1,"messages":[]}"#)
            #expect(client.answer()?.status == 200)
            client.ask("/mirror/a.example/x", method: "GET", key: nil, body: "")
            #expect(client.answer()?.head.contains("X-Aibox-Rule: mirror.credential") == true)
        }
        #expect(upstream.requests.count == 3)
    }
}

extension RawClient {
    fileprivate func asked(_ path: String) -> Answer? {
        ask(path, method: "GET", key: nil, body: "")
        return answer()
    }
}
