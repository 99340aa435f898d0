public import AiboxConfig
public import AiboxPolicy
public import AiboxState
public import AiboxSystem

/// What every step of a sandbox's life needs to know: who, where, with which settings, on what machine.
public struct SandboxContext: Sendable {
    public var user: UserIdentity
    public var paths: Paths
    public var configuration: Configuration
    public var host: HostFacts
    public var runner: any CommandRunner
    public var podman: Podman
    /// What the container of the sandbox at hand is kept by.
    var engine: ContainerEngine
    /// Files that are part of aibox itself.
    public var profiles: Profiles
    /// The policy of the sandbox that is being started; see `policy(of:)` for every other moment.
    var policy: EffectivePolicy?

    public struct Profiles: Sendable {
        /// The seccomp profile, JSON.
        public var seccomp: [UInt8]
        /// The AppArmor profile, as `apparmor_parser` reads it.
        public var appArmor: [UInt8]
        /// The policy where the organisation has none.
        public var orgBaseline: [UInt8]
        /// The baseline of policies in Rego.
        public var rego: PolicyModules

        public init(seccomp: [UInt8], appArmor: [UInt8], orgBaseline: [UInt8], rego: PolicyModules) {
            self.seccomp = seccomp
            self.appArmor = appArmor
            self.orgBaseline = orgBaseline
            self.rego = rego
        }
    }

    public init(
        user: UserIdentity, paths: Paths, configuration: Configuration, host: HostFacts,
        runner: any CommandRunner = SystemCommandRunner(), profiles: Profiles
    ) {
        self.user = user
        self.paths = paths
        self.configuration = configuration
        self.host = host
        self.runner = runner
        self.podman = Podman(runner: runner, host: host)
        engine = .podman(podman)
        self.profiles = profiles
    }

    /// The store of running sandboxes; its folder is made if it is missing.
    public func store() throws(AiboxError) -> SandboxStore {
        try Folder.makePrivate(paths.stateFolder)
        return try SandboxStore(path: paths.stateDatabase)
    }

    /// The lock that a start or stop of this sandbox holds.
    func lock(_ name: SandboxName) throws(AiboxError) -> FileLock {
        let folder = try paths.sandboxState(name.text)
        try Folder.makePrivate(folder)
        if let lock = try FileLock.take(folder + "/" + SandboxFolder.lock) { return lock }
        throw AiboxError(
            .failed, "the sandbox \(name) is busy", why: "another aibox is starting or stopping it right now",
            remedy: "wait for it, then look with aibox status")
    }
}
