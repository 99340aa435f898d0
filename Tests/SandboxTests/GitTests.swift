import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

extension Sandboxes {
    /// git works inside with a server that wants a credential, and the credential is nowhere inside.
    @Suite("Git with a credential")
    struct GitTests {
        @Test("cloned, committed, pushed through the broker", arguments: SandboxFixture.Engine.allCases)
        func work(engine: SandboxFixture.Engine) throws {
            let server = try LabGitServer()
            let runtime = engine == .crun ? "runtime: {engine: gvisor, fallback: [crun]}\n" : ""
            let fixture = try SandboxFixture(
                engine: engine,
                policy: """
                    version: 1
                    \(runtime)credentials: {git_token_ttl: 1h}
                    network:
                      targets: [127.0.0.1/32]
                      names: [{name: \(LabGitServer.name), addresses: [127.0.0.1]}]
                      authorities: [\(server.certificate)]
                      allow: [{id: git, hosts: [\(LabGitServer.name)], ports: [\(server.port)]}]

                    """,
                settings: [
                    "AIBOX_GIT_TOKEN": server.secret, "AIBOX_GIT_HOST": "\(LabGitServer.name):\(server.port)",
                    "AIBOX_CREDENTIALS_STORE": "environment",
                ])
            try fixture.start()
            let url = "https://\(LabGitServer.name):\(server.port)/team/x.git"
            let work = """
                set -e; export GIT_TERMINAL_PROMPT=0
                git clone -q \(url) /tmp/x; cd /tmp/x
                echo word >file; git add file; git -c user.name=a -c user.email=a@b.example commit -qm one
                git push -q origin HEAD:main; git fetch -q; git rev-parse HEAD
                """
            let done = try fixture.shell("bash", "-c", work)
            #expect(try done.succeeded && done.text == server.head(), "\(done.text) \(done.errorText)")
            #expect(server.requests.allSatisfy { $0.contains("\"user\": \"x-access-token\"") })
            // Whatever the environment is; the image's own settings stay, and nobody inside changes them.
            let bare = try fixture.shell("env", "-i", "git", "ls-remote", url, "main")
            #expect(try bare.text.hasPrefix(server.head()), "\(bare.text) \(bare.errorText)")
            let own = try fixture.shell("git", "config", "--system", "--get-all", "safe.directory")
            #expect(own.text == "/workspace", "\(own.errorText)")
            let written = try fixture.shell("sh", "-c", "echo x >>/etc/gitconfig || git config --system a.b c")
            #expect(!written.succeeded)
            // Version 2 of the protocol (git-scm.com/docs/protocol-v2), which begins with a field of the request.
            let fetches = server.requests.filter { $0.contains("/git-upload-pack\"") }
            #expect(
                !fetches.isEmpty && fetches.allSatisfy { $0.contains("\"protocol\": \"version=2\"") },
                "\(server.requests)")

            // Git LFS's own words (its docs/api/batch.md): a client shows `message`, and asks nobody for a password.
            let batch = """
                base=$(git config --get-regexp '^url\\..*\\.insteadof$' | sed -n 's/^url\\.\\(.*\\)\\.insteadof .*/\\1/p' | grep /git/ | head -1)
                curl -s -m 20 -w '\\n%{http_code} %{content_type}' -H 'Accept: application/vnd.git-lfs+json' \\
                  -H 'Content-Type: application/vnd.git-lfs+json' -d '{"operation":"download","objects":[]}' \\
                  "${base}team/x.git/info/lfs/objects/batch"
                """
            let refused = try fixture.shell("bash", "-c", batch)
            let parts = refused.text.split(separator: "\n")
            #expect(parts.last == "501 application/vnd.git-lfs+json", "\(refused.text) \(refused.errorText)")
            let message = try JSONParser.parse(String(try #require(parts.first)))["message"]?.stringValue
            #expect(message?.hasPrefix("aibox: Git LFS does not go through the credential broker") == true)
            #expect(!server.requests.contains { $0.contains("/info/lfs") })

            // Nobody has it but the gateway: not the environment, not git's settings, not a file inside, not podman, not
            // the log, not aibox's own folder; in no encoding.
            let pair = Array("x-access-token:\(server.secret)".utf8)
            let secret = Array(server.secret.utf8)
            let forms = [server.secret, Hex.encode(secret), Base64.encode(secret), Base64.encode(pair)]
            let search = """
                env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; git config -l
                grep -rI . /tmp /home/dev /workspace /etc /run 2>/dev/null | head -c 20000000; echo searched
                """
            let inside = try fixture.shell("bash", "-c", search)
            #expect(inside.text.contains("insteadof") && inside.text.hasSuffix("searched"))
            let inspected = try SystemCommandRunner().run(
                Command("podman", ["container", "inspect", fixture.container]))
            let used = try fixture.aibox.run("audit", "search", "--type", "credential.use", "-o", "jsonl").text
            #expect(inspected.succeeded && used.contains("\"operation\":\"push\""), "\(used)")
            for form in forms {
                for (place, text) in [("inside", inside.text), ("podman", inspected.text), ("log", used)] {
                    #expect(!text.contains(form), "\(place)")
                }
                let found = try SystemCommandRunner().run(
                    Command("grep", ["-rlF", form, fixture.aibox.home.path, fixture.workspace]))
                #expect(found.termination == .exited(1), "\(found.text)")
            }

            // Taken off the list, it is off the broker's too.
            let denied = try fixture.aibox.run("network", "deny", LabGitServer.name, "--name", fixture.name)
            #expect(denied.succeeded, "\(denied.errorText)")
            let after = try fixture.shell("git", "ls-remote", url)
            #expect(!after.succeeded && after.errorText.contains("aibox: there is no credential"), "\(after.errorText)")
            #expect(try fixture.aibox.run("stop", "--name", fixture.name, "--volumes").succeeded)
            #expect(try fixture.settledRemains() == [])
        }
    }
}
