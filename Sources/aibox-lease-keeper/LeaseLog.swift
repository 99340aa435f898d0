import AiboxAudit
import AiboxCredentials
import AiboxSystem
import AiboxWire

/// What the keeper does, in the audit log.
struct LeaseLog {
    private let log: AuditLog
    private let context: AuditContext

    init(_ settings: LeaseRevocationSettings, sandbox: String) throws(AiboxError) {
        context = AuditContext(
            source: .leaseKeeper, session: settings.audit.session, sandbox: sandbox, user: settings.user,
            policy: settings.audit.policy)
        log = try AuditLog.open(
            folder: settings.audit.folder, context: context, options: AuditLog.Options(settings.audit))
    }

    /// On the disk when it returns.
    ///
    /// - Parameters:
    ///   - sandbox: nil: the one that is kept.
    ///   - session: of the stay that it is about; nil: of this one.
    func record(_ event: LeaseEvent, sandbox: String? = nil, session: String? = nil) throws(AiboxError) {
        var details: JSONObject = ["store": "vault"]
        details["kind"] = (try? CredentialName(event.name)).map { .string($0.type.kind) }
        details["lease"] = event.lease.map { .string($0) }
        if let expires = event.expires { details["expires"] = .string(Timestamp(seconds: expires).rfc3339) }
        details["reason"] = event.reason.map { .string(AuditText.carried(Array($0.utf8))) }
        let (type, outcome): (AuditEventType, AuditOutcome) =
            switch event.kind {
            case .made: (.credentialIssue, .success)
            case .replaced: (.credentialRotate, .success)
            case .revoked: (.credentialRevoke, .success)
            case .failed: (.credentialRotate, .failure)
            case .notRevoked: (.credentialRevoke, .failure)
            }
        var entry = AuditEvent(type, subject: event.name, outcome: outcome, details: details)
        if let sandbox, let session {
            entry.context = AuditContext(source: .leaseKeeper, session: session, sandbox: sandbox, user: context.user)
        }
        try log.append(entry)
    }

    func close() { try? log.close() }
}
