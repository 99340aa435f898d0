import AiboxNetwork
import AiboxSystem

/// Which exceptions are still to end, and which have. Pure: the time comes from outside, in seconds since 1970.
struct ExceptionCalendar {
    private(set) var coming: [ExceptionEnding]
    private(set) var past: [ExceptionEnding] = []

    /// A clock that was set, and a machine that slept, are noticed within so many seconds.
    static let step: Int64 = 5

    init(_ endings: [ExceptionEnding]) { coming = endings.sorted { $0.at < $1.at } }

    /// The next one whose time has come; nil: none has.
    func due(_ now: Int64) -> ExceptionEnding? { coming.first.flatMap { $0.at <= now ? $0 : nil } }

    /// What was due has ended; that is for good, wherever the clock goes.
    mutating func ended() {
        if !coming.isEmpty { past.append(coming.removeFirst()) }
    }

    /// Seconds until it is worth a look; nil: nothing is left to end.
    func wait(_ now: Int64) -> Int64? { coming.first.map { min(Self.step, max(1, $0.at - now)) } }

    /// For people.
    var words: [String] {
        past.map { "\($0.words): ended" + ($0.closing.map { ", nothing can be reached: \($0)" } ?? "") }
            + coming.map { "\($0.words): ends at \(Timestamp(seconds: $0.at).rfc3339.prefix(19))Z" }
    }
}
