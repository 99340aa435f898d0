import AiboxSystem
import AiboxTestSupport
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

            // Nobody inside has it: not the environment, not git's settings, not the clone.
            let search =
                "env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; git config -l"
            let inside = try fixture.shell("bash", "-c", search + "; grep -r . /tmp/x/.git/config")
            #expect(inside.text.contains("insteadof") && !inside.text.contains(server.secret), "\(inside.text)")
            let used = try fixture.aibox.run("audit", "search", "--type", "credential.use", "-o", "jsonl").text
            #expect(used.contains("\"operation\":\"push\"") && !used.contains(server.secret), "\(used)")

            // Taken off the list, it is off the broker's too.
            let denied = try fixture.aibox.run("network", "deny", LabGitServer.name, "--name", fixture.name)
            #expect(denied.succeeded, "\(denied.errorText)")
            let after = try fixture.shell("git", "ls-remote", url)
            #expect(!after.succeeded && after.errorText.contains("aibox: there is no credential"), "\(after.errorText)")
        }
    }
}
