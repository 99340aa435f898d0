import AiboxNetwork
import AiboxSystem

/// Turns answers of the resolver into records: each question at once, repetitions within a second as one with a count, so
/// that a flood of questions is no flood of events.
struct QueryDigest: Sendable {
    struct Record: Sendable, Equatable {
        var line: ResolverLogLine
        /// Questions that it stands for.
        var count: Int
        /// It stands for different names.
        var isMixed = false
    }

    private struct Key: Hashable {
        var name: String
        var type: String
        var code: String
    }

    private var begun: ContinuousClock.Instant?
    private var repeated: [Key: Record] = [:]
    private var others: Record?

    private static let window = Duration.seconds(1)
    /// Different questions of a window that are told one by one.
    private static let limit = 256

    /// - Returns: what is to be written down now.
    mutating func take(_ line: ResolverLogLine, at now: ContinuousClock.Instant) -> [Record] {
        var records = flush(at: now)
        if begun == nil { begun = now }
        let key = Key(name: line.name.lowercased(), type: line.type, code: line.code)
        if repeated[key] != nil {
            repeated[key]?.count += 1
        } else if repeated.count < Self.limit {
            repeated[key] = Record(line: line, count: 0)
            records.append(Record(line: line, count: 1))
        } else {
            others = Record(line: line, count: (others?.count ?? 0) + 1, isMixed: true)
        }
        return records
    }

    /// - Returns: the repetitions of a window that is over.
    mutating func flush(at now: ContinuousClock.Instant) -> [Record] {
        guard let begun, begun.duration(to: now) >= Self.window else { return [] }
        let records = repeated.values.filter { $0.count > 0 } + (others.map { [$0] } ?? [])
        self.begun = nil
        repeated = [:]
        others = nil
        return records
    }

    /// Milliseconds after which `flush` has something to do; nil: never.
    func wait(at now: ContinuousClock.Instant) -> Int32? {
        begun.map { max(1, now.duration(to: $0 + Self.window).milliseconds) }
    }
}
