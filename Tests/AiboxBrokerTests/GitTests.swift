import AiboxAudit
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxBroker

/// Real git on one side, git's own server on the other, and the broker with the credential between them.
@Suite("git through the broker")
struct GitTests {
    private static func grant(
        _ port: UInt16, path: String, value: String, secret: String, expires: Int64? = nil
    ) -> PlaceGrant {
        PlaceGrant(
            .git,
            name: "git-token:localhost", host: "localhost", port: port, path: path, value: value, secret: secret,
            expires: expires)
    }

    private static func lend(_ grant: PlaceGrant, in plan: inout BrokerPlan) {
        plan.places = [grant]
        plan.names = [.init(name: "localhost", addresses: ["127.0.0.1"])]
    }

    private final class Lab {
        let server: LabGitServer
        let proxy: LiveProxy
        let folder: TemporaryFolder
        private let broker: String

        init(path: String = "/", secret: String? = nil, expires: Int64? = nil) throws {
            let server = try LabGitServer()
            self.server = server
            folder = try TemporaryFolder(prefix: "aibox-clone")
            let pair = Base64.encode(Array("x-access-token:\(secret ?? server.secret)".utf8))
            let secret = secret ?? server.secret
            let grant = GitTests.grant(
                server.port, path: path, value: "Basic " + pair, secret: secret, expires: expires)
            proxy = try LiveProxy(
                try ScriptedUpstream { _ in },
                edit: { plan in
                    GitTests.lend(grant, in: &plan)
                    plan.authorities = [server.certificate]
                })
            broker = "http://llm.test:\(proxy.port)"
        }

        /// git as it runs inside: every URL of the server is the broker's.
        func git(_ arguments: String..., in folder: String? = nil) throws -> CommandResult {
            let place = "localhost:\(server.port)"
            let settings = [
                "url.\(broker)/git/\(place)/.insteadOf=https://\(place)/", "http.followRedirects=initial",
                "http.curloptResolve=llm.test:\(proxy.port):127.0.0.1",
            ].flatMap { ["-c", $0] }
            return try SystemCommandRunner().run(
                Command(
                    "git", settings + arguments,
                    environment: LabGitServer.clientEnvironment, directory: folder ?? self.folder.path),
                timeout: .seconds(120))
        }

        func url(_ repository: String = "team/x.git") -> String { "https://localhost:\(server.port)/\(repository)" }

        /// A request as bytes, to `/git/` and what follows.
        func ask(_ path: String, method: String = "GET", fields: String = "") throws -> RawClient.Answer {
            try proxy.ask(
                "/git/localhost:\(server.port)/" + path, method: method, key: nil, fields: fields, body: "0000")
        }
    }

    @Test("clone, push and fetch, large packs too, with a credential that is nowhere in the clone")
    func works() throws {
        let lab = try Lab()
        let cloned = try lab.git("clone", "-q", lab.url(), "one")
        #expect(cloned.succeeded, "\(cloned.errorText)")
        let one = lab.folder.path + "/one"
        // More than git sends in one piece, and nothing that could be compressed.
        var generator = SeededGenerator(seed: 7)
        let bytes = (0..<(3 << 20)).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try File.replace(one + "/large", with: bytes)
        #expect(try lab.git("add", "-A", in: one).succeeded)
        #expect(try lab.git("commit", "-qm", "one", in: one).succeeded)
        let pushed = try lab.git("push", "-q", "origin", "HEAD:main", in: one)
        #expect(pushed.succeeded, "\(pushed.errorText)")
        #expect(try lab.server.head() == lab.git("rev-parse", "HEAD", in: one).text)
        let again = try lab.git("clone", "-q", lab.url(), "two")
        #expect(again.succeeded, "\(again.errorText)")
        #expect(try File.read(lab.folder.path + "/two/large") == bytes)
        #expect(try lab.git("fetch", "-q", in: one).succeeded)
        #expect(lab.server.requests.allSatisfy { $0.contains("\"user\": \"x-access-token\"") })

        let found = try SystemCommandRunner().run(Command("grep", ["-rlF", lab.server.secret, lab.folder.path]))
        #expect(found.termination == .exited(1), "\(found.text)")
        let events = lab.proxy.audit.of(.credentialUse)
        #expect(events.count == lab.server.requests.count)
        #expect(events.contains { $0.details["operation"] == "push" })
        #expect(
            events.allSatisfy {
                $0.outcome == .allowed && $0.subject == "git-token:localhost" && $0.details["path"] == "/team/x.git"
                    && !JSONValue.object($0.details).text.contains(lab.server.secret)
            })
    }

    @Test("git tells people why it was refused, and asks for no password")
    func refused() throws {
        let lab = try Lab(path: "/team")
        let elsewhere = try lab.git("clone", lab.url("other/y.git"), "y")
        #expect(elsewhere.errorText.contains("remote: aibox: the credential for localhost:"), "\(elsewhere.errorText)")
        let wrong = try Lab(secret: "not-the-right-secret")
        let denied = try wrong.git("clone", wrong.url(), "x")
        #expect(denied.errorText.contains("does not accept git-token:localhost"), "\(denied.errorText)")
        let late = try Lab(expires: 1)
        let over = try late.git("clone", late.url(), "x")
        #expect(over.errorText.contains("the time for which the credential was lent is over"), "\(over.errorText)")
        #expect(late.server.requests == [] && lab.server.requests == [])
        #expect(late.proxy.audit.of(.credentialUse).map(\.outcome) == [.denied])
    }

    static let attacks: [(why: String, path: String, method: String, fields: String, rule: String)] = [
        ("another server", "../evil.example/x.git/info/refs?service=git-upload-pack", "GET", "", "git.credential"),
        ("another port", "../localhost:1/x.git/info/refs?service=git-upload-pack", "GET", "", "git.credential"),
        ("above the path", "team/../other/x.git/info/refs?service=git-upload-pack", "GET", "", "git.credential"),
        ("above it, hidden", "team/%2e%2e/x.git/info/refs?service=git-upload-pack", "GET", "", "git.credential"),
        ("above it, slash hidden", "team/..%2fx.git/info/refs?service=git-upload-pack", "GET", "", "git.path"),
        ("a neighbour", "teams/x.git/info/refs?service=git-upload-pack", "GET", "", "git.credential"),
        ("an API", "api/v3/user", "GET", "", "git.path"),
        ("single files", "team/x.git/objects/info/packs", "GET", "", "git.path"),
        ("the old protocol", "team/x.git/info/refs", "GET", "", "git.path"),
        ("another service", "team/x.git/info/refs?service=git-upload-archive", "GET", "", "git.path"),
        (
            "two services", "team/x.git/info/refs?service=git-upload-pack&service=git-receive-pack", "GET", "",
            "git.path"
        ),
        ("a query on a transfer", "team/x.git/git-upload-pack?x=1", "POST", "", "git.path"),
        ("no repository", "git-upload-pack", "POST", "", "git.path"),
        ("the wrong method", "team/x.git/git-upload-pack", "GET", "", "git.method"),
        ("a question mark, hidden", "team/user%3F/info/refs?service=git-upload-pack", "GET", "", "git.path"),
        ("an API that takes a file", "team/api/v1/repos/x/contents/git-upload-pack", "POST", "", "git.type"),
        ("large files", "team/x.git/info/lfs/objects/batch", "POST", "", "git.lfs"),
        (
            "a credential of its own", "team/x.git/info/refs?service=git-upload-pack", "GET",
            "Authorization: Basic eDp5\r\n", "git.credential"
        ),
        ("a cookie", "team/x.git/info/refs?service=git-upload-pack", "GET", "Cookie: a=b\r\n", "git.credential"),
        ("an upgrade", "team/x.git/info/refs?service=git-upload-pack", "GET", "Upgrade: h2c\r\n", "http.upgrade"),
        ("zstd", "team/x.git/git-upload-pack", "POST", "Content-Encoding: zstd\r\n", "http.framing"),
        (
            "two lengths", "team/x.git/git-upload-pack", "POST", "Transfer-Encoding: chunked\r\n", "http.framing"
        ),
    ]

    @Test("nothing else goes out with the credential", arguments: attacks)
    func attacked(why: String, path: String, method: String, fields: String, rule: String) throws {
        let upstream = try ScriptedUpstream { _ in }
        let grant = Self.grant(upstream.port, path: "/team", value: "Bearer git-canary-1", secret: "git-canary-1")
        let proxy = try LiveProxy(upstream, edit: { Self.lend(grant, in: &$0) })
        let answer = try proxy.ask(
            "/git/localhost:\(upstream.port)/" + path, method: method, key: nil, fields: fields, body: "0000")
        #expect(answer.status >= 400 && answer.head.contains("X-Aibox-Rule: \(rule)"), "\(answer.head) \(answer.text)")
        #expect(upstream.connections == 0)
        let event = try #require(proxy.audit.all.last)
        #expect(event.outcome != .allowed && !JSONValue.object(event.details).text.contains("git-canary-1"))
    }

    @Test("what cannot be written into the log does not go out") func unrecorded() throws {
        let lab = try Lab()
        #expect(try lab.git("ls-remote", lab.url()).succeeded)
        let before = lab.server.requests.count
        lab.proxy.audit.fail()
        let answer = try lab.ask("team/x.git/info/refs?service=git-upload-pack")
        #expect(answer.status == 503 && answer.text.contains("audit"), "\(answer.status) \(answer.text)")
        let clone = try lab.git("clone", lab.url(), "x")
        #expect(!clone.succeeded && before > 0 && lab.server.requests.count == before, "\(clone.errorText)")
    }

    @Test("a repository that has moved is followed on the same server, and to no other") func redirected() throws {
        let lab = try Lab()
        let moved = try lab.git("ls-remote", lab.url("moved/team/x.git"))
        #expect(moved.succeeded, "\(moved.errorText)")
        let away = try lab.git("ls-remote", lab.url("away/team/x.git"))
        #expect(away.errorText.contains("sends elsewhere, and the credential stays here"), "\(away.errorText)")
    }

    @Test("a redirect stays on its server however it is written")
    func redirects() throws {
        let grant = PlaceGrant(
            .git, name: "git-token:a.example", host: "a.example", value: "Bearer x", secret: "12345678")
        let access = try PlaceAccess(grant)
        let rows: [(location: String, path: String?)] = [
            ("/x.git/info/refs?service=git-upload-pack", "/git/a.example/x.git/info/refs?service=git-upload-pack"),
            ("https://a.example/x.git/info/refs", "/git/a.example/x.git/info/refs"),
            ("https://A.example:443/x.git", "/git/a.example/x.git"),
            ("/../b.example/x.git", "/git/a.example/b.example/x.git"),
            ("/%2e%2e/b.example/x.git", "/git/a.example/b.example/x.git"),
            ("https://a.example/../b.example/x.git", "/git/a.example/b.example/x.git"),
            ("/..%2fb.example/x.git", nil), ("//b.example/x.git", nil), ("https://b.example/x.git", nil),
            ("https://a.example:444/x.git", nil), ("https://a.example@b.example/x.git", nil),
            ("http://a.example/x.git", nil), ("https://a.example", nil), ("x.git", nil),
        ]
        for row in rows { #expect(GitRoute.redirect(row.location, from: access) == row.path, "\(row.location)") }
    }

    @Test("what is not git's answer does not come in") func page() throws {
        let lab = try Lab()
        let answer = try lab.ask("page/x.git/info/refs?service=git-upload-pack")
        #expect(answer.status == 502 && !answer.text.contains("private"), "\(answer.text)")
    }

    @Test("a server that says the credential again says it to nobody inside") func echoed() throws {
        let lab = try Lab()
        let answer = try lab.ask("echo/x.git/info/refs?service=git-upload-pack")
        let pair = Base64.encode(Array("x-access-token:\(lab.server.secret)".utf8))
        #expect(answer.status == 200 && answer.text.contains("x-access-token:***"), "\(answer.text)")
        for secret in [lab.server.secret, pair] {
            #expect(!answer.head.contains(secret) && !answer.text.contains(secret), "\(answer.head)\n\(answer.text)")
        }
        #expect(eventually { lab.proxy.audit.of(.credentialUse).last?.severity == .high })
    }

    @Test("what is under way ends when the host is taken away") func withdrawn() throws {
        let lab = try Lab()
        let client = try lab.proxy.client()
        client.send(
            "POST /git/localhost:\(lab.server.port)/team/x.git/git-receive-pack HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n"
                + "Content-Length: 100000\r\n\r\n0000")
        #expect(eventually { lab.proxy.audit.of(.credentialUse).count == 1 })
        try lab.proxy.use(BrokerPlan())
        #expect(client.isClosed())
        #expect(try lab.ask("team/x.git/info/refs?service=git-upload-pack").status == 403)
    }
}
