import AiboxContainer
import AiboxCrypto
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// A gateway whose sandbox waits for a person, and the process that tells of it.
@Suite("Approvals are told on the desktop and by webhook", .serialized)
struct GatewayNotifyTests {
    final class Scene {
        let gateway: LiveGateway
        let folder: TemporaryFolder
        private var children: [ChildProcess] = []

        init() throws {
            folder = try TemporaryFolder(prefix: "aibox-notify")
            try Folder.makePrivate(folder.path + "/bin")
            let text = """
                version: 1
                tools: {rules: [{id: git, match: [git], allow: true, risk: review-required}]}

                """
            let policy = try EffectivePolicy(
                organisation: try PolicyDocument(Array(text.utf8), layer: .org, file: "org"), day: "2026-11-22")
            let modules = try LiveGateway.decisions().modules
            // Where the process looks for sandboxes.
            let root = folder.path + "/run"
            for folder in [root, root + "/aibox"] { try Folder.makePrivate(folder) }
            gateway = try LiveGateway(name: "notified") {
                $0.runFolder = root + "/aibox/notified"
                $0.tools = ToolPlan(
                    policy: policy.decisionDocument, modules: modules,
                    programs: [
                        .init(paths: ["/usr/bin/git"], names: ["/usr/bin/git"], isMultiCall: false, original: "/run/x")
                    ], rules: [], patience: 600)
            }
            try folder.write("secret", "0123456789abcdef0123\n")
            chmod(folder.path + "/secret", 0o600)
        }

        deinit {
            for child in children {
                child.send(SIGKILL)
                _ = try? child.wait()
            }
        }

        func keep(_ child: ChildProcess) { children.append(child) }

        /// A program in the place of notify-send, which writes down its words.
        func fakeDesktop() throws {
            let path = try folder.write(
                "bin/notify-send", "#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done >> \(folder.path)/shown\n")
            chmod(path, 0o755)
        }

        var shown: [String] {
            ((try? File.text(folder.path + "/shown")) ?? "").split(separator: "\0").map(String.init)
        }

        var environment: [String: String?] {
            [
                "HOME": folder.path, "XDG_CONFIG_HOME": folder.path, "XDG_STATE_HOME": folder.path,
                "XDG_RUNTIME_DIR": folder.path + "/run", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere",
                "PATH": folder.path + "/bin:/usr/bin:/bin",
            ].merging(more) { $1 }
        }

        /// Beside all that.
        var more: [String: String?] = [:]

        func aibox(_ arguments: [String]) -> Command {
            Command(
                Path.parent(Path.real("/proc/self/exe") ?? "") + "/aibox", arguments, environment: environment)
        }

        func notify() throws {
            keep(try ChildProcess.start(aibox(["approvals", "notify", "--while-running"]), descriptors: [-1, -1, 2]))
        }

        /// A call that waits.
        func call(_ words: [String]) throws {
            let code = """
                import socket, sys
                body = b"".join(word.encode() + b"\\0" for word in ("/usr/bin/git", "/workspace", *sys.argv[1:]))
                s = socket.socket(); s.connect(("10.200.1.1", 8444))
                s.sendall(b"POST /v1/tool HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
                print(s.recv(65536).split()[1].decode(), flush=True); print(s.recv(65536).decode(), flush=True)
                """
            keep(
                try ChildProcess.start(
                    gateway.inBox("python3", ["-c", code] + words), descriptors: [-1, -1, 2]))
        }

        func settings(_ lines: [String]) throws {
            try Folder.makePrivate(folder.path + "/aibox")
            try folder.write(
                "aibox/config.yaml", "config_version: 1\napprovals:\n" + lines.map { "  \($0)\n" }.joined())
        }

        /// A server on loopback: writes each request's head and body down, and answers as told.
        func server(_ answer: String) throws -> UInt16 {
            let code = """
                import http.server, json, sys, time
                class Handler(http.server.BaseHTTPRequestHandler):
                    def do_POST(self):
                        body = self.rfile.read(int(self.headers["Content-Length"]))
                        with open(sys.argv[1], "a") as out:
                            out.write(json.dumps({"path": self.path, "headers": dict(self.headers), "body": body.decode()}) + "\\n")
                        if sys.argv[2] == "hang": time.sleep(600)
                        self.send_response(int(sys.argv[2])); self.end_headers()
                    def log_message(self, *args): pass
                server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
                print("ready", server.server_address[1], flush=True)
                server.serve_forever()
                """
            let process = try LabProcess(
                Command("python3", ["-c", code, folder.path + "/requests", answer]), ready: "ready")
            servers.append(process)
            return try #require(UInt16(process.answer))
        }

        func keep(_ server: LabProcess) { servers.append(server) }

        private var servers: [LabProcess] = []

        var requests: [JSONValue] {
            ((try? File.text(folder.path + "/requests")) ?? "").split(separator: "\n")
                .compactMap { try? JSONParser.parse(Array($0.utf8)) }
        }
    }

    @Test("a call that waits is told once by a signed webhook and on the desktop, without secrets, and goes on waiting")
    func told() throws {
        let scene = try Scene()
        try scene.fakeDesktop()
        let port = try scene.server("204")
        try scene.settings([
            "webhook: http://127.0.0.1:\(port)/hook", "webhook_secret_path: \(scene.folder.path)/secret",
        ])
        try scene.call(["git", "push", "--token", "hunter2hunter2", "<b>&\u{1b}[31m", "-x"])
        #expect(eventually { (try? scene.gateway.client.approvals().count) == 1 })
        try scene.notify()
        #expect(eventually { scene.requests.count == 1 && scene.shown.count == 4 })
        let request = try #require(scene.requests.first)
        let id = try #require(try scene.gateway.client.approvals().first?.id)
        let text = try #require(request["body"]?.stringValue)
        let body = try JSONParser.parse(Array(text.utf8))
        #expect(request["path"]?.stringValue == "/hook")
        #expect(body["id"]?.stringValue == id && body["sandbox"] == "notified" && body["rule"] == "git")
        #expect(
            body["argv"]?.elements?.compactMap(\.stringValue) == [
                "git", "push", "--token", "***", "<b>&\u{1b}[31m", "-x",
            ])
        #expect(body["masked"]?.truth == true && !text.contains("hunter2"))
        #expect(body["answer"]?["approve"]?.stringValue == "aibox approvals approve \(id) --name notified")
        let headers = request["headers"]
        #expect(headers?["Aibox-Delivery"]?.stringValue == "notified/\(id)")
        let signature = try #require(headers?["Aibox-Signature"]?.stringValue)
        let parts = signature.split(separator: ",").map { $0.split(separator: "=")[1] }
        let expected = try HMACSHA256.authenticate(
            Array("\(parts[0]).\(text)".utf8), key: Array("0123456789abcdef0123".utf8)
        ).hex
        #expect(parts[1] == expected)
        // notify-send's words: no option, whatever they begin with.
        #expect(scene.shown.prefix(2) == ["--app-name=aibox", "--"])
        let notice = scene.shown[3]
        #expect(!notice.contains("<") && !notice.contains("\u{1b}") && !notice.contains("hunter2"), "\(notice)")
        #expect(notice.contains("aibox approvals approve \(id)"))
        // Told once, and answered by nobody but a person.
        usleep(2_500_000)
        #expect(scene.requests.count == 1 && scene.shown.count == 4)
        #expect(try scene.gateway.client.approvals().count == 1)
    }

    @Test("a webhook that hangs or refuses holds up neither the review nor the desktop, and approvals list tells of it")
    func broken() throws {
        for answer in ["hang", "500"] {
            let scene = try Scene()
            try scene.fakeDesktop()
            try scene.settings(["webhook: http://127.0.0.1:\(try scene.server(answer))/"])
            try scene.notify()
            for word in ["one", "two", "three"] { try scene.call(["git", word]) }
            #expect(eventually { (try? scene.gateway.client.approvals().count) == 3 })
            let begun = ContinuousClock.now
            for question in try scene.gateway.client.approvals().prefix(2) {
                try scene.gateway.client.answer(
                    ApprovalAnswer(id: question.id, isApproved: true, scope: .once, reason: ""))
            }
            #expect(begun.duration(to: .now) < .seconds(3))
            #expect(eventually { (try? scene.gateway.client.approvals().count) == 1 })
            #expect(eventually { !scene.shown.isEmpty })
            let list = { () throws in try SystemCommandRunner().run(scene.aibox(["approvals", "list"])).errorText }
            #expect(eventually { (try? list().contains("the webhook has told nobody since")) == true }, "\(answer)")
            #expect(try scene.gateway.client.approvals().count == 1, "it answers nothing")
        }
    }

    @Test(
        "only https, or this machine: nothing goes to another one without TLS, and a secret that others read signs nothing"
    )
    func refused() throws {
        let scene = try Scene()
        for url in [
            "http://hooks.example.org/", "http://127.0.0.1.example.org/", "ftp://127.0.0.1/", "http://10.0.0.1/",
        ] {
            let result = try SystemCommandRunner().run(scene.aibox(["config", "set", "approvals.webhook", url]))
            #expect(!result.succeeded, "\(url)")
        }
        let port = try scene.server("204")
        chmod(scene.folder.path + "/secret", 0o644)
        try scene.settings([
            "webhook: http://127.0.0.1:\(port)/", "webhook_secret_path: \(scene.folder.path)/secret",
        ])
        try scene.call(["git", "push"])
        #expect(eventually { (try? scene.gateway.client.approvals().count) == 1 })
        let result = try SystemCommandRunner().run(scene.aibox(["approvals", "notify"]))
        #expect(!result.succeeded && result.errorText.contains("others may read it"), "\(result.errorText)")
        #expect(scene.requests.isEmpty)
        chmod(scene.folder.path + "/secret", 0o600)
        #expect(try SystemCommandRunner().run(scene.aibox(["approvals", "notify"])).succeeded)
        #expect(scene.requests.count == 1)
        // A sandbox that does not answer is not one where nothing waits.
        try Folder.makePrivate(scene.folder.path + "/run/aibox/mute")
        try scene.folder.write("run/aibox/mute/control.sock", "")
        let some = try SystemCommandRunner().run(scene.aibox(["approvals", "notify"]))
        #expect(some.errorText.contains("the gateway of mute does not answer") && !some.succeeded, "\(some.errorText)")
        #expect(scene.requests.count == 2)
    }

    @Test("it ends with the last sandbox, and one is enough")
    func ends() throws {
        let scene = try Scene()
        let first = try ChildProcess.start(
            scene.aibox(["approvals", "notify", "--while-running"]), descriptors: [-1, -1, 2])
        usleep(1_500_000)
        let second = try SystemCommandRunner().run(scene.aibox(["approvals", "notify", "--while-running"]))
        #expect(second.succeeded)
        #expect(try first.poll() == nil)
        try scene.gateway.process.stop()
        #expect(eventually { (try? first.poll()) != nil })
    }
}
