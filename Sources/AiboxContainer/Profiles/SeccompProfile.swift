/// Which system calls the programs of a sandbox may make, as a value: a default and exceptions from it.
///
/// Read from `configs/seccomp/aibox.json`, whose format is podman's and docker's (containers/common, seccomp.json);
/// docs/seccomp.md gives the reason for every part. `SeccompProfile.init(parsing:)` reads it strictly.
public struct SeccompProfile: Sendable, Equatable {
    /// The answer to a call that no rule names.
    public var defaultAction: Action
    public var architectures: [Architecture]
    public var rules: [Rule]
    /// Absolute path of the socket that the filter's listener is sent to; nil where nothing asks one.
    public var listener: String?
    /// The file, byte for byte.
    public var source: [UInt8]

    /// What becomes of a call.
    public enum Action: Sendable, Hashable {
        case allow
        /// It is not made and fails with this errno.
        case refuse(errno: UInt16)
        /// It is not made and fails with ENOSYS as long as nobody traces the process; see `Dialect.runsc`.
        case trace
        /// It waits until the process that has the filter's listener answers (seccomp_unotify(2)).
        case notify
    }

    public enum Architecture: Sendable, Hashable, CaseIterable {
        case amd64
        case arm64

        /// The one this program runs on.
        public static var native: Architecture {
            #if arch(arm64)
                .arm64
            #else
                .amd64
            #endif
        }

        /// The word of the OCI runtime specification.
        var ociName: String { self == .amd64 ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64" }
        /// The word of an `includes` member, which is Go's.
        var goName: String { self == .amd64 ? "amd64" : "arm64" }
    }

    /// One answer for some calls, on condition of their arguments.
    public struct Rule: Sendable, Hashable {
        public var names: [String]
        public var action: Action
        /// All must hold; none means always.
        public var arguments: [Argument]
        /// Where the rule stands; nil for every architecture.
        public var architectures: [Architecture]?
        public var comment: String?

        public init(
            names: [String], action: Action, arguments: [Argument] = [], architectures: [Architecture]? = nil,
            comment: String? = nil
        ) {
            self.names = names
            self.action = action
            self.arguments = arguments
            self.architectures = architectures
            self.comment = comment
        }

        func stands(on architecture: Architecture) -> Bool { architectures?.contains(architecture) ?? true }
    }

    /// A condition on one argument, taken as an unsigned number of 64 bits.
    public struct Argument: Sendable, Hashable {
        /// 0...5.
        public var index: UInt32
        public var comparison: Comparison

        public enum Comparison: Sendable, Hashable {
            case equal(UInt64)
            case atLeast(UInt64)
            /// Its bits under `mask` are exactly `value`.
            case masked(mask: UInt64, value: UInt64)
        }

        public init(_ index: UInt32, _ comparison: Comparison) {
            self.index = index
            self.comparison = comparison
        }
    }

    public init(defaultAction: Action, architectures: [Architecture], rules: [Rule], source: [UInt8] = []) {
        self.defaultAction = defaultAction
        self.architectures = architectures
        self.rules = rules
        self.source = source
    }
}
