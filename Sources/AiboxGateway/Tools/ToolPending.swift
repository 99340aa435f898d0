import AiboxWire
import NIOCore

/// Questions that came by datagram, and what becomes of them, for a while: a gate that had no answer in time asks again over a
/// connection, with the same mark, and is told the same. One call is decided, and written down, once.
struct ToolPending {
    private struct Entry {
        var question: ToolQuestion
        var answer: EventLoopFuture<ToolAnswer>
        var end: NIODeadline
    }

    /// More than are asked in that time at the pace of the door; of more than these the oldest are forgotten, and decided again.
    static let limit = 1024
    /// A gate waits for two seconds, and dials.
    static let time = TimeAmount.seconds(5)

    private var entries: [[UInt8]: Entry] = [:]
    /// Oldest first; those that were taken stay until their time is over.
    private var order: [(mark: [UInt8], end: NIODeadline)] = []

    var count: Int { entries.count }

    mutating func begin(_ asked: ToolDatagram, _ answer: EventLoopFuture<ToolAnswer>, now: NIODeadline) {
        let over = order.prefix { $0.end <= now }.count
        drop(max(over, order.count - Self.limit + 1))
        // Who uses a mark twice has the first of its questions known.
        if entries[asked.mark] != nil { return }
        entries[asked.mark] = Entry(question: asked.question, answer: answer, end: now + Self.time)
        order.append((asked.mark, now + Self.time))
    }

    /// The answer to the datagram with that mark, once.
    mutating func take(_ mark: [UInt8], _ question: ToolQuestion, now: NIODeadline) -> EventLoopFuture<ToolAnswer>? {
        guard let entry = entries[mark], entry.question == question, entry.end > now else { return nil }
        entries[mark] = nil
        return entry.answer
    }

    private mutating func drop(_ count: Int) {
        if count <= 0 { return }
        for (mark, end) in order.prefix(count) where entries[mark]?.end == end { entries[mark] = nil }
        order.removeFirst(count)
    }
}
