import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Testing

extension Sandboxes {
    /// Package managers work inside with mirrors that want a credential, and the credential is nowhere inside.
    @Suite("Mirrors with a credential")
    struct MirrorTests {
        static func fixture(
            _ mirror: LabMirror, engine: SandboxFixture.Engine, mirrors: String, settings: [String: String] = [:]
        ) throws -> SandboxFixture {
            let runtime = engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : ""
            return try SandboxFixture(
                engine: engine,
                policy: """
                    version: 1
                    \(runtime)credentials: {mirror_token_ttl: 1h, custom_ttl: 1h}
                    network:
                      targets: [127.0.0.1/32]
                      names: [{name: \(LabMirror.name), addresses: [127.0.0.1]}]
                      authorities: [\(mirror.authority)]
                      allow: [{id: mirror, hosts: [\(LabMirror.name)], ports: [\(mirror.port)]}]

                    """,
                settings: [
                    "AIBOX_MIRROR_TOKEN": mirror.secret, "AIBOX_MIRROR_HOST": mirror.place,
                    "AIBOX_CREDENTIALS_STORE": "environment", "AIBOX_NETWORK_MIRRORS": mirrors,
                ].merging(settings) { $1 })
        }

        @Test("pip installs from it with nothing set by hand", arguments: SandboxFixture.Engine.allCases)
        func pip(engine: SandboxFixture.Engine) throws {
            let mirror = try LabMirror()
            try mirror.publish()
            let url = "https://\(mirror.place)"
            let others = ["maven", "gradle", "nuget"].map { "\($0)=\(url)/\($0)" }
            let fixture = try Self.fixture(
                mirror, engine: engine, mirrors: (["pip=\(url)/simple"] + others).joined(separator: ","))
            try fixture.start()
            // Those that read files find them, in an image that has nothing at these places, and nobody inside changes them.
            let files =
                "/etc/maven/settings.xml /usr/share/gradle/init.d/aibox.init.gradle /etc/opt/NuGet/Config/aibox.config"
            let read = try fixture.shell(
                "bash", "-c",
                "cat \(files); echo $MAVEN_ARGS; for f in \(files); do echo x 2>/dev/null >>$f && echo changed; done")
            for manager in ["maven", "gradle", "nuget"] {
                #expect(read.text.contains("http://10.200.1.1:8443/mirror/\(mirror.place)/\(manager)"), "\(read.text)")
            }
            #expect(read.text.contains("--global-settings=/etc/maven/settings.xml") && !read.text.contains("changed"))
            let done = try fixture.shell(
                "bash", "-c",
                "pip install -q --disable-pip-version-check lab-package; python3 -c 'import lab_package; print(lab_package.word)'"
            )
            #expect(done.succeeded && done.text == "from-pip", "\(done.text) \(done.errorText)")
            #expect(mirror.requests.count >= 2 && mirror.requests.allSatisfy { $0.contains("\"right\": true") })

            // Without the broker there is no way in.
            let direct = try fixture.shell("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "\(url)/simple/")
            #expect(direct.text == "401", "\(direct.text) \(direct.errorText)")

            // Nobody has it but the gateway: not the environment, not a file inside, not podman, not the log, not aibox's
            // own folder; in no encoding.
            let secret = Array(mirror.secret.utf8)
            let pair = Array("\(mirror.user):\(mirror.secret)".utf8)
            let forms = [mirror.secret, Hex.encode(secret), Base64.encode(secret), Base64.encode(pair)]
            let search = """
                env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'
                grep -rI . /tmp /home/dev /workspace /etc /run 2>/dev/null | head -c 20000000; echo searched
                """
            let inside = try fixture.shell("bash", "-c", search)
            #expect(inside.text.contains("PIP_INDEX_URL=http://10.200.1.1:8443/mirror/"))
            #expect(inside.text.hasSuffix("searched"))
            let inspected = try SystemCommandRunner().run(
                Command("podman", ["container", "inspect", fixture.container]))
            let used = try fixture.aibox.run("audit", "search", "--type", "credential.use", "-o", "jsonl").text
            #expect(inspected.succeeded && used.contains("/simple/lab-package/"), "\(used)")
            for form in forms {
                for (place, text) in [("inside", inside.text), ("podman", inspected.text), ("log", used)] {
                    #expect(!text.contains(form), "\(place)")
                }
                let found = try SystemCommandRunner().run(
                    Command("grep", ["-rlF", form, fixture.aibox.home.path, fixture.workspace]))
                #expect(found.termination == .exited(1), "\(found.text)")
            }

            // Taken off the list, it is off the broker's too.
            let denied = try fixture.aibox.run("network", "deny", LabMirror.name, "--name", fixture.name)
            #expect(denied.succeeded, "\(denied.errorText)")
            let after = try fixture.shell("bash", "-c", "curl -s $PIP_INDEX_URL/")
            #expect(after.text.contains("aibox: there is no credential"), "\(after.text)")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name, "--volumes").succeeded)
            #expect(try fixture.settledRemains() == [])
        }

        @Test("a mirror's token and a credential of a name of its own follow aibox auth while the sandbox runs")
        func changed() throws {
            let mirror = try LabMirror()
            let fixture = try Self.fixture(
                mirror, engine: .gvisor, mirrors: "npm=https://\(mirror.place)/api/npm",
                settings: ["AIBOX_CREDENTIALS_STORE": "file"])
            func add(_ secret: String, _ arguments: [String]) throws -> CommandResult {
                try SystemCommandRunner().run(
                    fixture.aibox.command(["auth", "add"] + arguments, input: Array(secret.utf8)))
            }
            let token = ["mirror-token:\(mirror.place)", "--path", "/api"]
            let custom = ["custom:lab-1", "--host", "\(mirror.place)/api", "--place", "header:x-lab-token"]
            for (arguments, secret) in [(token, "not-the-right-one"), (custom, mirror.secret)] {
                let added = try add(secret, arguments)
                #expect(added.succeeded, "\(added.errorText)")
            }
            try fixture.start()
            let read = "curl -s -o /dev/null -w '%{http_code}' $npm_config_registry/x"
            let write = "curl -s -o /dev/null -w '%{http_code}' -d '{}' $AIBOX_CUSTOM_LAB_1_URL/issues"
            func ask(_ command: String) throws -> String { try fixture.shell("bash", "-c", command).text }
            #expect(try ask(read) == "403" && ask(write) == "200")
            #expect(mirror.requests.last?.contains("\"method\": \"POST\", \"path\": \"/api/issues\"") == true)

            let replaced = try add(mirror.secret, token)
            #expect(replaced.text.contains("In use from now on in \(fixture.name)."), "\(replaced.text)")
            #expect(try ask(read) == "200")
            for name in [token[0], custom[0]] {
                let removed = try fixture.aibox.run("auth", "remove", name)
                #expect(removed.text.contains("\(fixture.name) lost it."), "\(removed.text) \(removed.errorText)")
            }
            let asked = mirror.requests.count
            #expect(try ask(read) == "403" && ask(write) == "403")
            #expect(mirror.requests.count == asked)
            let used = try fixture.aibox.run("audit", "search", "--type", "credential.use", "-o", "jsonl").text
            #expect(used.contains("\"operation\":\"post\"") && used.contains("\"kind\":\"custom\""), "\(used)")
            for type in ["credential.issue", "credential.rotate", "credential.revoke"] {
                let events = try fixture.aibox.run("audit", "search", "--type", type, "-o", "jsonl").text
                #expect(events.contains("\"kind\":\"mirror\""), "\(type): \(events)")
            }
        }
    }
}
