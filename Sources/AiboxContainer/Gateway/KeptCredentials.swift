import AiboxConfig
import AiboxSystem
public import AiboxWire

/// Credentials that come from Vault: a keeper of the sandbox's own reads them, once it is decided which are lent.
public struct KeptCredentials: Sendable {
    public var names: Set<String>
    /// How Vault is found: settings by their names, as text.
    public var settings: [String: String]

    public init(names: Set<String>, settings: [String: String]) {
        self.names = names
        self.settings = settings
    }
}

extension SandboxContext {
    /// What a keeper of leases is told about this machine.
    public func leaseSettings(
        _ credentials: [String: String], session: String = "", policy: String = "", marksGaps: Bool = false
    ) -> LeaseRevocationSettings {
        LeaseRevocationSettings(
            credentials: credentials, folder: paths.leases, key: paths.leaseKey,
            audit: GatewaySettings.AuditPlace(
                folder: paths.auditFolder, checkpoints: paths.auditCheckpoints, session: session, policy: policy,
                marksGaps: marksGaps),
            user: user.name)
    }
}
