import AiboxSystem

/// When something that keeps dying may be started again: later each time.
struct RestartPace: Sendable {
    private var failures = 0
    private var next: ContinuousClock.Instant?
    private var begun = ContinuousClock.now

    private static let pauses: [Duration] = [
        .milliseconds(100), .milliseconds(500), .seconds(2), .seconds(5), .seconds(15), .seconds(30),
    ]
    /// What ran for so long begins with the shortest pause again.
    private static let stable = Duration.seconds(60)

    var mayTry: Bool { next.map { $0 <= .now } ?? true }

    /// Milliseconds to wait for, for poll(2); -1: for ever.
    var wait: Int32 { next.map { max(0, ContinuousClock.now.duration(to: $0).milliseconds) } ?? -1 }

    mutating func began() {
        next = nil
        begun = .now
    }

    mutating func failed() {
        if next == nil, begun.duration(to: .now) > Self.stable { failures = 0 }
        next = .now + Self.pauses[min(failures, Self.pauses.count - 1)]
        failures += 1
    }
}
