public import AiboxWire

/// Which questions are still to be told, and when. Pure: times come from outside, in seconds of one clock.
///
/// Nobody is worn down: the desktop shows `burst` questions at once and then one in `pause` seconds, what comes in between as
/// one notice. A webhook that takes nothing is asked ever more seldom, and each question `tries` times.
public struct ApprovalNotices: Sendable {
    public struct Key: Sendable, Hashable {
        public var sandbox: String
        public var id: String
    }

    public enum Notice: Sendable, Equatable {
        case one(Key)
        case several(Int)
    }

    static let burst: Int64 = 4
    static let pause: Int64 = 15
    static let tries = 6
    /// Questions that are kept in mind.
    static let limit = 512
    private static let longestWait: Int64 = 60

    private var open: [Key: ApprovalQuestion] = [:]
    private var untold: [Key] = []
    private var unsent: [(key: Key, tries: Int)] = []
    private var due: Int64
    private var wait: Int64 = 0
    private var next: Int64

    public init(now: Int64) {
        due = now - Self.pause * Self.burst
        next = now
    }

    /// What waits for a person now, of all sandboxes.
    ///
    /// - Parameter silent: sandboxes that did not answer: what waited there waits still.
    public mutating func see(_ questions: [(sandbox: String, question: ApprovalQuestion)], silent: [String] = []) {
        var now = open.filter { silent.contains($0.key.sandbox) }
        for (sandbox, question) in questions.prefix(Self.limit) {
            let key = Key(sandbox: sandbox, id: question.id)
            now[key] = question
            if open[key] != nil { continue }
            untold.append(key)
            unsent.append((key, 0))
        }
        open = now
        untold.removeAll { now[$0] == nil }
        unsent.removeAll { now[$0.key] == nil }
    }

    /// Whether there is nobody left to tell of anything.
    public var isIdle: Bool { untold.isEmpty && unsent.isEmpty }

    public func question(_ key: Key) -> ApprovalQuestion? { open[key] }

    /// What the desktop is to show next; nil: nothing now.
    public mutating func notice(now: Int64) -> Notice? {
        guard let first = untold.first else { return nil }
        let start = max(due, now - Self.pause * Self.burst)
        let free = (now - start) / Self.pause
        if free < 1 { return nil }
        due = start + Self.pause
        if untold.count == 1 || Int64(untold.count) <= free {
            untold.removeFirst()
            return .one(first)
        }
        defer { untold = [] }
        return .several(untold.count)
    }

    /// What the webhook is to get next; nil: nothing now.
    public func message(now: Int64) -> Key? { now < next ? nil : unsent.first?.key }

    /// What became of that.
    public mutating func sent(_ key: Key, isTaken: Bool, now: Int64) {
        guard let place = unsent.firstIndex(where: { $0.key == key }) else { return }
        if isTaken {
            unsent.remove(at: place)
            wait = 0
            return
        }
        wait = min(Self.longestWait, max(1, wait * 2))
        next = now + wait
        var entry = unsent.remove(at: place)
        entry.tries += 1
        // Behind the others: one that the webhook does not like holds up none of them.
        if entry.tries < Self.tries { unsent.append(entry) }
    }

    /// Nobody is to be told over the network.
    public mutating func forgetMessages() { unsent = [] }

    /// Nobody is to be told on the desktop.
    public mutating func forgetNotices() { untold = [] }
}
