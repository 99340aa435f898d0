/// How much an event matters to the person on call.
public enum AuditSeverity: String, Sendable, CaseIterable {
    case info, warning, high, critical
}

/// The risk class that a policy gives an action, in the words of the policy documents.
public enum AuditRisk: String, Sendable, CaseIterable {
    case safe
    case reviewRequired = "review-required"
    case blockedByDefault = "blocked-by-default"
}

/// How what the event tells of ended.
public enum AuditOutcome: String, Sendable, CaseIterable {
    /// Done, or about to be done with nothing left that could refuse it.
    case success
    /// Permitted by a decision.
    case allowed
    /// Refused by a decision.
    case denied
    /// Waits for a person.
    case pending
    /// Tried and not achieved.
    case failure
    /// Not known, or the event is an observation.
    case unknown
}

/// Which part of aibox, or which program beside it, saw what the event tells of.
public enum AuditSource: String, Sendable, CaseIterable {
    case cli = "aibox-cli"
    case gateway = "aibox-gateway"
    case llmProxy = "aibox-llm-proxy"
    case leaseKeeper = "aibox-lease-keeper"
    case toolGate = "aibox-tool-gate"
    case credentialHelper = "aibox-credential-helper"
    case agent = "aibox-agent"
    case sessionRecorder = "session-recorder"
    case auditLog = "audit-log"
    case squid, resolver, nftables, podman, runsc, sshd, vault, spire, falco, auditd
}

/// How long events of a type are kept at least.
public enum AuditRetention: Int, Sendable, CaseIterable {
    /// Who did what and who allowed it.
    case tier1 = 730
    /// Traffic and observations.
    case tier2 = 365

    public var days: Int { rawValue }
}
