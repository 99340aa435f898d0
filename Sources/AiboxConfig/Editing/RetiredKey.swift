/// A key that files of the first aibox may hold and that has no effect in this one.
public struct RetiredKey: Sendable, Equatable {
    public var name: String
    /// Why it is gone, and what takes its place.
    public var reason: String

    /// The row of a key's dotted name, unless the schema has the key (again).
    static func named(_ name: String) -> RetiredKey? {
        ConfigurationSchema.key(name) == nil ? all.first { $0.name == name } : nil
    }

    private static func keys(_ names: String..., because reason: String) -> [RetiredKey] {
        names.map { RetiredKey(name: $0, reason: reason) }
    }

    static let all: [RetiredKey] =
        keys("workspace.validate_fs", because: "the workspace's file system is always checked")
        + keys("registry.url", because: "the image's own name says its registry")
        + keys(
            "network.proxy_addr", "network.proxy_port", "network.dns_addr", "network.dns_port",
            because: "proxy and resolver live in the sandbox's own namespace at fixed addresses")
        + keys("policy.decision_log_path", because: "decisions are always written below the state folder")
        + keys("policy.hot_reload_secs", because: "a changed policy takes effect at the next start")
        + keys(
            "credentials.mode", because: "credentials.store says where credentials are kept")
        + keys(
            "credentials.spiffe_trust_domain", "credentials.spiffe_socket_path",
            because: "it has no effect in this version")
        + keys("dotfiles.repo", because: "it has no effect in this version")
        + keys(
            "audit.enabled", "audit.storage_backend", "audit.storage_endpoint", "audit.storage_bucket",
            "audit.log_path", "audit.vector_config_path", "audit.falco_enabled", "audit.recording_enabled",
            "audit.recording_policy", "audit.recording_notice_text", "audit.retention_tier1", "audit.retention_tier2",
            "audit.required_for_rollout", "audit.classification_level", "audit.llm_logging_mode",
            "audit.runtime_backend", because: "it has no effect in this version")
}
