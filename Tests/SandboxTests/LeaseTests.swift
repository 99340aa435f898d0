import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// What Vault makes for a sandbox works inside, is nowhere inside, and does not outlive it.
    @Suite("Dynamic secrets of Vault")
    struct LeaseTests {
        private final class Lab {
            let mirror: LabMirror
            let vault: LabVault
            let fixture: SandboxFixture

            init(ttl: Int, longest: Int = 86_400) throws {
                let mirror = try LabMirror()
                let secrets = (1..<60).map { "\(mirror.secret)-\($0)" }
                try mirror.accept(secrets)
                self.mirror = mirror
                vault = try LabVault(Self.state(mirror, ttl, longest, ""))
                fixture = try MirrorTests.fixture(
                    mirror, engine: .gvisor, mirrors: "npm=https://\(mirror.place)/api/npm",
                    settings: [
                        "AIBOX_CREDENTIALS_STORE": "vault", "AIBOX_CREDENTIALS_VAULT_ADDR": vault.address,
                        "AIBOX_CREDENTIALS_VAULT_CA": vault.certificate, "AIBOX_CREDENTIALS_VAULT_AUTH": "approle",
                        "AIBOX_CREDENTIALS_VAULT_ROLE": "r-1", "AIBOX_MIRROR_TOKEN": "",
                        "AIBOX_CREDENTIALS_VAULT_SECRET_PATH": vault.folder.path + "/secret-id",
                    ])
            }

            /// While there still is a Vault to revoke at.
            deinit {
                _ = try? fixture.aibox.run("stop", "--all", "--volumes", "-q")
                for keeper in (try? keepers()) ?? [] { kill(keeper, SIGKILL) }
            }

            static func state(_ mirror: LabMirror, _ ttl: Int, _ longest: Int, _ more: String) -> String {
                """
                {"namespace": "", "tokens": {}, "approle": {"r-1": "s-1"}, "jwt": {}, \(more)
                 "dynamic": {"app/creds/ci": {"ttl": \(ttl), "max_ttl": \(longest), "data": {"token": "\(mirror.secret)-%n"}}},
                 "kv": {"aibox/custom/app": {"dynamic": "app/creds/ci", "hosts": "\(mirror.place)/api",
                                             "place": "header:x-lab-token"}}}
                """
            }

            func set(_ more: String) throws { try vault.set(Self.state(mirror, 600, 86_400, more)) }

            /// The status of a request inside, and what came with it.
            func ask() throws -> String {
                try fixture.shell("bash", "-c", "curl -s -w ' %{http_code}' -d '{}' $AIBOX_CUSTOM_APP_URL/issues").text
            }

            func keepers() throws -> [Int32] { try fixture.leaseKeepers() }

            func journals() -> [String] {
                ((try? Folder.names(fixture.aibox.home.path + "/state/aibox/leases")) ?? []).filter {
                    $0.hasSuffix(".json")
                }
            }

            func settled(_ seconds: Int = 10, _ condition: () throws -> Bool) throws -> Bool {
                for _ in 0..<(seconds * 20) {
                    if try condition() { return true }
                    usleep(50_000)
                }
                return false
            }
        }

        @Test(
            "one is used, prolonged, replaced while the sandbox runs, and revoked by stop; it is in nobody's hands but the gateway's"
        )
        func life() throws {
            let lab = try Lab(ttl: 6, longest: 8)
            try lab.fixture.start()
            #expect(try lab.ask().hasSuffix(" 200"))
            let keeper = try #require(try lab.keepers().first)
            #expect(
                try lab.settled(20) { lab.vault.leases("live") + lab.vault.leases("revoked") >= 2 },
                "none was made anew")
            #expect(try lab.ask().hasSuffix(" 200"))
            #expect(lab.mirror.requests.last?.contains("\"which\": [0]") == false, "\(lab.mirror.requests)")
            #expect(try lab.vault.requests.contains { $0.contains("sys/leases/renew") })

            // Neither Vault's login nor what it lends is on the disk, on a command line or in an environment.
            for file in ["environ", "cmdline"] {
                // Not even its own user may read its environment: it is not dumpable.
                guard let text = try? File.text("/proc/\(keeper)/\(file)") else {
                    #expect(geteuid() != 0 && file == "environ")
                    continue
                }
                for secret in [lab.mirror.secret, "s-1", "hvs."] { #expect(!text.contains(secret), "\(file)") }
            }
            let limits = try File.text("/proc/\(keeper)/limits").split(separator: "\n")
            #expect(limits.contains { $0.hasPrefix("Max core file size") && $0.contains(" 0 ") })
            let inside = try lab.fixture.shell(
                "bash", "-c", "env; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; echo searched")
            #expect(inside.text.hasSuffix("searched") && !inside.text.contains(lab.mirror.secret))
            for secret in [lab.mirror.secret, "hvs."] {
                let found = try SystemCommandRunner().run(
                    Command("grep", ["-rlF", secret, lab.fixture.aibox.home.path, lab.fixture.workspace]))
                #expect(found.termination == .exited(1), "\(found.text)")
            }
            let status = try lab.fixture.aibox.run("auth", "status", "-o", "json").text
            #expect(status.contains("\"alive\": true") && status.contains("\"custom:app\""), "\(status)")
            #expect(try lab.fixture.status()["leases"]?.stringValue?.contains("of Vault") == true)
            #expect(try lab.fixture.aibox.run("auth", "list", "-o", "json").text.contains("\"dynamic\": true"))

            let stopped = try lab.fixture.aibox.run("stop", "--name", lab.fixture.name, "-o", "json")
            #expect(stopped.succeeded && stopped.text.contains("\"leases_left\": []"), "\(stopped.text)")
            #expect(lab.vault.leases("live") == 0 && lab.journals().isEmpty)
            #expect(try lab.keepers().isEmpty && lab.fixture.settledRemains() == [])
            for type in ["credential.issue", "credential.rotate", "credential.revoke"] {
                let events = try lab.fixture.aibox.run("audit", "search", "--type", type, "-o", "jsonl").text
                #expect(
                    events.contains("\"lease\":\"app/creds/ci/") && !events.contains("problems"), "\(type): \(events)")
            }
            #expect(try lab.fixture.aibox.run("audit", "verify").succeeded)
        }

        @Test("crashed, none of the three that hold secrets leaves a core dump, or a word of them in its log")
        func crashed() throws {
            for signal in [SIGABRT, SIGSEGV] {
                let lab = try Lab(ttl: 600)
                let words = ["start", "-w", lab.fixture.workspace, "--name", lab.fixture.name]
                let start = lab.fixture.aibox.command(words)
                let unlimited = Command(
                    "sh", ["-c", "ulimit -c unlimited; exec \"$@\"", "sh", start.executable] + words,
                    environment: start.environment, directory: lab.fixture.folder.path)
                let started = try SystemCommandRunner().run(unlimited, timeout: .seconds(120))
                try #require(started.succeeded, "\(started.errorText)")
                #expect(try lab.ask().hasSuffix(" 200"))
                let gateway = Int32(
                    truncatingIfNeeded: try #require(try lab.fixture.status()["gateway_pid"]?.wholeNumber))
                let below = try SystemCommandRunner().run(
                    Command("pgrep", ["--parent", "\(gateway)", "--exact", "aibox-llm-proxy"]))
                let proxy = try #require(Int32(below.text), "no proxy below \(gateway)")
                let keeper = try #require(try lab.keepers().first)
                var folders = [lab.fixture.folder.path, lab.fixture.workspace, lab.fixture.aibox.home.path, "/"]
                for (name, pid) in [("keeper", keeper), ("proxy", proxy), ("gateway", gateway)] {
                    let limit = try File.text("/proc/\(pid)/limits").split(separator: "\n")
                        .first { $0.hasPrefix("Max core file size") }
                    #expect(limit?.split(separator: " ").filter { $0 == "0" }.count == 2, "\(name): \(limit ?? "")")
                    if geteuid() == 0 {
                        folders.append(try #require(Path.real("/proc/\(pid)/cwd")))
                    } else {
                        #expect(open("/proc/\(pid)/mem", O_RDONLY) < 0, "\(name) can be read")
                    }
                }
                for pid in [keeper, proxy, gateway] {
                    kill(pid, signal)
                    #expect(try lab.settled { !File.exists("/proc/\(pid)") })
                }
                for folder in folders {
                    let cores = try Folder.names(folder).filter { $0.hasPrefix("core") }
                    #expect(cores == [], "in \(folder)")
                }
                _ = try lab.fixture.aibox.run("list")
                for secret in [lab.mirror.secret, "hvs."] {
                    let found = try SystemCommandRunner().run(
                        Command("grep", ["-rlaF", secret, lab.fixture.aibox.home.path, lab.fixture.workspace]))
                    #expect(found.termination == .exited(1), "\(found.text)")
                }
            }
        }

        @Test("kill -9 of the keeper: the next command takes it from the sandbox and revokes it")
        func deadKeeper() throws {
            let lab = try Lab(ttl: 600)
            try lab.fixture.start()
            #expect(try lab.ask().hasSuffix(" 200"))
            kill(try #require(try lab.keepers().first), SIGKILL)
            #expect(try lab.settled { try lab.keepers().isEmpty })
            #expect(lab.vault.leases("live") == 1)
            let listed = try lab.fixture.aibox.run("list")
            #expect(listed.errorText.contains("had died; they are revoked"), "\(listed.errorText)")
            #expect(lab.vault.leases("live") == 0 && lab.journals().isEmpty)
            let after = try lab.ask()
            #expect(after.hasSuffix(" 403"), "\(after)")
            let events = try lab.fixture.aibox.run("audit", "search", "--type", "credential.revoke", "-o", "jsonl").text
            #expect(events.contains("its keeper had died") && events.contains("the keeper of its leases has died"))
        }

        @Test("what an earlier stay left takes nothing from a later one of the same name, and is told once")
        func earlierStay() throws {
            let lab = try Lab(ttl: 600)
            try lab.fixture.start()
            let file = lab.fixture.aibox.home.path + "/state/aibox/leases/" + (try #require(lab.journals().first))
            let journal = try File.text(file)
            try lab.set(#""outage": true,"#)
            kill(try #require(try lab.keepers().first), SIGKILL)
            #expect(try lab.settled { try lab.keepers().isEmpty })
            let stopped = try lab.fixture.aibox.run("stop", "--name", lab.fixture.name, "-o", "json")
            #expect(
                stopped.succeeded && stopped.text.contains("\"leases_left\": [")
                    && !stopped.text.contains("\"leases_left\": []"), "\(stopped.text)")
            try lab.set("")
            #expect(try lab.settled(60) { lab.vault.leases("live") == 0 && lab.journals().isEmpty })
            try lab.fixture.start()
            try lab.set(#""outage": true,"#)
            try File.replace(file, with: journal)
            let status = try lab.fixture.aibox.run("status", "--name", lab.fixture.name, "-o", "json").text
            #expect(status.split(separator: "\"leases\":").count == 2, "\(status)")
            #expect(try lab.ask().hasSuffix(" 200"), "the later stay has lost what it was lent")
            try lab.set("")
            #expect(try lab.settled(60) { lab.journals().count == 1 })
            #expect(try lab.ask().hasSuffix(" 200") && lab.vault.leases("live") == 1)
        }

        @Test("kill -9 of the gateway: the keeper revokes at once; a start that fails leaves nothing either")
        func deadGateway() throws {
            let lab = try Lab(ttl: 600)
            try lab.fixture.start()
            let pid = Int32(truncatingIfNeeded: try #require(try lab.fixture.status()["gateway_pid"]?.wholeNumber))
            kill(pid, SIGKILL)
            #expect(try lab.settled { lab.vault.leases("live") == 0 && lab.journals().isEmpty })
            _ = try lab.fixture.aibox.run("list")
            let failed = try lab.fixture.aibox.run(
                "start", "-w", lab.fixture.workspace, "--name", lab.fixture.name, "--image", "localhost/none:none")
            #expect(!failed.succeeded)
            #expect(
                try lab.settled { lab.vault.leases("live") == 0 && lab.journals().isEmpty })
            #expect(try lab.settled { try lab.keepers().isEmpty })
        }

        @Test("a start that dies before its gateway is there leaves no lease")
        func deadStart() throws {
            let lab = try Lab(ttl: 600)
            let folder = lab.fixture.folder.path
            let settings = LeaseKeeperSettings(
                vault: LeaseRevocationSettings(
                    credentials: [
                        "credentials.vault_addr": lab.vault.address, "credentials.vault_ca": lab.vault.certificate,
                        "credentials.vault_auth": "approle", "credentials.vault_role": "r-1",
                        "credentials.vault_secret_path": lab.vault.folder.path + "/secret-id",
                    ], folder: folder + "/leases", key: folder + "/key/leases.key",
                    audit: GatewaySettings.AuditPlace(
                        folder: folder + "/audit", checkpoints: folder + "/checkpoints", session: "0123456789abcdef"),
                    user: "x"), sandbox: "dead", runFolder: folder + "/run", modelGateway: "",
                lent: ["custom:app": Timestamp.now.seconds + 600], revokesOnStop: true)
            do {
                let keeper = try LeaseKeeperProcess.start(settings, logFile: folder + "/log/leases.log")
                #expect(keeper.changes.first?.places.first?.secret == lab.mirror.secret + "-1")
                #expect(lab.vault.leases("live") == 1)
                // There is no gateway to give it to.
                #expect(throws: AiboxError.self) { try keeper.keep() }
            }
            #expect(try lab.settled { lab.vault.leases("live") == 0 })
            _ = try LeaseKeeperProcess.start(settings, logFile: folder + "/log/leases.log")
            #expect(try lab.settled { lab.vault.leases("live") == 0 && lab.vault.leases("revoked") == 2 })
            #expect(try lab.settled { try Folder.names(folder + "/leases").allSatisfy { $0.hasPrefix(".") } })
        }

        @Test(
            "Vault down at stop: it is told truly, and revoked once Vault answers, also after a kill -9 of everything")
        func outageAtStop() throws {
            for kills in [false, true] {
                let lab = try Lab(ttl: 600)
                try lab.fixture.start()
                try lab.set(#""outage": true,"#)
                let stopped = try lab.fixture.aibox.run("stop", "--name", lab.fixture.name)
                #expect(
                    stopped.succeeded && stopped.errorText.contains("at the latest, and aibox goes on trying"),
                    "\(stopped.errorText)")
                #expect(lab.journals().count == 1 && lab.vault.leases("live") == 1)
                if kills {
                    for keeper in try lab.keepers() { kill(keeper, SIGKILL) }
                    #expect(try lab.settled { try lab.keepers().isEmpty })
                    let began = ContinuousClock.now
                    let listed = try lab.fixture.aibox.run("list")
                    #expect(
                        began.duration(to: .now) < .seconds(5) && listed.errorText.contains("goes on trying"),
                        "\(listed.errorText)")
                }
                try lab.set("")
                #expect(
                    try lab.settled(30) { lab.vault.leases("live") == 0 && lab.journals().isEmpty }, "kills: \(kills)")
            }
        }

        @Test(
            "Vault down while it runs: it goes on to the lease's end, then the refusal says why; later it works again")
        func outageInside() throws {
            let lab = try Lab(ttl: 20)
            try lab.fixture.start()
            #expect(try lab.ask().hasSuffix(" 200"))
            try lab.vault.set(#"{"outage": true, "tokens": {}}"#)
            #expect(try lab.ask().hasSuffix(" 200"))
            #expect(try lab.settled(60) { try lab.ask().hasSuffix(" 403") })
            let refusal = try lab.ask()
            #expect(refusal.contains("Vault has not answered since "), "\(refusal)")
            let status = try lab.fixture.aibox.run("auth", "status")
            #expect(status.text.contains("trouble since "), "\(status.text)")
            try lab.set("")
            #expect(try lab.settled(90) { try lab.ask().hasSuffix(" 200") })
            #expect(try lab.fixture.aibox.run("stop", "--name", lab.fixture.name).succeeded)
            #expect(try lab.vault.leases("live") == 0 && lab.keepers().isEmpty)
        }
    }
}
