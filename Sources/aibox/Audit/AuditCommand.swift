import ArgumentParser

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read the audit log, and prove that nobody changed it.",
        subcommands: [
            AuditVerify.self, AuditTailCommand.self, AuditShow.self, AuditSearch.self, AuditProve.self,
            AuditCheckProof.self, AuditReportCommand.self, AuditExportCommand.self, AuditForward.self,
            AuditDeliver.self, AuditArchiveCommand.self, AuditFalco.self,
            AuditExpire.self, AuditDocs.self,
        ])
}
