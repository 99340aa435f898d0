import Testing

@testable import AiboxContainer

@Suite("The argv of podman run")
struct PodmanRunTests {
    static func spec() throws -> SandboxSpec {
        SandboxSpec(
            name: try SandboxName("demo"), workspacePath: "/src/demo", image: "sha256:1",
            engine: .gvisor(runtime: "/state/runsc", platform: .systrap), userMapping: .keepID,
            networkNamespace: "/proc/7/ns/net",
            limits: SandboxSpec.Limits(cpus: 4, memoryBytes: 8 << 30, processes: 2048), workspaceSource: "/src/demo",
            volumes: [SandboxSpec.Volume(name: "aibox-demo-home", target: "/home/dev")], temporaryBytes: 1 << 31,
            seccompProfile: "/state/seccomp.json", appArmorProfile: nil,
            secrets: [SandboxSpec.Secret(name: "key", target: "/run/aibox/key", mode: "0400")],
            environment: [SandboxSpec.Variable("A", "b c")], command: ["/usr/sbin/sshd", "-D"],
            monitorPidFile: "/run/conmon.pid")
    }

    /// The value after each occurrence of an option.
    private func values(_ option: String, _ arguments: [String]) -> [String] {
        arguments.indices.filter { arguments[$0] == option }.map { arguments[$0 + 1] }
    }

    @Test("every promised layer has its argument")
    func layers() throws {
        let arguments = PodmanRun(try Self.spec()).arguments
        #expect(values("--runtime", arguments) == ["/state/runsc"])
        #expect(values("--runtime-flag", arguments) == ["platform=systrap"])
        #expect(values("--user", arguments) == ["1000:1000"])
        #expect(values("--cap-drop", arguments) == ["ALL"])
        #expect(values("--security-opt", arguments) == ["no-new-privileges", "seccomp=/state/seccomp.json"])
        #expect(values("--network", arguments) == ["ns:/proc/7/ns/net"])
        #expect(values("--userns", arguments) == ["keep-id:uid=1000,gid=1000"])
        #expect(values("--memory", arguments) == values("--memory-swap", arguments))
        #expect(values("--pids-limit", arguments) == ["2048"])
        #expect(arguments.contains("--read-only"))
        #expect(arguments.contains("--no-hosts"))
        #expect(arguments.suffix(3) == ["sha256:1", "/usr/sbin/sshd", "-D"])
    }

    @Test("nothing that opens the sandbox is ever there")
    func never() throws {
        for mapping in [SandboxSpec.UserMapping.keepID, .identity] {
            for engine in [SandboxSpec.Engine.crun(path: "/usr/bin/crun"), .gvisor(runtime: "/r", platform: .ptrace)] {
                var spec = try Self.spec()
                spec.userMapping = mapping
                spec.engine = engine
                let arguments = PodmanRun(spec).arguments
                for forbidden in [
                    "--privileged", "--device", "--cap-add", "--pid", "--ipc", "--publish", "-p", "--env-host",
                ] {
                    #expect(!arguments.contains { $0 == forbidden || $0.hasPrefix(forbidden + "=") })
                }
                #expect(!arguments.contains { $0.contains("slirp4netns") || $0.contains(".sock") })
            }
        }
    }

    @Test("limits that the machine cannot enforce are not asked for")
    func limits() throws {
        var spec = try Self.spec()
        spec.limits = SandboxSpec.Limits(cpus: nil, memoryBytes: nil, processes: nil)
        let arguments = PodmanRun(spec).arguments
        for option in ["--cpus", "--memory", "--memory-swap", "--pids-limit"] { #expect(!arguments.contains(option)) }
    }

    @Test(
        "a path cannot bring in a mount option of its own",
        arguments: [
            ("/a", "source=/a"), ("/a,readonly", "\"source=/a,readonly\""), ("/a\"b", "\"source=/a\"\"b\""),
            ("/a:b", "source=/a:b"), ("/a b", "source=/a b"),
        ])
    func mountField(path: String, field: String) { #expect(PodmanRun.field("source", path) == field) }
}
