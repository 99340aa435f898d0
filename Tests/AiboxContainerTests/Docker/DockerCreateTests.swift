import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxContainer

@Suite("The argv of docker create")
struct DockerCreateTests {
    private func values(_ option: String, _ arguments: [String]) -> [String] {
        arguments.indices.filter { arguments[$0] == option }.map { arguments[$0 + 1] }
    }

    /// Every shape that a spec can have.
    private static func specs() throws -> [SandboxSpec] {
        var specs: [SandboxSpec] = []
        for mapping in [SandboxSpec.UserMapping.keepID, .identity] {
            for engine in [SandboxSpec.Engine.crun(path: "/usr/bin/crun"), .gvisor(runtime: "/r", platform: .ptrace)] {
                for limits in [
                    SandboxSpec.Limits(cpus: 4, memoryBytes: 8 << 30, processes: 2048),
                    SandboxSpec.Limits(cpus: nil, memoryBytes: nil, processes: nil),
                ] {
                    for source in ["/src/demo", "/src/a,b\"c d", "/src/-x"] {
                        var spec = try PodmanRunTests.spec()
                        spec.userMapping = mapping
                        spec.engine = engine
                        spec.limits = limits
                        spec.workspaceSource = source
                        specs.append(spec)
                    }
                }
            }
        }
        return specs
    }

    @Test("the whole argv is as it was read and agreed to")
    func golden() throws {
        let expected = """
            create --name aibox-demo --hostname aibox --label aibox=1 --label aibox.sandbox=demo --label \
            aibox.workspace=/src/demo --runtime aibox --user 1000:1000 --group-add 5 --cap-drop ALL --security-opt \
            no-new-privileges --security-opt seccomp=/state/seccomp.json --read-only --network none --ipc private --dns \
            10.200.1.1 --dns-search . --pull never --init=false --restart no --stop-timeout 3 --log-driver json-file \
            --log-opt max-size=10m --no-healthcheck --ulimit nofile=16384:16384 --ulimit nproc=4096:4096 --ulimit \
            core=0:0 --memory 8589934592b --memory-swap 8589934592b --pids-limit 2048 --cpu-period 100000 --cpu-quota 400000 --tmpfs \
            /tmp:rw,exec,nosuid,nodev,mode=1777,size=2147483648 --tmpfs \
            /var/tmp:rw,exec,nosuid,nodev,mode=1777,size=2147483648 --tmpfs \
            /run:rw,noexec,nosuid,nodev,mode=1777,size=16777216 --mount \
            type=bind,source=/src/demo,target=/workspace,bind-propagation=rprivate --volume aibox-demo-home:/home/dev:rw \
            --env A=b c sha256:1 /usr/sbin/sshd -D
            """
        #expect(DockerCreate(try PodmanRunTests.spec()).arguments.joined(separator: " ") == expected)
    }

    @Test("nothing that opens the sandbox is ever there, and no secret")
    func never() throws {
        for spec in try Self.specs() {
            let arguments = DockerCreate(spec).arguments
            for forbidden in ["--privileged", "--device", "--cap-add", "--pid", "--publish", "-p", "--userns", "--uts"]
            {
                #expect(!arguments.contains { $0 == forbidden || $0.hasPrefix(forbidden + "=") })
            }
            #expect(!arguments.contains { $0.contains(".sock") })
            #expect(!arguments.contains { $0.contains("/run/aibox/key") }, "files go in by the runtime's request")
            #expect(values("--network", arguments) == ["none"])
            #expect(values("--cap-drop", arguments) == ["ALL"])
        }
    }

    @Test("the policies in Rego see the same sandbox as under podman")
    func admission() throws {
        for spec in try Self.specs() {
            let podman = AdmissionDocument(spec, wish: spec.limits, arguments: PodmanRun(spec).arguments)
            let docker = AdmissionDocument(spec, wish: spec.limits, arguments: DockerCreate(spec).arguments)
            #expect(podman == docker)
        }
    }

    @Test("the real docker client takes every argv: it fails for want of a daemon, never for an option")
    func client() throws {
        let folder = try TemporaryFolder()
        let profile = try folder.write("seccomp.json", #"{"defaultAction":"SCMP_ACT_ERRNO"}"#)
        let socket = DockerSocket(path: folder.path + "/none.sock")
        let context = try StartFixture().context
        let docker = try Docker(SystemCommandRunner(), socket: socket, paths: context.paths)
        for var spec in try Self.specs() {
            spec.seccompProfile = profile
            let result = try docker.run(DockerCreate(spec).arguments)
            #expect(!result.succeeded)
            #expect(result.errorText.contains("Cannot connect to the Docker daemon"), "\(result.errorText)")
        }
        let calls = [
            ["start", "c"], ["rm", "--force", "c"], ["container", "inspect", "c"], ["info", "--format", "{{json .}}"],
            ["volume", "ls", "--quiet", "--filter", "name=p"], ["volume", "rm", "--force", "v"],
            ["logs", "--timestamps", "--follow", "c"], ["logs", "--tail", "3", "c"], ["image", "inspect", "i"],
            ["load", "--quiet", "--input", profile], ["image", "rm", "--force", "i"],
            ["create", "--pull", "never", "--network", "none", "i", "true"],
            ["images", "--no-trunc", "--quiet", "--filter", "label=a", "--filter", "dangling=false"],
        ]
        for call in calls {
            let said = try docker.run(call)
            #expect((said.errorText + said.text).contains("Cannot connect to the Docker daemon"), "\(call)")
        }
        let wrong = try docker.run(["create", "--no-such-option", "i"])
        #expect(wrong.errorText.contains("unknown flag"), "the client looks at options before it looks for the daemon")
    }
}
