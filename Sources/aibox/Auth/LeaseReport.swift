import AiboxCredentials
import AiboxSystem

/// What a sandbox holds, or left, of Vault's leases.
struct LeaseReport {
    private let entry: LeaseJournals.Entry
    /// Nobody uses it any more.
    private let isOver: Bool

    init(_ entry: LeaseJournals.Entry, isOver: Bool = false) {
        self.entry = entry
        self.isOver = isOver
    }

    /// In one line.
    var words: String {
        switch entry.journal {
        case .failure(let error): return "a journal of leases cannot be used: \(error.reason)"
        case .success(let journal):
            let count = journal.leases.count
            let leases =
                journal.isSettled
                ? "nothing" : count == 0 ? "a login, no lease" : count == 1 ? "1 lease" : "\(count) leases"
            var words = "\(journal.sandbox): \(leases) of Vault"
            if !entry.isAlive {
                words += ", whose keeper has died"
            } else if journal.isEnding || isOver {
                words += ", being revoked"
            } else if let next = journal.next, count > 0 {
                words += ", next step at \(Self.time(next))"
            }
            if let trouble = journal.trouble, let since = journal.since {
                words += "; trouble since \(Self.time(since)): \(trouble)"
            }
            if journal.isEnding || isOver || !entry.isAlive { words += "; " + end(journal) }
            return words
        }
    }

    /// When it is over without Vault's doing.
    private func end(_ journal: LeaseJournal) -> String {
        let ends = journal.leases.map { Optional($0.expires) } + journal.tokens.map(\.expires)
        if ends.contains(where: { $0 == nil }) { return "its login ends when Vault revokes it" }
        guard let last = ends.compactMap(\.self).max() else { return "nothing is left" }
        return "all ends at \(Self.time(last)) at the latest" + (entry.isAlive ? ", and aibox goes on trying" : "")
    }

    private static func time(_ seconds: Int64) -> String { Timestamp(seconds: seconds).local }

    var value: OutputValue {
        switch entry.journal {
        case .failure(let error):
            return .object([.init("journal", .text(entry.name)), .init("problem", .text(error.reason))])
        case .success(let journal):
            func time(_ seconds: Int64?) -> OutputValue { seconds.map { .time(Timestamp(seconds: $0)) } ?? .null }
            return .object([
                .init("sandbox", .text(journal.sandbox)), .init("leases", .integer(journal.leases.count)),
                .init("credentials", .list(journal.kept.map { .text($0) })), .init("next", time(journal.next)),
                .init("trouble", .optional(journal.trouble)), .init("since", time(journal.since)),
                .init("ending", .boolean(journal.isEnding)), .init("alive", .boolean(entry.isAlive)),
                .init("last_end", time(journal.lastEnd)),
                .init("untold", .integer(journal.untold.count + Int(clamping: journal.untoldMore))),
            ])
        }
    }
}
