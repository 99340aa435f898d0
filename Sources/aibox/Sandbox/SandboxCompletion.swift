import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxWire
import ArgumentParser

/// What shells offer, looked up when a person asks for it. Nothing is swept, made or told on the way, and nothing is offered
/// where nobody answers: a shell has no place for an error.
extension CompletionKind {
    /// The sandboxes that run.
    static var sandboxes: CompletionKind {
        .custom { _, _, _ in RunningGateways.names(.current).filter(isPlain).sorted() }
    }

    /// The ids of open questions: of all sandboxes, or of the one that `--name` says.
    static var approvals: CompletionKind {
        .custom { words, _, _ in
            let paths = Paths.current
            let named = words.firstIndex(of: "--name").flatMap { words.dropFirst($0 + 1).first }
            return RunningGateways.names(paths).filter { name in named.map { $0 == name } ?? true }.sorted()
                .flatMap { name in
                    let client = RunningGateways.client(name, paths, timeout: .seconds(1))
                    return ((try? client.approvals()) ?? []).map(\.id)
                }.filter(isPlain)
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
            return (found ?? []).reversed().map(\.id).filter(isPlain)
        }
    }

    /// No shell reads anything into it.
    private static func isPlain(_ word: String) -> Bool {
        !word.isEmpty && !word.hasPrefix("-")
            && word.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2D || byte == 0x2E || byte == 0x5F
            }
    }
}
