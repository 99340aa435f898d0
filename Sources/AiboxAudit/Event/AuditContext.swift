public import AiboxSystem
import Glibc

/// Who and where: what the events of one process or one session have in common.
public struct AuditContext: Sendable, Equatable {
    /// A stay in a sandbox, from `start` to `stop`; empty outside one.
    public var session: String
    /// The sandbox's name; empty outside one.
    public var sandbox: String
    /// The person on whose behalf it happens.
    public var user: String
    /// The machine.
    public var host: String
    public var source: AuditSource
    /// SHA-256 of the merged policy in force, in hexadecimal; empty where none is.
    public var policy: String

    public init(
        source: AuditSource, session: String = "", sandbox: String = "", user: String = UserIdentity.current.name,
        host: String = AuditContext.hostName, policy: String = ""
    ) {
        self.source = source
        self.session = session
        self.sandbox = sandbox
        self.user = user
        self.host = host
        self.policy = policy
    }

    /// The kernel's node name.
    public static var hostName: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &names.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
