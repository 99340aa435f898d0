import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension GatewayNotifyTests {
    /// An organisation's own authority, another one, and receivers with certificates of theirs.
    private struct Receivers {
        let scene: Scene
        var folder: String { scene.folder.path }

        init(_ scene: Scene) throws {
            self.scene = scene
            for name in ["own", "stranger"] {
                try openSSL(
                    ["req", "-x509"] + Self.key + [
                        "-days", "2", "-subj", "/CN=\(name)", "-keyout", "\(folder)/\(name).key", "-out",
                        "\(folder)/\(name).crt", "-addext", "basicConstraints=critical,CA:TRUE",
                    ])
            }
            try issue("good", by: "own", "IP:127.0.0.1")
            try issue("renamed", by: "own", "DNS:hooks.example.org")
            try issue("foreign", by: "stranger", "IP:127.0.0.1")
        }

        private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

        private func openSSL(_ arguments: [String]) throws {
            try SystemCommandRunner().require(Command("openssl", arguments), "openssl makes no certificate")
        }

        private func issue(_ name: String, by authority: String, _ subject: String) throws {
            let base = folder + "/" + name
            try openSSL(["req"] + Self.key + ["-subj", "/CN=\(name)", "-keyout", base + ".key", "-out", base + ".csr"])
            try scene.folder.write(name + ".ext", "subjectAltName=\(subject)\n")
            try openSSL([
                "x509", "-req", "-in", base + ".csr", "-CA", "\(folder)/\(authority).crt", "-CAkey",
                "\(folder)/\(authority).key", "-days", "2", "-extfile", base + ".ext", "-out", base + ".crt",
            ])
            try scene.folder.write(
                name + ".pem", try File.text(base + ".crt", limit: 65_536) + File.text(base + ".key", limit: 65_536))
        }

        /// A server that writes down what it takes: what has a signature by the secret, not older than five minutes. Of the
        /// requests that have one it takes none before the third.
        func serve(_ certificate: String, secret: String = "0123456789abcdef0123") throws -> UInt16 {
            let code = """
                import hashlib, hmac, http.server, json, ssl, sys, time
                folder, certificate, secret = sys.argv[1:]
                seen = []
                class Handler(http.server.BaseHTTPRequestHandler):
                    def do_POST(self):
                        body = self.rfile.read(int(self.headers["Content-Length"]))
                        parts = dict(part.split("=", 1) for part in self.headers["Aibox-Signature"].split(","))
                        mac = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
                        valid = hmac.compare_digest(mac, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300
                        if valid: seen.append(1)
                        status = 401 if not valid else 503 if len(seen) < 3 else 204
                        with open(folder + "/requests", "a") as out:
                            out.write(json.dumps({"status": status, "headers": dict(self.headers), "body": body.decode()}) + "\\n")
                        self.send_response(status); self.end_headers()
                    def log_message(self, *args): pass
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(folder + "/" + certificate + ".pem")
                server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
                server.socket = context.wrap_socket(server.socket, server_side=True)
                print("ready", server.server_address[1], flush=True)
                server.serve_forever()
                """
            let process = try LabProcess(
                Command("python3", ["-c", code, folder, certificate, secret]), ready: "ready")
            scene.keep(process)
            return try #require(UInt16(process.answer))
        }
    }

    @Test("over https: by the organisation's authority, signed, and tried again until it is taken")
    func overTLS() throws {
        let scene = try Scene()
        let receivers = try Receivers(scene)
        scene.more = ["SSL_CERT_FILE": scene.folder.path + "/own.crt"]
        try scene.settings([
            "webhook: https://127.0.0.1:\(try receivers.serve("good"))/hook",
            "webhook_secret_path: \(scene.folder.path)/secret",
        ])
        try scene.notify()
        try scene.call(["git", "push"])
        #expect(eventually { scene.requests.count == 3 })
        usleep(2_500_000)
        #expect(scene.requests.compactMap { $0["status"]?.wholeNumber } == [503, 503, 204])
        let id = try #require(try scene.gateway.client.approvals().first?.id)
        #expect(
            Set(scene.requests.compactMap { $0["headers"]?["Aibox-Delivery"]?.stringValue }) == ["notified/\(id)"])
        #expect(scene.requests.last?["body"]?.stringValue?.contains(id) == true)
        // It works again: nobody is warned.
        let list = try SystemCommandRunner().run(scene.aibox(["approvals", "list"]))
        #expect(!list.errorText.contains("has told nobody"), "\(list.errorText)")
    }

    @Test(
        "a receiver whose certificate is another's, of no authority that is trusted, or who knows another secret, takes nothing, and the list tells",
        arguments: [
            ("foreign", "own", "0123456789abcdef0123", "certificate"),
            ("renamed", "own", "0123456789abcdef0123", "certificate"),
            ("good", nil, "0123456789abcdef0123", "certificate"),
            ("good", "own", "another secret of 24 bytes", "answers with status 401"),
        ] as [(String, String?, String, String)])
    func notTrusted(certificate: String, authority: String?, secret: String, why: String) throws {
        let scene = try Scene()
        let receivers = try Receivers(scene)
        if let authority { scene.more = ["SSL_CERT_FILE": scene.folder.path + "/\(authority).crt"] }
        try scene.settings([
            "webhook: https://127.0.0.1:\(try receivers.serve(certificate, secret: secret))/hook",
            "webhook_secret_path: \(scene.folder.path)/secret",
        ])
        try scene.call(["git", "push"])
        #expect(eventually { (try? scene.gateway.client.approvals().count) == 1 })
        let once = try SystemCommandRunner().run(scene.aibox(["approvals", "notify"]))
        #expect(once.termination == .exited(1) && once.errorText.contains(why), "\(once.errorText)")
        try scene.notify()
        func list() throws -> String { try SystemCommandRunner().run(scene.aibox(["approvals", "list"])).errorText }
        #expect(eventually { (try? list().contains("the webhook has told nobody since")) == true })
        let told = try list()
        #expect(told.contains(why), "\(told)")
        #expect(scene.requests.allSatisfy { $0["status"] == 401 } && (why == "certificate") == scene.requests.isEmpty)
        #expect(try scene.gateway.client.approvals().count == 1)
    }
}
