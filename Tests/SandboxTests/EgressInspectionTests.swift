import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// Entries with methods and paths over TLS, as the clients of a real sandbox meet them.
    @Suite("Inspected TLS")
    struct EgressInspectionTests {
        @Test(
            "programs inside trust it without a word, limits hold, and nothing of it is left",
            arguments: SandboxFixture.Engine.allCases)
        func clients(engine: SandboxFixture.Engine) throws {
            let origin = try LabOrigin((geteuid() == 0 ? 21 : 23) + (engine == .crun ? 1 : 0))
            chmod(origin.folder.path, 0o755)
            let entry =
                "{id: api, hosts: [other.test], ports: [\(origin.https)], methods: [GET, HEAD], paths: [/headers, \"/v1/**\"]}"
            let fixture = try SandboxFixture(
                engine: engine, policy: origin.policy(runtime: engine.rawValue, more: [entry]))
            try fixture.start()
            let api = "https://other.test:\(origin.https)"
            let python = "import urllib.request as r; print(r.urlopen('\(api)/headers').status)"
            let pip = "from pip._vendor import requests as r; print(r.get('\(api)/headers').status_code)"
            let rows: [(client: String, command: String, says: String)] = [
                ("curl", "curl -sS \(api)/headers", "\"method\": \"GET\""),
                ("wget", "wget -qO- \(api)/headers", "\"method\": \"GET\""),
                ("python", "python3 -c \"\(python)\"", "200"),
                ("requests", "python3 -c \"\(pip)\"", "200"),
                ("in a login", "bash -lc 'curl -sS \(api)/headers'", "\"method\": \"GET\""),
                ("a path", "curl -sS \(api)/secret", "request_not_allowed"),
                ("a method", "curl -sS -d x=y \(api)/v1/x", "request_not_allowed"),
            ]
            for row in rows {
                let result = try fixture.shell("bash", "-c", row.command)
                #expect(
                    result.succeeded && result.text.contains(row.says),
                    "\(row.client): \(result.text) \(result.errorText)")
            }
            // git speaks over it too: what it is refused is an answer, not a certificate.
            let git = try fixture.shell("git", "ls-remote", api + "/x.git")
            #expect(!git.succeeded && git.errorText.contains("403"), "\(git.errorText)")
            #expect(!origin.log.contains("/secret") && !origin.log.contains("POST"))

            // No key inside; outside nobody trusts it; after the stop podman has nothing of it.
            let keys = try fixture.shell("sh", "-c", "grep -rl 'PRIVATE KEY' /run/aibox /etc/ssl 2>/dev/null")
            #expect(!keys.text.contains("authorit"), "\(keys.text)")
            #expect(try secrets(fixture).count == 3)
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try secrets(fixture).isEmpty)
            #expect(try fixture.settledRemains() == [])
        }

        private func secrets(_ fixture: SandboxFixture) throws -> [Substring] {
            try SystemCommandRunner().run(Command("podman", ["secret", "ls", "--format", "{{.Name}}"])).text
                .split(separator: "\n").filter {
                    $0.hasPrefix(fixture.container + "-authorit") && !$0.contains("-authorized")
                }
        }

        @Test("without an inspected entry nothing is added to what the sandbox trusts")
        func nothing() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            #expect(try !fixture.shell("test", "-e", "/run/aibox/authority.crt").succeeded)
            #expect(try fixture.shell("sh", "-c", "env | grep -c -E 'SSL_CERT_FILE|NODE_EXTRA'").text == "0")
        }
    }
}
