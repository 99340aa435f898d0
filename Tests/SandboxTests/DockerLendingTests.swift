import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// P4 under Docker: the session of `CanaryTests`, and leases of Vault, with Docker's own records in the search.
    @Suite("Credentials under Docker")
    struct DockerLendingTests {
        private static let git = "GIT_TERMINAL_PROMPT=0 git -c http.sslVerify=false ls-remote"

        @Test(
            "a model, git, pip and a place of its own are lent, their secrets are nowhere, and all of it ends with stop"
        )
        func lent() throws {
            var made: DockerFixture?
            let session = try CanarySession { policy, settings in
                let fixture = try DockerFixture(
                    policy: policy, settings: settings, keeping: ["usr/lib/git-core", "usr/lib/python3"])
                made = fixture
                return fixture.sandbox
            }
            let docker = try #require(made)
            defer { withExtendedLifetime(docker) {} }
            let (fixture, search) = (session.fixture, session.search)
            let watch = try CanarySearch.Watch(search)
            try session.lend()
            let started = try session.run("start", "-v", "-w", session.workspace, "--name", fixture.name)
            try #require(started.succeeded, "\(started.errorText)")
            #expect(try fixture.status()["engine"]?.stringValue?.hasSuffix("(docker)") == true)
            try session.use()
            try Self.gitSettings(session)
            try session.tell(isRunning: true)

            // What Docker keeps, with the word on a tag and on a volume.
            let tag = "localhost/\(session.planted):1"
            #expect(try docker.docker("tag", "localhost/aibox/base:1", tag).succeeded)
            #expect(try docker.docker("volume", "create", session.planted).succeeded)
            let record = try session.askDocker(docker, tag)
            let processes = try search.here(
                ["--of", fixture.name, "--of", docker.folder] + CanaryTests.holders.flatMap { ["--not", $0] })
            processes.expect(onlyControls: ["mem of "], "processes on the host")
            #expect((processes.searched["mem"]?.wholeNumber ?? 0) >= 3, "\(processes.searched.text)")
            let home = fixture.aibox.home.path
            let layer = record["GraphDriver"]?["Data"]?["UpperDir"]?.stringValue
            let own = ["data/containers", "data/volumes", "exec", "log", "daemon.json"].map { docker.folder + "/" + $0 }
            let roots = [home, session.said] + own + [layer].compactMap(\.self) + CanaryTests.runFolders
            let files = try search.here(roots.flatMap { ["--root", $0] })
            files.expect(
                onlyControls: [
                    home + "/state/aibox/audit", "/status-", "/start-", "/docker-container", "/docker-image",
                    "/docker-volumes", docker.folder + "/data/containers",
                ], "files on the host")
            let inside = try search.inside(fixture)
            inside.expect(
                onlyControls: ["/tmp/control.b64", "environ of sleep", "cmdline of python3", "mem of python3"], "inside"
            )

            let surrogate = try fixture.shell("printenv", "ANTHROPIC_API_KEY").text
            let gateway = try #require(try fixture.status()["gateway_pid"]?.wholeNumber)
            let proxy = try SystemCommandRunner().run(
                Command("pgrep", ["--parent", String(gateway), "--exact", "aibox-llm-proxy"])
            ).text
            #expect(surrogate.hasPrefix("sk-ant-aibox-") && Int(proxy) != nil)
            #expect(try session.run("stop", "-v", "--name", fixture.name, "--volumes").succeeded)
            for pid in [proxy, "\(gateway)"] {
                // What has ended and was not asked how yet is no process any more.
                let state = (try? File.text("/proc/\(pid)/stat"))?.split(separator: ") ").last?.prefix(1)
                #expect(state == nil || state == "Z", "\(pid) is \(state ?? "")")
            }
            try watch.report().expect(onlyControls: ["cmdline of docker", "environ of aibox"], "while it ran")
            let after = try search.here(
                ([home, session.said] + own + CanaryTests.runFolders).flatMap { ["--root", $0] })
            after.expect(onlyControls: [home + "/state/aibox/audit"], "afterwards")
            #expect(try fixture.settledRemains() == [])
            try Self.leases(session, former: surrogate)
            #expect(try docker.docker("ps", "--all", "--quiet").text == "")
        }

        /// git finds the broker by a file that nobody inside can write, whatever the environment is but for git's own switch, which leads
        /// to the server without a credential.
        private static func gitSettings(_ session: CanarySession) throws {
            let (fixture, server) = (session.fixture, session.git)
            let url = "https://\(LabGitServer.name):\(server.port)/team/x.git"
            func given() -> Int { server.requests.count { $0.contains("\"given\": true") } }
            let bare = try fixture.shell("env", "-i", "git", "ls-remote", url, "main")
            #expect(try bare.text.hasPrefix(server.head()), "\(bare.text) \(bare.errorText)")
            let before = (given(), server.requests.count)
            for switched in ["GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=/dev/null"] {
                let direct = try fixture.shell("sh", "-c", "\(switched) \(Self.git) \(url)")
                #expect(!direct.succeeded, "\(switched): \(direct.text)")
            }
            #expect(given() == before.0 && server.requests.count > before.1, "\(server.requests.suffix(4))")
            let written = "echo x >>/etc/gitconfig || rm -f /etc/gitconfig || mv /tmp/x /etc/gitconfig"
            #expect(try !fixture.shell("sh", "-c", written).succeeded)
        }

        /// The same sandbox again, lent from a Vault.
        private static func leases(_ session: CanarySession, former: String) throws {
            let fixture = session.fixture
            let secret = "canary-lease-\(UInt64.random(in: .min ... .max))"
            try session.mirror.accept((1..<20).map { "\(secret)-\($0)" })
            let vault = try LabVault(
                """
                {"namespace": "", "tokens": {}, "approle": {"r-1": "s-1"}, "jwt": {},
                 "dynamic": {"app/creds/ci": {"ttl": 600, "max_ttl": 86400, "data": {"token": "\(secret)-%n"}}},
                 "kv": {"aibox/llm-api-key/anthropic": {"dynamic": "app/creds/ci"},
                        "aibox/custom/app": {"dynamic": "app/creds/ci", "hosts": "\(session.mirror.place)/api",
                                             "place": "header:x-lab-token"}}}
                """)
            func run(_ words: String...) throws -> CommandResult {
                var command = fixture.aibox.command(words, in: session.workspace)
                for (name, value) in [
                    "STORE": "vault", "VAULT_ADDR": vault.address, "VAULT_CA": vault.certificate,
                    "VAULT_AUTH": "approle", "VAULT_ROLE": "r-1", "VAULT_SECRET_PATH": vault.folder.path + "/secret-id",
                ] { command.environment["AIBOX_CREDENTIALS_" + name] = value }
                return try SystemCommandRunner().run(command, timeout: .seconds(120))
            }
            let started = try run("start", "-w", session.workspace, "--name", fixture.name)
            try #require(started.succeeded, "\(started.errorText)")
            let ask = """
                curl -s -m 20 -w ' %{http_code}' -d '{}' $AIBOX_CUSTOM_APP_URL/issues; for key in "$0" "$ANTHROPIC_API_KEY"; do
                curl -s -m 20 -w ' %{http_code}' -H "x-api-key: $key" -d '{"model":"claude-lab","max_tokens":5}' \
                  $ANTHROPIC_BASE_URL/v1/messages; done
                """
            let answers = try run("shell", "--name", fixture.name, "--", "bash", "-c", ask, former)
            #expect(answers.text.contains(" 200") && answers.text.hasSuffix(" 200"), "\(answers.text)")
            #expect(answers.text.contains("llm.credential"), "that of the stay before: \(answers.text)")
            #expect(vault.leases("live") == 2 && vault.leases("revoked") == 0)
            #expect(session.provider.log.contains(secret))
            let found = try SystemCommandRunner().run(
                Command("grep", ["-rlF", secret, fixture.aibox.home.path, fixture.workspace]))
            #expect(found.termination == .exited(1), "\(found.text)")
            let stopped = try run("stop", "--name", fixture.name, "--volumes", "-o", "json")
            #expect(stopped.succeeded && stopped.text.contains("\"leases_left\": []"), "\(stopped.text)")
            #expect(vault.leases("live") == 0 && vault.leases("revoked") == 2)
            #expect(try fixture.settledRemains() == [])
        }
    }
}

extension CanarySession {
    /// What Docker knows: the container, its image and their history, its logs, all volumes. Returns the container's record.
    fileprivate func askDocker(_ docker: DockerFixture, _ image: String) throws -> JSONValue {
        let volumes = try docker.docker("volume", "ls", "--quiet").text.split(separator: "\n").map(String.init)
        for (name, arguments) in [
            ("container", ["container", "inspect", fixture.container]), ("image", ["image", "inspect", image]),
            ("history", ["history", "--no-trunc", image]), ("logs", ["logs", fixture.container]),
            ("volumes", ["volume", "inspect"] + volumes), ("info", ["info"]),
        ] {
            let result = try SystemCommandRunner().run(
                Command("docker", ["--host", "unix://\(docker.folder)/d.sock"] + arguments))
            #expect(result.succeeded, "\(arguments): \(result.errorText)")
            try keep("docker-" + name, result)
        }
        let record = try JSONParser.parse(try docker.docker("container", "inspect", fixture.container).text)
        return try #require(record.elements?.first)
    }
}
