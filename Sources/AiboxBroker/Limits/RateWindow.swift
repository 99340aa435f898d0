/// Counts over the last minute: at most `limit` in any 60 seconds.
///
/// Kept by the second, and a second counts until all of it is older than a minute: never too much passes, and what was
/// refused may pass at most a second late.
struct RateWindow: Sendable, Equatable {
    let limit: Int
    /// By second, oldest first; no second without a count.
    private var seconds: [(second: Int64, count: Int)] = []
    private var sum = 0

    static let length: Int64 = 60

    init(limit: Int) { self.limit = limit }

    /// How much may still be taken.
    mutating func left(at second: Int64) -> Int {
        expire(second)
        return limit - sum
    }

    mutating func add(_ count: Int, at second: Int64) {
        expire(second)
        sum += count
        if seconds.last?.second == second {
            seconds[seconds.count - 1].count += count
        } else {
            seconds.append((second, count))
        }
    }

    /// Corrects what was taken at a second: an estimate by what it was in the end.
    mutating func correct(by difference: Int, at second: Int64) {
        guard let place = seconds.firstIndex(where: { $0.second == second }) else { return }
        seconds[place].count += difference
        sum += difference
    }

    /// Seconds until `count` more may be taken; nil: never.
    func wait(for count: Int, at second: Int64) -> Int? {
        if count > limit { return nil }
        var free = limit - sum
        for entry in seconds {
            if free >= count { break }
            free += entry.count
            if free >= count { return Int(max(1, entry.second + Self.length + 1 - second)) }
        }
        return free >= count ? 0 : 1
    }

    private mutating func expire(_ second: Int64) {
        while let first = seconds.first, first.second + Self.length < second {
            sum -= first.count
            seconds.removeFirst()
        }
    }

    static func == (left: RateWindow, right: RateWindow) -> Bool {
        left.limit == right.limit && left.sum == right.sum
            && left.seconds.elementsEqual(right.seconds) { $0.second == $1.second && $0.count == $1.count }
    }
}
