import AiboxConfig
import AiboxEmbedded
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxContainer

/// A start that never gets as far as making something: a runner that fails loudly, folders of its own.
struct StartFixture {
    let folder: TemporaryFolder
    var context: SandboxContext

    struct NothingRuns: CommandRunner {
        func run(_ command: Command, timeout: Duration?) throws(AiboxError) -> CommandResult {
            throw AiboxError(.failed, "ran \(command.executable)")
        }
    }

    init(policy: String = "version: 1\n", own: String? = nil, runtimeFolder: Bool = true) throws {
        folder = try TemporaryFolder()
        try Folder.make(folder.path + "/project")
        if let own { try folder.write("etc/policies/own.rego", own) }
        var configuration = Configuration()
        configuration.policy.orgBaselinePath = try folder.write("org.yaml", policy)
        var environment = ["XDG_STATE_HOME": folder.path + "/state", "XDG_CONFIG_HOME": folder.path + "/config"]
        if runtimeFolder { environment["XDG_RUNTIME_DIR"] = try Folder.makeTemporary(prefix: "r", in: folder.path) }
        let bytes = { (path: String) in EmbeddedFile.bytes(path) ?? [] }
        context = SandboxContext(
            user: .current,
            paths: Paths(identity: .current, environment: environment, systemFolder: folder.path + "/etc"),
            configuration: configuration, host: .current, runner: NothingRuns(),
            profiles: SandboxContext.Profiles(
                seccomp: bytes("configs/seccomp/aibox.json"), appArmor: bytes("configs/apparmor/aibox-sandbox"),
                orgBaseline: bytes("configs/policy/org-baseline.yaml"),
                rego: PolicyModules(
                    EmbeddedFile.paths.filter { $0.hasPrefix("aibox-policies/org/") }.map {
                        PolicyModules.Source(name: $0, text: bytes($0))
                    })))
        context.host.isRoot = false
        context.host.cgroups = .unified(delegated: ["cpu", "memory", "pids"])
        // Limits are enforced rootless under crun.
        context.configuration.gvisor.enabled = false
    }

    /// What a start with this argv ends with.
    func refusal(workspace: String? = nil, _ change: @escaping @Sendable ([String]) -> [String] = { $0 }) throws
        -> AiboxError
    {
        var start = SandboxStart(context: context, workspace: workspace ?? folder.path + "/project", name: "t")
        start.containerArguments = { change(PodmanRun($0).arguments) }
        return try #require(throws: AiboxError.self) { _ = try start.run() }
    }

    func admission(_ host: HostFacts? = nil, workspace: String? = nil) throws -> SandboxAdmission {
        var context = context
        if let host { context.host = host }
        let preparation = SandboxPreparation(
            context: context, name: try SandboxName("t"),
            workspace: try Workspace.check(
                workspace ?? folder.path + "/project", user: .current, state: [], mounts: .current))
        let plan = preparation.plan
        return SandboxAdmission(
            AdmissionDocument(plan, wish: preparation.wish, arguments: PodmanRun(plan).arguments),
            policy: try context.policySet(workspace: nil).effective(),
            engine: try PolicyEngine(context.profiles.rego), user: "u")
    }
}
