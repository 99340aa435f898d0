import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxState
import AiboxSystem
import ArgumentParser

/// What shells offer, looked up when a person asks for it. Nothing is swept, made or told on the way.
extension CompletionKind {
    /// The sandboxes that were started and not stopped.
    static var sandboxes: CompletionKind {
        .custom { _, _, _ in
            let database = Paths.current.stateDatabase
            guard File.exists(database) else { return [] }
            return (try? SandboxStore(path: database).all().map(\.name).sorted()) ?? []
        }
    }

    /// The ids of the newest decisions in the log that the command reads.
    static var decisions: CompletionKind {
        .custom { words, _, _ in
            let named = words.firstIndex(of: "--log").flatMap { words.dropFirst($0 + 1).first }
            var query = AuditIndex.Query()
            query.types = LoggedDecision.types
            query.limit = 100
            let found = try? AuditIndex(folder: named ?? Paths.current.auditFolder).search(query)
            return (found ?? []).reversed().map(\.id)
        }
    }
}
