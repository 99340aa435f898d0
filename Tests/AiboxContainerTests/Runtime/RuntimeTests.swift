import AiboxState
import AiboxSystem
import Testing

@testable import AiboxContainer

@Suite("Runtimes and machines")
struct RuntimeTests {
    @Test(
        "the release of runsc is read from what it prints",
        arguments: [
            ("runsc version release-20240729.0\nspec: 1.1.0-rc.1\n", 20_240_729),
            ("runsc version 0.0~20221219.0", 20_221_219),
            ("runsc version 20260101.0", 20_260_101), ("runsc version VERSION_MISSING", nil),
            ("podman version 4.3.1", nil), ("", nil),
        ] as [(String, Int?)])
    func release(text: String, expected: Int?) { #expect(RuntimeProbe.release(text) == expected) }

    @Test("the wrapper keeps every argument a word of its own and drops --tty")
    func wrapper() throws {
        let folder = try Folder.makeTemporary(prefix: "aibox-wrapper")
        defer { try? Folder.removeTree(folder) }
        let script = RunscWrapper(runsc: "/bin/echo", ignoresCgroups: true).text
        // Everything but the mount namespace, which needs privileges.
        let plain = script.split(separator: "\n").filter {
            !$0.hasPrefix("exec unshare") && !$0.contains("mount -t") && !$0.hasPrefix("    /bin/echo")
        }
        try File.replace(folder + "/w", with: plain.joined(separator: "\n") + "\nprintf '<%s>' \"$@\"\n")
        let result = try SystemCommandRunner().run(
            Command("sh", [folder + "/w", "--root", "a b", "exec", "--tty", "-t", "$(id)", "*", ""]))
        #expect(result.text == "<--root><a b><exec><$(id)><*><>")
        #expect(script.contains("--ignore-cgroups --network=sandbox --oci-seccomp"))
    }

    @Test(
        "a podman that still starts a container is told from every other process",
        arguments: [
            (["podman", "--cgroup-manager=cgroupfs", "run", "--detach", "--name", "aibox-a", "image"], true),
            (["/usr/bin/podman", "run", "--name", "aibox-a"], true), (["podman", "run", "--name", "aibox-ab"], false),
            (["podman", "exec", "aibox-a", "run"], false),
            (["conmon", "-n", "aibox-a", "run", "--name", "aibox-a"], false),
            (["podman", "run", "--name"], false), ([], false),
        ] as [([String], Bool)])
    func orphans(words: [String], expected: Bool) {
        #expect(OrphanedPodman.isStart(words, of: "aibox-a") == expected)
    }

    @Test("a monitor that podman forgot is told by its container's name")
    func strayMonitor() {
        let words = [
            "/usr/bin/conmon", "--api-version", "1", "-c", "0a1b", "-r", "/state/runsc", "-n", "aibox-a", "-s",
        ]
        #expect(StrayMonitor(pid: 7, words: words, container: "aibox-a")?.id == "0a1b")
        #expect(StrayMonitor(pid: 7, words: words, container: "aibox-ab") == nil)
        #expect(StrayMonitor(pid: 7, words: ["podman"] + words.dropFirst(), container: "aibox-a") == nil)
        #expect(StrayMonitor(pid: 7, words: words.map { $0 == "0a1b" ? "--all" : $0 }, container: "aibox-a") == nil)
    }

    @Test("limits are promised only where they are enforced")
    func limits() {
        func support(root: Bool, _ cgroups: HostFacts.Cgroups, _ engine: SandboxSpec.Engine) -> LimitSupport {
            let host = HostFacts(
                isRoot: root, hasSystemd: false, cgroups: cgroups, isWSL: false, kernel: KernelVersion("6.1"),
                memoryBytes: 0,
                hasAppArmor: false)
            return LimitSupport(host: host, engine: engine)
        }
        let gvisor = SandboxSpec.Engine.gvisor(runtime: "/r", platform: .systrap)
        let crun = SandboxSpec.Engine.crun(path: "/c")
        let wish = SandboxSpec.Limits(cpus: 1, memoryBytes: 1, processes: 1)
        let none = SandboxSpec.Limits(cpus: nil, memoryBytes: nil, processes: nil)
        #expect(support(root: true, .legacy(hybrid: true), gvisor).enforceable(wish) == wish)
        #expect(support(root: false, .legacy(hybrid: false), crun).enforceable(wish) == none)
        #expect(support(root: false, .unified(delegated: ["cpu", "memory", "pids"]), gvisor).enforceable(wish) == none)
        #expect(support(root: false, .unified(delegated: ["cpu", "memory", "pids"]), crun).enforceable(wish) == wish)
        let partly = support(root: false, .unified(delegated: ["memory", "pids"]), crun)
        #expect(partly.enforceable(wish) == SandboxSpec.Limits(cpus: nil, memoryBytes: 1, processes: 1))
        #expect(partly.reason?.contains("cpu") == true)
    }

    @Test("the file system of a path is that of the innermost mount, the last of several on one place")
    func mounts() {
        let table = MountTable(
            text: """
                1 0 8:1 / / rw - ext4 /dev/sda rw
                2 1 0:5 / /mnt/c rw - 9p C: rw
                3 1 0:6 / /mnt rw - tmpfs tmpfs rw
                4 1 0:7 / /with\\040space rw shared:1 - xfs /dev/sdb rw
                5 3 0:8 / /mnt rw - btrfs /dev/sdc rw
                broken line
                """)
        #expect(table.fileSystem(of: "/home/x") == "ext4")
        #expect(table.fileSystem(of: "/mnt/c/x") == "9p")
        #expect(table.fileSystem(of: "/mnt/cc") == "btrfs")
        #expect(table.fileSystem(of: "/with space/x") == "xfs")
    }

    @Test("a command means the sandbox of the current folder, else the only one, else it asks")
    func selection() throws {
        func record(_ name: String, _ workspace: String) -> SandboxRecord {
            SandboxRecord(
                name: name, container: "aibox-" + name, workspace: workspace, runFolder: "", engine: "", image: "",
                imageID: "",
                phase: .running, sshPort: 0, limits: "", started: Timestamp(seconds: 0))
        }
        let outer = record("outer", "/src")
        let inner = record("inner", "/src/a")
        let other = record("other", "/b")
        func choose(_ name: String?, _ folder: String, _ records: [SandboxRecord]) throws -> String {
            try SandboxSelection.choose(name, currentFolder: folder, among: records).name
        }
        #expect(try choose(nil, "/src/a/b", [outer, inner, other]) == "inner")
        #expect(try choose(nil, "/src/ab", [outer, inner, other]) == "outer")
        #expect(try choose("aibox-other", "/src", [outer, inner, other]) == "other")
        #expect(try choose(nil, "/elsewhere", [other]) == "other")
        #expect(throws: AiboxError.self) { try choose(nil, "/elsewhere", [outer, other]) }
        #expect(throws: AiboxError.self) { try choose("no", "/src", [outer]) }
        #expect(throws: AiboxError.self) { try choose(nil, "/", []) }
    }
}
