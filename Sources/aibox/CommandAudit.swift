import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import AiboxWire

/// Events of commands that belong to no sandbox. Each is on the disk, and signed, before the command goes on (P7).
struct CommandAudit {
    let global: GlobalOptions
    /// Whether the signature goes to the places beside this machine at once.
    var wakes = true

    func record(_ type: AuditEventType, subject: String, outcome: AuditOutcome = .success, _ details: JSONObject)
        throws(AiboxError)
    {
        let paths = global.layers().paths
        // With settings that cannot be read, which this command may be about to mend, the strictest way applies.
        var options = AuditLog.Options()
        options.secondPlaces = [SecondPlace(folder: paths.auditCheckpoints)]
        if let own = try? SandboxAudit.options(try global.context()) { options = own }
        let log = try AuditLog.open(folder: paths.auditFolder, context: AuditContext(source: .cli), options: options)
        try log.append(AuditEvent(type, subject: subject, outcome: outcome, details: details))
        try log.close()
        // With settings that cannot be read there is no place to go to.
        if wakes { try? CheckpointPlaces(global).wake(global) }
    }
}
