import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// A sandbox that is lent a model's key and a place from Vault, and asks for both without a pause; then kill -9 of each process that
    /// keeps, carries or guards them.
    @Suite("Credentials, whatever is killed")
    struct KilledTests {
        private final class Lab {
            let mirror: LabMirror
            let provider: LabProvider
            let vault: LabVault
            let fixture: SandboxFixture

            init() throws {
                let (mirror, provider) = (try LabMirror(), try LabProvider())
                try mirror.accept((1..<60).map { "\(mirror.secret)-\($0)" })
                (self.mirror, self.provider) = (mirror, provider)
                vault = try LabVault(
                    """
                    {"namespace": "", "tokens": {}, "approle": {"r-1": "s-1"}, "jwt": {},
                     "dynamic": {"app/creds/ci": {"ttl": 600, "max_ttl": 86400, "data": {"token": "\(mirror.secret)-%n"}}},
                     "kv": {"aibox/llm-api-key/anthropic": {"dynamic": "app/creds/ci"},
                            "aibox/custom/app": {"dynamic": "app/creds/ci", "hosts": "\(mirror.place)/api",
                                                 "place": "header:x-lab-token"}}}
                    """)
                fixture = try SandboxFixture(
                    policy: """
                        version: 1
                        credentials: {custom_ttl: 1h, llm_api_key_ttl: 1h}
                        llm: {models: ["claude-*"]}
                        network:
                          targets: [127.0.0.1/32]
                          names: [{name: \(LabMirror.name), addresses: [127.0.0.1]}]
                          authorities: [\(mirror.authority)]
                          allow: [{id: mirror, hosts: [\(LabMirror.name)], ports: [\(mirror.port)]}]

                        """,
                    settings: [
                        "AIBOX_CREDENTIALS_STORE": "vault", "AIBOX_CREDENTIALS_VAULT_ADDR": vault.address,
                        "AIBOX_CREDENTIALS_VAULT_CA": vault.certificate, "AIBOX_CREDENTIALS_VAULT_AUTH": "approle",
                        "AIBOX_CREDENTIALS_VAULT_ROLE": "r-1",
                        "AIBOX_CREDENTIALS_VAULT_SECRET_PATH": vault.folder.path + "/secret-id",
                        "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
                    ])
                try fixture.start()
                let loop = """
                    while :; do
                      a=$(curl -s -m 2 -o /dev/null -w '%{http_code}' -H "x-api-key: $ANTHROPIC_API_KEY" \
                        -d '{"model":"claude-lab","max_tokens":5}' $ANTHROPIC_BASE_URL/v1/messages)
                      b=$(curl -s -m 2 -o /dev/null -w '%{http_code}' -d '{}' $AIBOX_CUSTOM_APP_URL/issues)
                      echo "$a $b" >>/workspace/asked
                    done
                    """
                try File.replace(fixture.workspace + "/loop.sh", with: loop, mode: 0o644)
                let begun = try fixture.shell(
                    "sh", "-c", "setsid bash /workspace/loop.sh </dev/null >/dev/null 2>&1 & echo begun")
                try #require(begun.text == "begun", "\(begun.errorText)")
                try #require(settled { asked.last == "200 200" }, "\(asked)")
                try #require(vault.leases("live") == 2)
            }

            deinit { _ = try? fixture.aibox.run("stop", "--all", "--volumes", "-q") }

            /// What became of each pair of requests, as the workspace has it on the host.
            var asked: [String] {
                ((try? File.text(fixture.workspace + "/asked")) ?? "").split(separator: "\n").map(String.init)
            }

            /// How often the two servers were asked.
            var heard: Int { provider.log.split(separator: "\n").count + mirror.requests.count }

            func settled(_ seconds: Int = 15, _ condition: () throws -> Bool) rethrows -> Bool {
                for _ in 0..<(seconds * 20) {
                    if try condition() { return true }
                    usleep(50_000)
                }
                return false
            }

            var gateway: Int32 {
                get throws {
                    Int32(truncatingIfNeeded: try #require(try fixture.status()["gateway_pid"]?.wholeNumber))
                }
            }

            /// A process that one has started, or that one of those has, as the kernel has their names (proc(5), `comm`).
            func below(_ pid: Int32, _ name: String) throws -> Int32? {
                let rows = try SystemCommandRunner().run(Command("ps", ["-e", "-o", "pid=,ppid=,comm="])).text
                var (below, found): (Set<Int32>, [Int32]) = ([pid], [])
                // Twice: children may have lower numbers than their parents.
                for _ in 0..<2 {
                    for row in rows.split(separator: "\n") {
                        let words = row.split(separator: " ")
                        guard words.count > 2, let own = Int32(words[0]), let parent = Int32(words[1]) else { continue }
                        guard below.contains(parent) else { continue }
                        below.insert(own)
                        if words[2] == name, words.count == 3, !found.contains(own) { found.append(own) }
                    }
                }
                return found.first
            }

            var monitor: Int32 {
                get throws {
                    let found = try SystemCommandRunner().run(
                        Command("podman", ["inspect", "--format", "{{.State.ConmonPid}}", fixture.container]))
                    return try #require(Int32(found.text), "\(found.errorText)")
                }
            }

            var keeper: Int32 {
                get throws { try #require(try fixture.leaseKeepers().first, "no keeper") }
            }

            /// The sandbox has nothing of it any more: its requests fail, and neither server hears another one.
            func expectDead(_ what: String) throws {
                #expect(
                    settled { asked.count > 0 && asked.last?.contains("200") == false }, "\(what): \(asked.suffix(3))")
                let before = (heard, asked.count)
                // At two seconds each for an attempt, of which some have to be over.
                #expect(settled(20) { asked.count >= before.1 + 2 || !isRunning }, "\(what): the loop has ended")
                #expect(heard == before.0, "\(what)")
                #expect(!asked.suffix(2).contains { $0.contains("200") }, "\(what): \(asked.suffix(3))")
            }

            private var isRunning: Bool {
                let found = try? SystemCommandRunner().run(
                    Command("podman", ["inspect", "--format", "{{.State.Running}}", fixture.container]))
                return found?.text == "true"
            }

            var journals: [String] {
                let names = (try? Folder.names(fixture.aibox.home.path + "/state/aibox/leases")) ?? []
                return names.filter { $0.hasSuffix(".json") }
            }
        }

        @Test(
            "the gateway, its namespaces' holder, the container's monitor: what is lent is worth nothing at once, and its leases are revoked",
            arguments: ["gateway", "holder", "monitor"])
        func ends(victim: String) throws {
            let lab = try Lab()
            let gateway = try lab.gateway
            let pid =
                switch victim {
                case "gateway": gateway
                case "holder": try #require(try lab.below(gateway, "aibox-holder"))
                default: try lab.monitor
                }
            kill(pid, SIGKILL)
            try lab.expectDead(victim)
            #expect(
                lab.settled { lab.vault.leases("live") == 0 && lab.journals.isEmpty },
                "\(victim): no command was needed")
            let listed = try lab.fixture.aibox.run("list")
            #expect(listed.text == "", "\(listed.text)")
            #expect(try lab.fixture.settledRemains() == [])
            let revoked = try lab.fixture.aibox.run("audit", "search", "--type", "credential.revoke", "-o", "jsonl")
                .text
            #expect(revoked.split(separator: "\n").count >= 2, "\(revoked)")
            #expect(try lab.fixture.aibox.run("audit", "verify").succeeded)
        }

        @Test(
            "Squid and the LLM proxy come back with what is lent; the keeper does not, and the next command takes it all back"
        )
        func returns() throws {
            let lab = try Lab()
            let gateway = try lab.gateway
            for name in ["squid", "aibox-llm-proxy"] {
                let pid = try #require(try lab.below(gateway, name), "no \(name)")
                kill(pid, SIGKILL)
                #expect(try lab.settled { try lab.below(gateway, name).map { $0 != pid } == true }, "\(name)")
                let before = lab.asked.count
                #expect(
                    lab.settled { lab.asked.count > before + 2 && lab.asked.last == "200 200" },
                    "\(name): \(lab.asked.suffix(5))")
                #expect(lab.vault.leases("live") == 2)
            }
            kill(try lab.keeper, SIGKILL)
            usleep(300_000)
            #expect(lab.vault.leases("live") == 2)
            let listed = try lab.fixture.aibox.run("list")
            #expect(listed.errorText.contains("had died; they are revoked"), "\(listed.errorText)")
            #expect(lab.vault.leases("live") == 0 && lab.journals.isEmpty)
            try lab.expectDead("keeper")
            #expect(try lab.fixture.status()["network"]?.stringValue == "connected")
        }

        @Test("all of them in one moment: dead at once, and revoked from the journal by the next command")
        func all() throws {
            let lab = try Lab()
            let gateway = try lab.gateway
            let others = try ["squid", "aibox-llm-proxy", "aibox-holder"].map {
                try #require(try lab.below(gateway, $0))
            }
            for pid in [try lab.keeper, gateway, try lab.monitor] + others { kill(pid, SIGKILL) }
            try lab.expectDead("all")
            #expect(lab.vault.leases("live") == 2 && lab.journals.count == 1)
            _ = try lab.fixture.aibox.run("list")
            #expect(lab.settled { lab.vault.leases("live") == 0 && lab.journals.isEmpty })
            #expect(try lab.fixture.settledRemains() == [])
            #expect(try lab.fixture.aibox.run("audit", "verify").succeeded)
        }
    }
}
