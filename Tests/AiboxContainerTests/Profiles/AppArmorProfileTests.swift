import AiboxEmbedded
import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxContainer

@Suite("The AppArmor profile")
struct AppArmorProfileTests {
    private static let path = "configs/apparmor/aibox-sandbox"

    private func text() throws -> String { try #require(EmbeddedFile.text(Self.path)) }

    private func lines() throws -> [String] {
        try text().split(separator: "\n").map { String($0.drop { $0 == " " }) }
    }

    private func check(_ text: String) throws {
        let folder = try TemporaryFolder()
        try AppArmorProfile.check(try folder.write(AppArmorProfile.name, text), runner: SystemCommandRunner())
    }

    @Test("apparmor_parser compiles it, and refuses one that is broken")
    func compiles() throws {
        let text = try text()
        try check(text)
        let error = #expect(throws: AiboxError.self) { try check(text + "\nnonsense {") }
        #expect(error?.why?.contains("syntax error") == true, "\(error?.description ?? "")")
        #expect(throws: AiboxError.self) { try check("profile a { deny mount, frobnicate, }\n") }
    }

    @Test(
        "the folders of a sandbox have the access that their mounts promise",
        arguments: [
            ("/workspace/{,**}", "mrwklix", "a developer writes and executes in the workspace"),
            ("/home/dev/{,**}", "mrwklix", "and in the home folder: toolchains, node_modules/.bin"),
            ("/{tmp,var/tmp,run}/{,**}", "rwkl", "scratch is written, never executed or mapped as code"),
            ("/{bin,sbin,lib,lib32,lib64,libx32,opt,usr}/{,**}", "mrix", "the image is executed, never written"),
            ("/{etc,var,srv,media,mnt}/{,**}", "r", "the rest of the image is read"),
        ])
    func folders(_ pattern: String, _ access: String, _ description: String) throws {
        #expect(try lines().contains("\(pattern) \(access),"), "\(description)")
    }

    @Test("no rule takes back what another one gives to the home folder or to sshd")
    func nothingTakenBack() throws {
        let denied = try lines().filter { $0.hasPrefix("deny") || $0.hasPrefix("audit deny") }
        #expect(!denied.isEmpty)
        for line in denied {
            for folder in ["/home", "/workspace", ".ssh", "/usr", "/run", "/tmp", "/dev"] {
                #expect(!line.contains(folder), "\(line)")
            }
        }
    }

    @Test(
        "what leads out of the sandbox is denied by name",
        arguments: [
            "capability", "mount", "remount", "umount", "pivot_root", "ptrace (trace)", "network inet raw",
            "network inet6 raw", "network packet", "@{PROC}/sys/** wklx", "/sys/** wklx", "@{PROC}/@{pid}/mem rwklx",
        ])
    func denied(_ what: String) throws {
        #expect(try lines().contains("audit deny \(what),"))
    }

    @Test("nothing is granted that makes the rest pointless")
    func notGranted() throws {
        let lines = try lines()
        for word in ["capability", "mount", "umount", "pivot_root", "change_profile", "userns", "dbus", "file"] {
            #expect(!lines.contains { $0 == "\(word)," || $0.hasPrefix("\(word) ") }, "\(word) is granted")
        }
        #expect(!lines.contains { $0.hasPrefix("/** ") }, "a rule grants every file")
        #expect(!lines.contains { $0 == "network," }, "a rule grants every socket")
    }

    // MARK: Whether it is enforced

    private func state(_ files: [String: String]) throws -> AppArmorProfile.State {
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(name, text) }
        return AppArmorProfile.state(interface: folder.path)
    }

    @Test("enforced means loaded and in enforce mode, read by root or by an ordinary user")
    func enforced() throws {
        #expect(try state(["profiles": "docker-default (enforce)\naibox-sandbox (enforce)\n"]) == .enforced)
        let entry = "policy/profiles/aibox-sandbox.12/"
        #expect(try state([entry + "name": "aibox-sandbox\n", entry + "mode": "enforce\n"]) == .enforced)
    }

    private static let entry = "policy/profiles/aibox-sandbox.12/"

    @Test(
        "nothing else counts as enforced",
        arguments: [
            [:],
            ["profiles": "docker-default (enforce)\n"],
            ["profiles": "aibox-sandbox-2 (enforce)\n"],
            ["profiles": "aibox-sandbox//child (enforce)\n"],
            ["profiles": "aibox-sandbox (complain)\n"],
            ["profiles": "aibox-sandbox (kill\n"],
            [entry + "name": "aibox-sandbox\n", entry + "mode": "complain\n", "profiles": "aibox-sandbox (enforce)\n"],
            [entry + "name": "aibox-sandbox.12\n", entry + "mode": "enforce\n"],
        ] as [[String: String]])
    func notEnforced(_ files: [String: String]) throws {
        let state = try state(files)
        guard case .notEnforced = state else {
            Issue.record("it counts as \(state)")
            return
        }
    }

    @Test("a profile that only complains is told from one that is missing")
    func complaining() throws {
        #expect(
            try state(["profiles": "aibox-sandbox (complain)\n"])
                == .notEnforced(why: "the profile aibox-sandbox is in complain mode"))
        #expect(try state([:]) == .notEnforced(why: "the profile aibox-sandbox is not loaded"))
    }

    @Test("the state of this kernel agrees with what the kernel says about itself")
    func thisKernel() throws {
        let enabled = ((try? File.text("/sys/module/apparmor/parameters/enabled")) ?? "").hasPrefix("Y")
        if case .absent = AppArmorProfile.state { #expect(!enabled) } else { #expect(enabled) }
    }

    // MARK: What a start makes of it

    private static let gvisor = SandboxSpec.Engine.gvisor(runtime: "/r", platform: .systrap)
    private static let crun = SandboxSpec.Engine.crun(path: "/c")

    private func decide(
        _ engine: SandboxSpec.Engine, rootful: Bool, required: Bool = false, _ state: AppArmorProfile.State
    ) -> String {
        do throws(AiboxError) {
            let decision = try AppArmorProfile.decide(
                engine: engine, isRootful: rootful, isRequired: required, state: state)
            switch decision {
            case .confined: return "confined"
            case .unconfined(let why): return why
            }
        } catch {
            return "refused, \(error.code)"
        }
    }

    @Test("a start is confined where it can be, refused where it should be and is not, and says why elsewhere")
    func decisions() {
        let absent = AppArmorProfile.State.absent(why: "no AppArmor here")
        let loose = AppArmorProfile.State.notEnforced(why: "not loaded")
        #expect(decide(Self.crun, rootful: true, .enforced) == "confined")
        #expect(decide(Self.crun, rootful: true, required: true, .enforced) == "confined")
        #expect(decide(Self.crun, rootful: true, loose) == "refused, layerMissing")
        #expect(decide(Self.crun, rootful: true, absent) == "no AppArmor here")
        #expect(decide(Self.crun, rootful: false, .enforced) == "podman applies no AppArmor profile without root")
        #expect(decide(Self.crun, rootful: false, loose) == "podman applies no AppArmor profile without root")
        #expect(decide(Self.gvisor, rootful: true, loose) == "gVisor applies no AppArmor profile")
        for state in [absent, loose, .enforced] {
            #expect(decide(Self.gvisor, rootful: true, required: true, state) == "refused, layerMissing")
            #expect(decide(Self.crun, rootful: false, required: true, state) == "refused, layerMissing")
        }
        #expect(AppArmorProfile.Decision.confined.profile == "aibox-sandbox")
        #expect(AppArmorProfile.Decision.unconfined(why: "").profile == nil)
    }
}
