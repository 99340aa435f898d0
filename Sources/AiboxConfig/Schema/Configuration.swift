/// Every setting of aibox with its default: `Configuration()` is what holds when nobody configured anything.
///
/// Each property has one row in `ConfigurationSchema`, which names its key, its range and its documentation.
public struct Configuration: Sendable, Equatable {
    /// The version of the file's layout (`config_version`).
    public var version = Configuration.currentVersion
    /// The program that runs containers.
    public var runtime = ContainerRuntime.podman
    /// The image reference; empty means the base image built on this machine.
    public var image = ""
    /// The login shell inside the sandbox.
    public var shell = LoginShell.bash
    public var gvisor = GVisor()
    public var kata = Kata()
    public var resources = Resources()
    public var workspace = Workspace()
    public var registry = Registry()
    public var network = Network()
    public var policy = Policy()
    public var credentials = Credentials()
    public var audit = Audit()
    public var approvals = Approvals()
    public var ide = IDE()
    public var logging = Logging()

    public init() {}

    /// The layout that this aibox reads and writes.
    public static let currentVersion = 1

    public enum ContainerRuntime: String, Sendable, CaseIterable { case podman, docker }
    public enum LoginShell: String, Sendable, CaseIterable { case bash, zsh }

    public struct GVisor: Sendable, Equatable {
        public var enabled = true
        public var platform = Platform.systrap
        /// Refuse to start where the kernel has no AppArmor or the profile is not loaded.
        public var requireAppArmor = false

        public enum Platform: String, Sendable, CaseIterable { case systrap, ptrace }
    }

    public struct Kata: Sendable, Equatable {
        public var enabled = false
    }

    public struct Resources: Sendable, Equatable {
        public var cpus = 4
        public var memory = ByteSize(gibibytes: 8)
        public var pids = 2048
        /// The size of the sandbox's `/tmp`.
        public var tmpSize = ByteSize(gibibytes: 2)
    }

    public struct Workspace: Sendable, Equatable {
        /// The workspace of `aibox start` without `-w`; relative to the current folder.
        public var defaultPath = "."
    }

    public struct Registry: Sendable, Equatable {
        public var verifySignatures = true
        /// Files with the public keys that may sign images.
        public var keys: [String] = []
    }

    public struct Network: Sendable, Equatable {
        /// False: the sandbox has no way out at all, never an unfiltered one.
        public var enabled = true
        public var allowedDomains: [String] = []
        /// The URL of the organisation's LLM gateway, or several with commas between them; empty for none.
        public var llmGateway = ""
        /// Where package managers inside find their packages, an entry (`PackageMirror`) for each.
        public var mirrors: [String] = []
        public var resolver = Resolver.auto

        public enum Resolver: String, Sendable, CaseIterable { case auto, coredns, unbound }
    }

    public struct Policy: Sendable, Equatable {
        public var orgBaselinePath = "/etc/aibox/org-policy.yaml"
        /// Empty for none.
        public var teamPolicyPath = ""
        /// Who set these two, for messages: a file with its line, or a variable; nil where nobody did.
        public var orgBaselineSetBy: String?
        public var teamPolicySetBy: String?
        /// Relative to the workspace.
        public var projectPolicyPath = "aibox/policy.yaml"
        /// Where the organisation's signed bundle is fetched; empty for none.
        public var orgBundleURL = ""
        /// Files with the public keys of which one must have signed it.
        public var orgBundleKeys: [String] = []
        /// The same for the team's.
        public var teamBundleURL = ""
        public var teamBundleKeys: [String] = []
        /// Certificates to trust instead of the system's where a bundle is fetched; empty for the system's.
        public var bundleCA = ""
    }

    public struct Credentials: Sendable, Equatable {
        public var store = Store.auto
        /// What takes the place of a keyring that was asked for and does not work.
        public var fallback = Fallback.none
        /// The program that hands out credentials, and its arguments; empty for none.
        public var command: [String] = []
        /// Seconds.
        public var commandTimeout = 30
        /// Whether a passphrase opens the encrypted file, not a file with a key.
        public var passphrase = false
        /// Empty for no Vault.
        public var vaultAddress = ""
        public var vaultNamespace = ""
        public var vaultAuth = VaultAuth.token
        /// Where the method is enabled; empty for the place of its own name.
        public var vaultAuthMount = ""
        public var vaultRole = ""
        /// Whom a JWT-SVID is for; empty for the address.
        public var vaultAudience = ""
        /// The file with what the method needs: the token, AppRole's secret id, the JWT, or certificate and key.
        public var vaultSecretPath = "~/.vault-token"
        /// The secrets engine.
        public var vaultMount = "aibox"
        /// Certificates to trust instead of the system's; empty for the system's.
        public var vaultCA = ""
        /// Where the SPIFFE Workload API listens; empty for what `SPIFFE_ENDPOINT_SOCKET` says.
        public var spiffeEndpoint = ""
        /// The identity that is meant; empty for the one that the Workload API has.
        public var spiffeID = ""

        public init() {}

        public enum Store: String, Sendable, CaseIterable { case auto, keyring, file, command, environment, vault }
        public enum VaultAuth: String, Sendable, CaseIterable {
            case token, approle, jwt, cert
            case spiffeJWT = "spiffe-jwt"
            case spiffeX509 = "spiffe-x509"
        }
        public enum Fallback: String, Sendable, CaseIterable { case none, file }
    }

    public struct Audit: Sendable, Equatable {
        /// Whether sessions are recorded. The organisation's policy may ask for more, never for less.
        public var recordingPolicy = RecordingPolicy.disabled
        /// Whether the log tells which programs run inside.
        public var tracePolicy = TracePolicy.disabled
        /// What a recorded session shows first.
        public var recordingNotice = "This session is recorded for security review."
        /// The public key that recordings are encrypted for; empty for one of this user's own.
        public var recordingRecipient = ""
        /// The size of one recording on the disk.
        public var recordingLimit = ByteSize(mebibytes: 500)

        /// Where events are sent beside the log.
        public var sinks: [String] = []
        public var checkpointPlaces: [String] = []

        /// The first port tried on 127.0.0.1 for Prometheus; 0: none.
        public var metricsPort = 0

        /// From the loosest to the strictest.
        public enum RecordingPolicy: String, Sendable, CaseIterable { case disabled, optional, required }
        public typealias TracePolicy = RecordingPolicy
    }

    public struct Approvals: Sendable, Equatable {
        /// Where questions to a person are told; empty for nowhere.
        public var webhook = ""
        /// The file with the secret that signs what is told; empty for none.
        public var webhookSecretPath = ""
        public var desktop = true

        public init() {}
    }

    public struct IDE: Sendable, Equatable {
        /// The first port tried on 127.0.0.1 for SSH; a further sandbox takes the next free one.
        public var sshPort = 2222
    }

    public struct Logging: Sendable, Equatable {
        public var level = Level.info
        public var format = Format.text

        public enum Level: String, Sendable, CaseIterable, Comparable {
            case debug, info, warn, error

            public static func < (left: Level, right: Level) -> Bool {
                let order = Level.allCases
                return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
            }
        }
        public enum Format: String, Sendable, CaseIterable { case text, json }
    }
}

extension Configuration {
    /// What separates the sandbox's programs from the host's kernel.
    public enum Isolation: String, Sendable, CaseIterable {
        /// gVisor's user-space kernel (`runsc`).
        case gvisor
        /// A virtual machine (`kata`).
        case kata
        /// The host's kernel behind namespaces and seccomp (`crun`).
        case crun
    }

    /// The isolation that `gvisor.enabled` and `kata.enabled` ask for; both at once do not load.
    public var isolation: Isolation {
        if gvisor.enabled { return .gvisor }
        return kata.enabled ? .kata : .crun
    }
}
