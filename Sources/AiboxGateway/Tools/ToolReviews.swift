import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore

/// The calls of one sandbox that wait for a person: the table with its clock, its log and those who wait. One loop uses it.
final class ToolReviews {
    /// Who waited is gone.
    struct Left: Error {}

    enum Standing {
        case decided(ApprovalTable.Verdict)
        case refused
        /// Nobody could read it.
        case overlong
        /// Under an id: once `asked` tells that the log has the question, a person can answer it.
        case waits(String, asked: EventLoopFuture<Void>, EventLoopFuture<ApprovalTable.Verdict>)
    }

    private var table: ApprovalTable
    private let audit: GatewayAudit
    private let loop: any EventLoop
    private var promises: [Int: EventLoopPromise<ApprovalTable.Verdict>] = [:]
    /// What open questions are about, for the log.
    private var subjects: [String: String] = [:]
    /// Questions whose answer is being written down: nobody else answers them meanwhile.
    private var answering: Set<String> = []

    init(_ plan: ToolPlan, audit: GatewayAudit, loop: any EventLoop) {
        self.audit = audit
        self.loop = loop
        table = ApprovalTable(policy: plan.digest, patience: Int64(plan.patience), now: Self.now) {
            let digits = String(UInt32.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }
    }

    /// Seconds of a clock that nobody sets.
    private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000_000) }

    /// Seconds that a question stays open.
    var patience: Int { Int(table.patience) }

    var open: [ApprovalQuestion] { table.open(now: Self.now) }

    func ask(_ question: ToolQuestion, _ ruling: ToolJudge.Ruling, by ticket: Int) -> Standing {
        let (rule, layer) = (ruling.answer.rule, ruling.answer.layer)
        if !fits(question, rule: rule, layer: layer) { return .overlong }
        switch table.ask(.init(question), rule: rule, layer: layer, by: ticket, now: Self.now) {
        case .decided(let verdict): return .decided(verdict)
        case .refused: return .refused
        case .waits(let id, let isNew):
            let promise = loop.makePromise(of: ApprovalTable.Verdict.self)
            promises[ticket] = promise
            if !isNew { return .waits(id, asked: loop.makeSucceededVoidFuture(), promise.futureResult) }
            subjects[id] = ruling.event.subject
            let asked = audit.before(request(id, question, ruling), on: loop)
            let bound = NIOLoopBound(self, eventLoop: loop)
            asked.whenFailure { _ in bound.value.left(ticket) }
            loop.scheduleTask(in: .seconds(table.patience + 1)) { bound.value.lapse() }
            return .waits(id, asked: asked, promise.futureResult)
        }
    }

    private func fits(_ question: ToolQuestion, rule: String, layer: String) -> Bool {
        // With numbers of any length.
        let shown = ApprovalQuestion(
            id: String(repeating: "0", count: 8), program: question.program, argv: question.argv,
            directory: question.directory, rule: rule, layer: layer, policy: table.policy, waiting: .max, left: .max)
        return shown.json.bytes.count <= ApprovalQuestion.byteLimit
    }

    /// Puts an answer into the log, and then lets go whom it concerns.
    func answer(_ answer: ApprovalAnswer, by person: String) -> EventLoopFuture<Void> {
        guard let subject = subjects[answer.id], open.contains(where: { $0.id == answer.id }) else {
            return loop.makeFailedFuture(ToolDoor.unknown(answer.id))
        }
        if !answering.insert(answer.id).inserted {
            return loop.makeFailedFuture(ToolDoor.unknown(answer.id, why: "somebody else answers it at this moment"))
        }
        let scope =
            switch answer.scope {
            case .once: "once"
            case .session: "session"
            case .seconds(let seconds): "\(seconds) s"
            }
        var details: JSONObject = [
            "approval": .string(answer.id), "approver": .string(person), "scope": .string(scope),
        ]
        if !answer.reason.isEmpty { details["reason"] = .string(AuditText.carried(Array(answer.reason.utf8))) }
        let event = AuditEvent(
            .approvalDecide, subject: subject, outcome: answer.isApproved ? .allowed : .denied, details: details)
        let bound = NIOLoopBound(self, eventLoop: loop)
        return audit.before(event, on: loop).flatMapThrowing {
            let reviews = bound.value
            guard let (verdict, tickets) = reviews.table.answer(answer, by: person, now: Self.now) else {
                throw ToolDoor.unknown(answer.id)
            }
            reviews.release(tickets, verdict)
        }.always { _ in bound.value.answering.remove(answer.id) }
    }

    /// One who waited is gone; nobody is asked on behalf of nobody.
    func left(_ ticket: Int) {
        guard let promise = promises.removeValue(forKey: ticket) else { return }
        if let id = table.withdraw(ticket) { closed(id, "who asked is gone") }
        promise.fail(Left())
    }

    private func lapse() {
        for (verdict, tickets) in table.lapse(now: Self.now) {
            closed(verdict.approval, "nobody answered in time")
            release(tickets, verdict)
        }
    }

    private func release(_ tickets: [Int], _ verdict: ApprovalTable.Verdict) {
        for ticket in tickets { promises.removeValue(forKey: ticket)?.succeed(verdict) }
        let open = Set(open.map(\.id))
        subjects = subjects.filter { open.contains($0.key) }
    }

    private func closed(_ id: String, _ why: String) {
        let event = AuditEvent(
            .approvalDecide, subject: subjects.removeValue(forKey: id) ?? "", outcome: .denied,
            details: ["approval": .string(id), "reason": .string(why)])
        audit.note(event)
    }

    private func request(_ id: String, _ question: ToolQuestion, _ ruling: ToolJudge.Ruling) -> AuditEvent {
        AuditEvent(
            .approvalRequest, subject: ruling.event.subject, outcome: .pending,
            details: [
                "approval": .string(id), "action": "tool", "rule": .string(ruling.answer.rule),
                "directory": .string(AuditText.carried(Array(question.directory.utf8.prefix(2048)))),
                "expires": .string(Timestamp(seconds: Timestamp.now.seconds + table.patience).rfc3339),
            ], risk: .reviewRequired)
    }
}
