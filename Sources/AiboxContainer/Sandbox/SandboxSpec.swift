/// Everything that a container of ours is started with. The argv is a pure function of it
/// (`PodmanRun`), and so is what `HardeningCheck` expects of the running container.
public struct SandboxSpec: Sendable, Equatable {
    public var name: SandboxName
    /// Shown by `podman ps --filter label=aibox=1`, and how the workspace of a container is found again.
    public var workspacePath: String
    /// Image id or reference.
    public var image: String
    public var engine: Engine
    /// How the sandbox's user 1000 is related to the host's users.
    public var userMapping: UserMapping
    /// `/proc/PID/ns/net` of the sandbox's own network namespace.
    public var networkNamespace: String
    public var limits: Limits
    /// What is mounted at `/workspace`.
    public var workspaceSource: String
    /// Named volumes, in mount order.
    public var volumes: [Volume]
    public var temporaryBytes: Int64
    /// Absolute path of the seccomp profile.
    public var seccompProfile: String
    /// Where the listener of that profile's filter goes, which hears of each program that is to be loaded; nil: it has none.
    public var callListener: String?
    /// Name of the AppArmor profile, nil where the kernel has no AppArmor.
    public var appArmorProfile: String?
    public var secrets: [Secret]
    /// What stands in the place of programs of the image, and what it runs in the end; all of it read-only.
    public var tools: [ToolMount]
    public var environment: [Variable]
    public var command: [String]
    /// Where the container's monitor writes its process id.
    public var monitorPidFile: String

    /// The user inside, always.
    public static let user: UInt32 = 1000
    /// The group that owns terminals in the image; without it sshd cannot give a login its terminal under gVisor.
    static let terminalGroup = "5"
    /// The gateway's address as the sandbox sees it.
    public static let gatewayAddress = "10.200.1.1"
    /// Where sshd listens inside.
    public static let sshPort: UInt16 = 2222
    /// Where the gateway takes requests of programs that know proxies.
    static let proxyPort: UInt16 = 3128

    /// What stands between the agent and the host's kernel.
    public enum Engine: Sendable, Equatable {
        /// gVisor through our wrapper at `runtime`.
        case gvisor(runtime: String, platform: Platform)
        case crun(path: String)
        case kata(path: String)

        public enum Platform: String, Sendable, CaseIterable { case systrap, ptrace }

        var isGVisor: Bool {
            if case .gvisor = self { true } else { false }
        }

        /// As policies and settings name it.
        var name: String {
            switch self {
            case .gvisor: "gvisor"
            case .crun: "crun"
            case .kata: "kata"
            }
        }

        public var label: String {
            switch self {
            case .gvisor(_, let platform): "gvisor/\(platform.rawValue)"
            case .crun: "crun"
            case .kata: "kata"
            }
        }
    }

    public enum UserMapping: Sendable, Equatable {
        /// Rootless: the user who runs aibox is 1000 inside, everybody else is a subordinate id.
        case keepID
        /// Rootful: 1000 inside is 1000 on the host.
        case identity
    }

    /// Upper bounds; nil where this machine cannot enforce the bound (`LimitSupport` says why).
    public struct Limits: Sendable, Equatable {
        public var cpus: Int?
        public var memoryBytes: Int64?
        public var processes: Int?

        public init(cpus: Int?, memoryBytes: Int64?, processes: Int?) {
            self.cpus = cpus
            self.memoryBytes = memoryBytes
            self.processes = processes
        }
    }

    public struct Volume: Sendable, Equatable {
        public var name: String
        public var target: String

        public init(name: String, target: String) {
            self.name = name
            self.target = target
        }
    }

    /// A file handed in through podman's secret store, so that neither its content nor a path of the
    /// host shows in `podman inspect`.
    public struct Secret: Sendable, Equatable {
        public var name: String
        public var target: String
        public var mode: String

        public init(name: String, target: String, mode: String) {
            self.name = name
            self.target = target
            self.mode = mode
        }
    }

    /// A file or folder of ours that is seen inside.
    public struct ToolMount: Sendable, Equatable {
        public var source: String
        public var target: String

        public init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }

    public struct Variable: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(
        name: SandboxName, workspacePath: String, image: String, engine: Engine, userMapping: UserMapping,
        networkNamespace: String, limits: Limits, workspaceSource: String, volumes: [Volume],
        temporaryBytes: Int64, seccompProfile: String, appArmorProfile: String?, secrets: [Secret],
        tools: [ToolMount] = [], environment: [Variable], command: [String], monitorPidFile: String
    ) {
        self.name = name
        self.workspacePath = workspacePath
        self.image = image
        self.engine = engine
        self.userMapping = userMapping
        self.networkNamespace = networkNamespace
        self.limits = limits
        self.workspaceSource = workspaceSource
        self.volumes = volumes
        self.temporaryBytes = temporaryBytes
        self.seccompProfile = seccompProfile
        self.appArmorProfile = appArmorProfile
        self.secrets = secrets
        self.tools = tools
        self.environment = environment
        self.command = command
        self.monitorPidFile = monitorPidFile
    }
}
