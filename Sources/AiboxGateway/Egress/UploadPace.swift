import NIOCore

/// How far ahead of Squid a sandbox's upload may be, so that Squid's buffer is never full (`SquidGauge`).
struct UploadPace {
    /// What was sent since it was last known how much Squid holds, and what it held then.
    private(set) var ahead = 0
    /// How much it holds has been asked.
    private(set) var isAsking = false
    private var pause = TimeAmount.milliseconds(2)

    /// One reading more may be on its way, of `EgressService.allocator`'s largest: three times this stays below
    /// `client_request_buffer_max_size`.
    static let limit = 256 << 10

    var isSpent: Bool { ahead >= Self.limit || isAsking }

    mutating func sent(_ count: Int) { ahead += count }

    mutating func asks() { isAsking = true }

    /// - Parameter held: what Squid holds of all that was sent; nil: it does not say.
    /// - Returns: the time after which it is to be asked again.
    mutating func answered(held: Int?) -> TimeAmount? {
        ahead = held ?? 0
        if ahead < Self.limit {
            (isAsking, pause) = (false, .milliseconds(2))
            return nil
        }
        defer { pause = min(pause * 2, .milliseconds(50)) }
        return pause
    }
}
