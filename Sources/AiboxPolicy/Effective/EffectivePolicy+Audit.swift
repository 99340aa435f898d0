public import AiboxConfig

extension EffectivePolicy {
    /// What becomes of actions while the audit log cannot be written.
    public enum AuditFailure: String, Sendable, CaseIterable {
        /// They are refused.
        case stop
        /// They go on, and the log says afterwards how many events are missing.
        case markGap = "continue"
    }

    public var auditFailure: AuditFailure { AuditFailure(rawValue: text("audit.on_failure")) ?? .stop }

    /// The least that is recorded; a user's setting may ask for more.
    public var recordingPolicy: Configuration.Audit.RecordingPolicy {
        Configuration.Audit.RecordingPolicy(rawValue: text("audit.recording_policy")) ?? .required
    }

    /// The least that the log has to tell of the programs inside; a user's setting may ask for more.
    public var tracePolicy: Configuration.Audit.TracePolicy {
        Configuration.Audit.TracePolicy(rawValue: text("audit.trace_policy")) ?? .required
    }

    /// Whose key recordings are encrypted for, whatever a user's setting says; nil leaves it to the user.
    public var recordingRecipient: String? { values["audit.recording_recipient"]?.text }
}
