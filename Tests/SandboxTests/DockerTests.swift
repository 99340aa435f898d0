import AiboxSystem
import AiboxTestSupport
import AiboxWire
import CLinux
import Glibc
import Testing

extension Sandboxes {
    @Suite("Under Docker")
    struct DockerTests {
        @Test("a start that fails before there is a container leaves nothing, and podman is not asked")
        func failedStart() throws {
            let folder = try TemporaryFolder()
            // As good as none: aibox looks for programs in the system's folders too.
            try folder.write("podman", "#!/bin/sh\necho \"$*\" >> \"$0.calls\"\nexit 125\n")
            #expect(chmod(folder.path + "/podman", 0o755) == 0)
            let path = folder.path + ":" + (Environment.value("PATH") ?? "")
            let docker = try DockerFixture(settings: ["PATH": path], hasImage: false)
            let fixture = docker.sandbox
            for _ in 0..<2 {
                let start = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
                #expect(!start.succeeded && start.errorText.contains("not in Docker's storage"), "\(start.errorText)")
                #expect(!start.errorText.contains("undoing it failed"), "\(start.errorText)")
            }
            let list = try fixture.aibox.run("list", "-o", "json")
            #expect(list.succeeded && !list.text.contains(fixture.name), "\(list.text)\(list.errorText)")
            #expect(!list.errorText.contains("cleared away"), "the start itself has removed its record")
            #expect(try fixture.settledRemains() == [])
            let state = fixture.aibox.home.path + "/state/aibox"
            #expect(try Folder.names(state + "/docker") == ["client"])
            #expect(!File.exists("\(state)/sandboxes/\(fixture.name)/docker-socket"))
            #expect(
                !File.exists(folder.path + "/podman.calls"), "\((try? File.text(folder.path + "/podman.calls")) ?? "")")
        }

        @Test("a sandbox of Docker's keeps the same promises, and leaves nothing behind")
        func life() throws {
            let docker = try DockerFixture()
            let fixture = docker.sandbox
            try File.replace(fixture.workspace + "/given", with: "from the host\n", mode: 0o644)
            let requests = fixture.aibox.home.path + "/state/aibox/docker"

            // A gateway that cannot have its port fails after the host key was kept for Docker, before any container.
            let taken = aibox_tcp_listen(0x7F00_0001, 65535, 1)
            var start = fixture.aibox.command(["start", "-w", fixture.workspace, "--name", fixture.name])
            start.environment["AIBOX_IDE_SSH_PORT"] = "65535"
            let failed = try SystemCommandRunner().run(start, timeout: .seconds(120))
            if taken >= 0 { close(taken) }
            #expect(!failed.succeeded && !failed.errorText.contains("undoing it failed"), "\(failed.errorText)")
            #expect(try Folder.names(requests + "/files") == [])
            try fixture.start()

            // The workspace, as under podman.
            #expect(try fixture.shell("cat", "given").text == "from the host")
            #expect(try fixture.shell("sh", "-c", "echo inside > made && id -u").text == "1000")
            var facts = stat()
            #expect(stat(fixture.workspace + "/made", &facts) == 0)
            #expect(facts.st_uid == geteuid(), "what the sandbox writes belongs to the workspace's owner")
            #expect(try fixture.shell("sh", "-c", "echo kept > ~/note && stat -c %u ~ /usr/bin").text == "1000\n0")

            // Asked from inside: capabilities, seccomp, root, user namespaces, setuid, the way out.
            let layers = try fixture.aibox.run("status", "--name", fixture.name, "--layers")
            #expect(layers.succeeded, "\(layers.text)\n\(layers.errorText)")
            let status = try fixture.shell("cat", "/proc/self/status").text
            #expect(status.contains("CapBnd:\t0000000000000000"))
            let reach = "(exec 3<>/dev/tcp/$0/$1) 2>/dev/null && echo open || echo closed"
            #expect(try fixture.shell("bash", "-c", reach, "10.200.1.1", "3128").text == "open")
            for (address, port) in [("192.0.2.1", "443"), ("10.200.1.1", "22"), ("169.254.169.254", "80")] {
                #expect(try fixture.shell("bash", "-c", reach, address, port).text == "closed", "\(address)")
            }
            #expect(!(try fixture.shell("getent", "hosts", "example.com").succeeded))

            // Docker's record has no secret and no path of aibox's; nobody gets in beside SSH.
            let record = try docker.docker("container", "inspect", fixture.container).text
            #expect(!record.contains("PRIVATE KEY") && !record.contains("/docker/files"))
            #expect(!(try docker.docker("exec", fixture.container, "true").succeeded))
            #expect(try fixture.status()["engine"]?.stringValue?.hasSuffix("(docker)") == true)
            #expect(try fixture.aibox.run("list").text.contains(fixture.name))

            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try fixture.settledRemains() == [])
            #expect(try docker.docker("ps", "--all", "--quiet").text == "")
            #expect(try Folder.names(requests).filter { $0 != "client" && $0 != "files" } == [])
            #expect(try Folder.names(requests + "/files") == [])

            // The home folder is kept; a killed container takes its gateway with it, and the next start clears up.
            try fixture.start()
            #expect(try fixture.shell("cat", "/home/dev/note").text == "kept")
            #expect(try docker.docker("kill", fixture.container).succeeded)
            // Started again by hand it has no request any more.
            #expect(!(try docker.docker("start", fixture.container).succeeded))
            for _ in 0..<100 where try fixture.aibox.run("list").text.contains(fixture.name) { usleep(100_000) }
            #expect(!(try fixture.aibox.run("list").text.contains(fixture.name)))
            #expect(try fixture.settledRemains() == [])
            #expect(try docker.docker("ps", "--all", "--quiet").text == "")
            #expect(try fixture.aibox.run("stop", "--volumes", "--name", fixture.name).succeeded)
            #expect(try docker.docker("volume", "ls", "--quiet").text == "")

            // aibox's runtime makes nobody else's container.
            let other = try docker.docker(
                "run", "--rm", "--runtime", "aibox", "--network", "none", "localhost/aibox/base:1", "true")
            #expect(
                !other.succeeded && other.errorText.contains("aibox start did not ask for it"), "\(other.errorText)")
        }

        /// Each is one command of a shell inside, which has to end as a refusal does.
        private static let attacks = [
            "curl x", "/usr/bin/curl x", "/usr/bin/../bin/curl x", "env curl x", "sh -c 'curl x'", "nice curl x",
            "ln -sf /usr/bin/curl /tmp/harmless && /tmp/harmless x", "(exec -a git /usr/bin/curl status)",
            "printf '#!/usr/bin/curl\\n' >/tmp/s; chmod +x /tmp/s; /tmp/s", "cp /usr/bin/curl /tmp/copy && /tmp/copy x",
            "unxz -V", "xz -V", "lzcat --version",
        ]

        @Test("the gate for tools, the hooks of agents and the trace points hold under Docker as under podman")
        func tools() throws {
            let rules = """
                version: 1
                audit: {trace_policy: required}
                tools:
                  rules:
                    - {id: no-curl, match: [curl], allow: false}
                    - {id: no-unxz, match: [unxz], allow: false}
                    - {id: tar, match: [tar], allow: true, risk: safe}

                """
            let docker = try DockerFixture(policy: rules)
            defer { withExtendedLifetime(docker) {} }
            let fixture = docker.sandbox
            try fixture.start()
            let script = Self.attacks.map { "( \($0) ) >/tmp/o 2>&1; echo $?; head -c 300 /tmp/o >&2\n" }.joined()
            let tried = try fixture.shell("bash", "-c", script)
            let statuses = tried.text.split(separator: "\n")
            #expect(statuses.count == Self.attacks.count, "\(tried.errorText)")
            for (attack, status) in zip(Self.attacks, statuses) {
                #expect(status == "126", "\(attack): \(tried.errorText)")
            }
            #expect(tried.errorText.contains("aibox: curl is refused: ") && tried.errorText.contains("rule no-curl"))
            let allowed = try fixture.shell("sh", "-c", "cd /tmp && echo a >b && tar cf c b && tar tf c")
            #expect(allowed.succeeded && allowed.text == "b", "\(allowed.errorText)")
            #expect(try fixture.shell("sh", "-c", "ls /run/aibox/tools; echo x >/usr/bin/curl").text.isEmpty)

            let question = { (command: String) in
                #"{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"\#(command)"},"cwd":"/tmp"}"#
            }
            let hook = { (command: String) throws in
                try fixture.shell("/run/aibox/agent-hook", input: Array(question(command).utf8))
            }
            let refused = try hook("cd /tmp && curl x")
            #expect(refused.termination == .exited(2), "\(refused)")
            #expect(refused.errorText.contains("fits no-curl of the org policy"), "\(refused.errorText)")
            #expect(try hook("tar --version").succeeded)
            for path in ["/etc/claude-code/managed-settings.json", "/etc/codex/requirements.toml"] {
                let change = "rm -f \(path); echo >\(path); grep -c agent-hook \(path)"
                #expect(try fixture.shell("sh", "-c", change).text == "1", "\(path)")
            }
            let log = try fixture.aibox.run("policy", "log", "--denied", "--sandbox", fixture.name).text
            #expect(log.contains("no-curl") && log.contains("no-unxz"), "\(log)")

            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            let traces = try fixture.aibox.run("audit", "search", "--type", "runtime.trace", "-o", "jsonl").text
            #expect(traces.contains("\"tf\"") && traces.contains("/usr/bin/nice"), "\(traces.suffix(2000))")
        }
    }
}
