public import AiboxAudit
public import AiboxConfig
import AiboxPolicy
public import AiboxSystem

/// Whether and how sessions are recorded here: the stricter of the user's setting and the organisation's policy.
public struct RecordingRule: Sendable, Equatable {
    public var isRequired: Bool
    public var recipient: RecordingRecipient
    public var notice: String
    /// Bytes of one recording on the disk.
    public var limit: Int

    /// nil where nothing is recorded.
    ///
    /// - Parameter sandbox: whose sessions.
    /// - Throws: if the recipient's key cannot be used, or the user's own cannot be made.
    public static func load(_ context: SandboxContext, sandbox: String) throws(AiboxError) -> RecordingRule? {
        let bound = try context.policy(of: sandbox)
        var configuration = context.configuration
        for pin in bound.pins where pin.key.hasPrefix("audit.") { try pin.hold(&configuration) }
        let settings = configuration.audit
        let policy = strictest(settings.recordingPolicy, bound.recordingPolicy)
        if policy == .disabled { return nil }
        let given = bound.recordingRecipient ?? settings.recordingRecipient
        return RecordingRule(
            isRequired: policy == .required,
            recipient: given.isEmpty ? try ownRecipient(context.paths) : try recipient(given),
            notice: settings.recordingNotice, limit: Int(clamping: settings.recordingLimit.bytes))
    }

    /// For whom the content of requests to language models is kept: as with recordings.
    static func recipient(_ context: SandboxContext, _ policy: EffectivePolicy) throws(AiboxError) -> RecordingRecipient
    {
        let given = policy.recordingRecipient ?? context.configuration.audit.recordingRecipient
        return given.isEmpty ? try ownRecipient(context.paths) : try recipient(given)
    }

    static func strictest(
        _ one: Configuration.Audit.RecordingPolicy, _ other: Configuration.Audit.RecordingPolicy
    ) -> Configuration.Audit.RecordingPolicy {
        let order = Configuration.Audit.RecordingPolicy.allCases
        return (order.firstIndex(of: one) ?? 0) > (order.firstIndex(of: other) ?? 0) ? one : other
    }

    private static func recipient(_ text: String) throws(AiboxError) -> RecordingRecipient {
        if let recipient = RecordingRecipient(text) { return recipient }
        throw AiboxError(
            .failed, "cannot record sessions", why: "\(text) is no public key for recordings",
            remedy: "aibox recording key prints one; set it as audit.recording_recipient")
    }

    /// The user's own key, made at the first need.
    private static func ownRecipient(_ paths: Paths) throws(AiboxError) -> RecordingRecipient {
        if File.exists(paths.recordingKey) { return try ownKey(paths).recipient }
        let key = try RecordingKey()
        try Folder.make(Path.parent(paths.recordingKey), mode: 0o700)
        try File.replace(paths.recordingKey, with: key.text, mode: 0o600)
        return key.recipient
    }

    /// The key with which this user reads recordings that were made for nobody else.
    public static func ownKey(_ paths: Paths) throws(AiboxError) -> RecordingKey {
        try RecordingKey(try File.text(paths.recordingKey, limit: 65_536), from: paths.recordingKey)
    }
}
