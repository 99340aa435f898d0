import AiboxAudit
import AiboxSystem
import AiboxWire

/// What becomes of the points that come: an event each, or a count of those of which there is none. Pure.
struct TraceLedger {
    private var seen: UInt32 = 0
    /// Points of which no event will tell.
    private var lost = 0
    private var reason = ""
    private var told: ContinuousClock.Instant
    private var budget: Double
    private var filled: ContinuousClock.Instant
    private let isBounded: Bool

    /// Events that may come at once, and a second in the long run: the sandbox decides how many programs it runs, and the
    /// disk is the host's.
    static let burst = 50_000.0
    static let pace = 200.0
    /// How often a loss is told of at most.
    static let interval = Duration.seconds(1)

    /// - Parameter isBounded: whether points beyond the pace are only counted.
    init(isBounded: Bool, now: ContinuousClock.Instant) {
        self.isBounded = isBounded
        budget = Self.burst
        told = now - Self.interval
        filled = now
    }

    /// The event of a packet; nil where it has none, or none any more.
    mutating func take(_ packet: [UInt8], now: ContinuousClock.Instant) -> AuditEvent? {
        let message: TraceMessage
        do throws(TraceMessage.Malformed) { message = try TraceMessage(packet) } catch {
            lose(1, "a packet cannot be read")
            return nil
        }
        let dropped = message.dropped &- seen
        seen = message.dropped
        if dropped > 0 { lose(Int(dropped), "the runtime could not hand them over") }
        guard let event = Self.event(message.point) else { return nil }
        if isBounded, !spend(now) {
            lose(1, "there were more than \(Int(Self.pace)) a second")
            return nil
        }
        return event
    }

    /// Points that were taken and could not be written.
    mutating func lose(_ count: Int, _ why: String) {
        lost += count
        reason = why
    }

    /// True if there is a loss that no event tells of yet.
    var hasLost: Bool { lost > 0 }

    /// The event that tells of what is lost, where it is time for one.
    mutating func loss(now: ContinuousClock.Instant, isEnd: Bool = false) -> AuditEvent? {
        guard lost > 0, isEnd || now - told >= Self.interval else { return nil }
        return AuditEvent(
            .runtimeTrace, subject: "lost", outcome: .failure,
            details: ["lost": .integer(Int64(lost)), "reason": .string(reason)], severity: .high)
    }

    /// That event was given to the log, which took it or not.
    mutating func lossTold(_ isWritten: Bool, now: ContinuousClock.Instant) {
        if isWritten { lost = 0 }
        told = now
    }

    private mutating func spend(_ now: ContinuousClock.Instant) -> Bool {
        let (seconds, attoseconds) = (now - filled).components
        budget = min(Self.burst, budget + (Double(seconds) + Double(attoseconds) * 1e-18) * Self.pace)
        filled = now
        if budget < 1 { return false }
        budget -= 1
        return true
    }

    private static func event(_ point: TraceMessage.Point) -> AuditEvent? {
        switch point {
        case .start(let process): AuditEvent(.runtimeTrace, subject: "start", details: details(process))
        case .execve(let process): AuditEvent(.runtimeTrace, subject: "execve", details: details(process))
        case .exit(let pid, let status):
            // An ordinary end tells nothing new; it comes for its count of what was dropped.
            status & 0x7f == 0
                ? nil
                : AuditEvent(
                    .runtimeTrace, subject: "killed", outcome: .failure,
                    details: ["pid": .integer(Int64(pid)), "signal": .integer(Int64(status & 0x7f))])
        case .other: nil
        }
    }

    private static func details(_ process: TraceMessage.Process) -> JSONObject {
        var details: JSONObject = [
            "process": .string(AuditText.carried(process.program)), "pid": .integer(Int64(process.pid)),
            "arguments": .array(process.arguments.map { .string(AuditText.carried($0)) }),
        ]
        if process.furtherArguments > 0 || process.isCut {
            details["arguments_cut"] = true
            details["arguments_count"] = .integer(Int64(process.arguments.count + process.furtherArguments))
        }
        if !process.folder.isEmpty { details["folder"] = .string(AuditText.carried(process.folder)) }
        details["uid"] = process.user.map { .integer(Int64($0)) }
        return details
    }
}
