import AiboxAudit
import AiboxWire
import NIOCore

/// What came to the door for tools and is no gate's question: each is refused, and told in the log, a few at once and then
/// one in a while with how many there were in between. One loop uses it.
///
/// Answers of people have no path here. Who looks for one is worth a line.
final class ToolStrays {
    static let burst = 16
    static let pause = TimeAmount.seconds(10)
    /// Bytes of what was asked that stand in the log.
    static let length = 512

    private let audit: GatewayAudit
    private let loop: any EventLoop
    /// When the next one would be due if all came evenly.
    private var due: NIODeadline
    private var untold = 0

    init(audit: GatewayAudit, loop: any EventLoop) {
        self.audit = audit
        self.loop = loop
        due = .now() - Self.pause * Int64(Self.burst)
    }

    /// - Parameters:
    ///   - asked: method and target as they came; empty where they could not be read.
    ///   - status: the answer; nil: there is none.
    /// - Returns: fulfilled once the log has it, or it is counted.
    func note(_ asked: [UInt8], status: Int?) -> EventLoopFuture<Void> {
        let next = max(due, .now() - Self.pause * Int64(Self.burst)) + Self.pause
        if next > .now() {
            untold += 1
            if untold == 1 {
                let bound = NIOLoopBound(self, eventLoop: loop)
                loop.scheduleTask(deadline: next) { bound.value.tellRest() }
            }
            return loop.makeSucceededVoidFuture()
        }
        due = next
        let subject = asked.isEmpty ? "what cannot be read" : AuditText.carried(asked.prefix(Self.length))
        var details: JSONObject = ["port": .integer(Int64(ToolQuestion.port))]
        details["status"] = status.map { .integer(Int64($0)) }
        let event = AuditEvent(.gatewayDeny, subject: subject, outcome: .denied, details: details)
        // It is refused whether or not that can be written down.
        return audit.before(event, on: loop).recover { _ in }
    }

    private func tellRest() {
        if untold == 0 { return }
        due = max(due, .now() - Self.pause * Int64(Self.burst)) + Self.pause
        audit.note(
            AuditEvent(
                .gatewayDeny, subject: "more of the kind", outcome: .denied,
                details: ["port": .integer(Int64(ToolQuestion.port)), "count": .integer(Int64(untold))]))
        untold = 0
    }
}
