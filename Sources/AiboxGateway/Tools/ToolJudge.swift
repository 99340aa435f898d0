import AiboxAudit
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire
import NIOCore

/// Decides calls of gated programs by the policies in Rego. One loop uses it.
final class ToolJudge {
    /// What becomes of a call, and the event that tells of it.
    struct Ruling {
        var answer: ToolAnswer
        var event: AuditEvent
        /// A person is asked first. The answer is the one that a permission leads to.
        var isReviewed = false
    }

    private var plan: ToolPlan
    private let user: String
    private let sandbox: String
    private var decider: PolicyDecider
    /// For tools of MCP servers; nil where the policy says nothing about them.
    private var servers: PolicyDecider?
    /// SHA-256 of the policies in Rego.
    private let policies: String
    private let length: Int
    /// The same call of the same program has the same ruling, unless the sandbox learns. By bytes: texts of other bytes can
    /// be equal, and rules tell them apart.
    private var rulings: [[UInt8]: Ruling] = [:]
    /// What the organisation alone says; nil where the sandbox must not learn.
    private var organisation: ToolLearning?
    private var learnsUntil: NIODeadline?

    /// A sandbox chooses what it asks: what is remembered has an end, and so has each call of it.
    private static let remembered = 1024
    private static let rememberedBytes = 4096

    /// - Parameter learn: the organisation's policy alone, where the sandbox may learn.
    init(_ plan: ToolPlan, learn: JSONValue? = nil, user: String, sandbox: String) throws(AiboxError) {
        let modules: PolicyModules
        do { modules = try PolicyModules(json: plan.modules) } catch {
            throw AiboxError(.usage, "cannot read the gateway's settings", why: "\(error)")
        }
        self.plan = plan
        self.user = user
        self.sandbox = sandbox
        policies = try modules.digest()
        length = plan.rules.map(\.length).max() ?? 0
        decider = PolicyDecider(
            document: plan.policy, engine: try PolicyEngine(modules, action: "tool"), user: user, sandbox: sandbox)
        let hasServers = plan.policy["mcp"]?["servers"]?.elements?.isEmpty == false
        servers =
            hasServers
            ? PolicyDecider(
                document: plan.policy, engine: try PolicyEngine(modules, action: "mcp"), user: user, sandbox: sandbox)
            : nil
        organisation = nil
        if let learn {
            organisation = try ToolLearning(
                plan.policy, organisation: learn, engine: decider.engine, user: user, sandbox: sandbox)
        }
    }

    /// Lets run what the organisation alone lets run until then; nil: no more.
    func learn(until: NIODeadline?) { learnsUntil = until }

    /// The policy has lost what rested on exceptions: all that is asked from now on is asked about what is left.
    func end(_ ending: ExceptionEnding) {
        plan.policy = ending.applied(to: plan.policy)
        decider = PolicyDecider(document: plan.policy, engine: decider.engine, user: user, sandbox: sandbox)
        servers = servers.map {
            PolicyDecider(document: plan.policy, engine: $0.engine, user: user, sandbox: sandbox)
        }
        (rulings, organisation) = ([:], nil)
    }

    /// What the organisation alone says of what the sandbox's own policy holds; nil where the sandbox does not learn.
    private func learned(_ question: PolicyQuestion, _ decision: PolicyDecision) -> PolicyDecision? {
        guard let organisation, isLearning, Self.strictness(decision) > 1 else { return nil }
        return organisation.decide(question)
    }

    private var isLearning: Bool { learnsUntil.map { .now() < $0 } ?? false }

    func judge(_ asked: ToolAsk) -> Ruling {
        switch asked {
        case .call(let question): judge(question)
        case .agent(let question): judge(question)
        }
    }

    /// What becomes of an agent's own tool.
    private func judge(_ question: AgentQuestion) -> Ruling {
        let begun = ContinuousClock.now
        let call = AgentCall(question, policy: plan.policy)
        var deciding: (question: PolicyQuestion, answer: PolicyDecider.Answer)?
        for question in call.own + call.programs {
            let isServer = if case .server = question { true } else { false }
            guard let answer = (isServer ? servers : decider)?.answer(question) else { continue }
            let strictness = Self.strictness(answer.decision)
            let counts = call.own.contains(question) || answer.decision.outcome == .deny
            if counts, deciding.map({ strictness > Self.strictness($0.answer.decision) }) ?? true {
                deciding = (question, answer)
            }
        }
        let subject = carried("\(question.tool) \(question.subject)")
        guard let (asked, given) = deciding else {
            let (rule, reason) = ("agent.unnamed", "no rule names \(SafeText.escaped(question.tool))")
            return Ruling(
                answer: ToolAnswer(run: "/", rule: rule, layer: "org", reason: reason),
                event: AuditEvent(
                    .policyAllow, subject: subject, outcome: .allowed,
                    details: ["action": "tool", "rule": .string(rule), "layer": "org", "reason": .string(reason)]))
        }
        let place = ToolPlan.Program(paths: [], names: [], isMultiCall: false, original: "/")
        // All that its own policy holds has to be the organisation's to permit.
        let held = (call.own + call.programs).filter { question in
            if case .server = question { return servers.map { $0.decide(question).outcome != .allow } ?? false }
            return decider.decide(question).outcome != .allow
        }
        let own = held.compactMap { learned($0, given.decision) }.max { Self.strictness($0) < Self.strictness($1) }
        return ruling(subject, asked, given, own, place, since: begun)
    }

    /// - Parameter own: what the organisation alone says, where the sandbox learns and its own policy holds the call.
    private func ruling(
        _ subject: String, _ asked: PolicyQuestion, _ given: PolicyDecider.Answer, _ own: PolicyDecision?,
        _ program: ToolPlan.Program, since begun: ContinuousClock.Instant
    ) -> Ruling {
        let decision = given.decision
        var counts = decision
        var isLooser = false
        if let own, program.original != nil, Self.strictness(own) < Self.strictness(decision) {
            (counts, isLooser) = (own, true)
        }
        var event = event(subject, asked, counts, input: given.input)
        event.details["duration_us"] = Self.microseconds(since: begun)
        if let own {
            event.details["learning"] = true
            event.details["would"] = .string(decision.outcome.rawValue)
            event.details["would_rule"] = .string(decision.rule)
            event.details["would_layer"] = .string(decision.layer)
            if !isLooser, own.outcome == .deny { event.details["org_rule"] = .string(own.rule) }
        }
        return Ruling(
            answer: answer(counts, program), event: event,
            isReviewed: counts.outcome == .review && !Self.isAfterwards(counts) && program.original != nil)
    }

    static func strictness(_ decision: PolicyDecision) -> Int {
        switch decision.outcome {
        case .allow: 0
        case .review: isAfterwards(decision) ? 1 : 2
        case .deny: 3
        }
    }

    private func judge(_ question: ToolQuestion) -> Ruling {
        let begun = ContinuousClock.now
        let key = question.body
        if !isLearning, var known = rulings[key] {
            known.event.details["duration_us"] = Self.microseconds(since: begun)
            return known
        }
        guard let program = plan.programs.first(where: { $0.paths.contains(question.program) }) else {
            return refused(
                question, rule: "tools.gate",
                reason: "the gate does not stand at \(question.program)", next: ["call the program by its own path"])
        }
        let call: ToolCall
        do throws(ToolCall.Refusal) { call = try ToolCall(question, program, length: length) } catch {
            // A program of its own by that name would run without being asked about.
            guard let told = error.told(question.program) else { return allowed(question, program) }
            return refused(
                question, rule: told.rule, reason: told.reason, next: [SafeText.escaped(told.next)])
        }
        let given = decider.answer(call.question)
        let own = learned(call.question, given.decision)
        let ruling = ruling(call.words.joined(separator: " "), call.question, given, own, program, since: begun)
        if own == nil, !given.decision.isError, key.count <= Self.rememberedBytes {
            if rulings.count >= Self.remembered { rulings.removeAll() }
            rulings[key] = ruling
        }
        return ruling
    }

    private static func microseconds(since begun: ContinuousClock.Instant) -> JSONValue {
        .integer(Int64(begun.duration(to: .now) / .microseconds(1)))
    }

    /// What becomes of a call when a person has answered, or nobody has.
    func concluded(_ ruling: Ruling, _ verdict: ApprovalTable.Verdict) -> Ruling {
        var ruling = ruling
        ruling.isReviewed = false
        ruling.event.type = verdict.isApproved ? .policyAllow : .policyDeny
        ruling.event.outcome = verdict.isApproved ? .allowed : .denied
        ruling.event.details["approval"] = .string(verdict.approval)
        ruling.event.details["approver"] = verdict.approver.map { .string($0) }
        if verdict.isApproved { return ruling }
        let words = verdict.reason.isEmpty ? "" : ": \(SafeText.escaped(verdict.reason))"
        ruling.answer.run = nil
        ruling.answer.reason +=
            verdict.approver.map { ", and \($0) says no\(words)" } ?? ", and nobody has answered in time"
        return ruling
    }

    /// What becomes of a call about which nobody is asked any more.
    func crowded(_ ruling: Ruling) -> Ruling {
        unasked(ruling, "too many questions wait or were asked lately", next: "ask again in a minute")
    }

    /// What becomes of a call with more words than a person is shown.
    func overlong(_ ruling: Ruling) -> Ruling {
        unasked(ruling, "its words are more than a person can be shown", next: "put long words into a file")
    }

    private func unasked(_ ruling: Ruling, _ why: String, next: String) -> Ruling {
        var ruling = ruling
        ruling.isReviewed = false
        ruling.event.type = .policyDeny
        ruling.event.outcome = .denied
        ruling.answer.run = nil
        ruling.answer.reason += ", and \(why)"
        ruling.answer.nextSteps = [next]
        return ruling
    }

    private static func isAfterwards(_ decision: PolicyDecision) -> Bool {
        decision.obligations.contains("review-async")
    }

    private func answer(_ decision: PolicyDecision, _ program: ToolPlan.Program) -> ToolAnswer {
        let reason = SafeText.escaped(decision.reason)
        switch (decision.outcome, program.original) {
        case (.allow, let path?):
            return ToolAnswer(run: path, rule: decision.rule, layer: decision.layer, reason: reason)
        case (.allow, nil):
            return ToolAnswer(
                run: nil, rule: decision.rule, layer: decision.layer,
                reason: "the sandbox does not have the program: no rule let it run when the sandbox was started")
        case (.review, let path?):
            return ToolAnswer(
                run: path, rule: decision.rule, layer: decision.layer, reason: reason, nextSteps: steps(decision.rule))
        case (.review, nil):
            return ToolAnswer(
                run: nil, rule: decision.rule, layer: decision.layer,
                reason: "the sandbox does not have the program: no rule let it run when the sandbox was started")
        case (.deny, _):
            return ToolAnswer(
                run: nil, rule: decision.rule, layer: decision.layer, reason: reason, nextSteps: steps(decision.rule))
        }
    }

    private func steps(_ rule: String) -> [String] {
        let known = plan.rules.first { $0.id == rule }
        guard let known else { return ["who owns the organisation's policies (org) may change it"] }
        let place = known.origin.isEmpty ? "" : "it stands in \(known.origin); "
        return [SafeText.escaped(place + known.owner)]
    }

    private func event(
        _ subject: String, _ asked: PolicyQuestion, _ decision: PolicyDecision, input: String
    ) -> AuditEvent {
        let isAllowed = decision.outcome == .allow || Self.isAfterwards(decision)
        var details: JSONObject = [
            "action": .string(asked.field == "mcp.servers" ? "mcp" : "tool"), "rule": .string(decision.rule),
        ]
        details["layer"] = .string(decision.layer)
        details["origin"] = plan.rules.first { $0.id == decision.rule }.map { .string(carried($0.origin)) }
        details["reason"] = .string(carried(decision.reason))
        details["question"] = decider.asked(asked)
        details["input"] = input.isEmpty ? nil : .string(input)
        details["policies"] = .string(policies)
        if decision.outcome == .review, isAllowed { details["review"] = "afterwards" }
        return AuditEvent(
            isAllowed ? .policyAllow : .policyDeny, subject: carried(subject),
            outcome: isAllowed ? .allowed : .denied, details: details, risk: AuditRisk(rawValue: decision.risk))
    }

    /// What never comes to the policies.
    private func refused(_ question: ToolQuestion, rule: String, reason: String, next: [String]) -> Ruling {
        let reason = SafeText.escaped(reason)
        let answer = ToolAnswer(run: nil, rule: rule, layer: "org", reason: reason, nextSteps: next)
        return Ruling(answer: answer, event: event(.policyDeny, .denied, question, rule, reason))
    }

    private func allowed(_ question: ToolQuestion, _ program: ToolPlan.Program) -> Ruling {
        guard let path = program.original else {
            return refused(question, rule: "tools.gate", reason: "the sandbox does not have the program", next: [])
        }
        let (rule, reason) = ("tools.unnamed", "no rule names \(SafeText.escaped(question.argv.first ?? ""))")
        return Ruling(
            answer: ToolAnswer(run: path, rule: rule, layer: "org", reason: reason),
            event: event(.policyAllow, .allowed, question, rule, reason))
    }

    private func event(
        _ type: AuditEventType, _ outcome: AuditOutcome, _ question: ToolQuestion, _ rule: String, _ reason: String
    ) -> AuditEvent {
        AuditEvent(
            type, subject: carried(question.argv.joined(separator: " ")), outcome: outcome,
            details: [
                "action": "tool", "rule": .string(rule), "layer": "org", "reason": .string(carried(reason)),
            ])
    }

    private func carried(_ text: String) -> String { AuditText.carried(Array(text.utf8.prefix(2048))) }
}
