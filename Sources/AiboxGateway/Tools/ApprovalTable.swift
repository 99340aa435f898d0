import AiboxWire

/// The calls that wait for a person, and the answers that still hold. Belongs to one sandbox, one policy and one run of its
/// gateway, and so do the answers. Pure: times come from outside, in seconds of one clock.
struct ApprovalTable {
    /// What an answer is bound to: the same file with the same words in the same directory. All else is another call.
    struct Call: Hashable {
        var program: String
        var argv: [String]
        var directory: String

        init(_ question: ToolQuestion) {
            program = question.program
            argv = question.argv
            directory = question.directory
        }
    }

    /// A person's answer as it counts for one call.
    struct Verdict: Equatable {
        var approval: String
        var isApproved: Bool
        /// Who answered; nil: nobody did in time.
        var approver: String?
        var reason: String
    }

    enum Standing: Equatable {
        /// Answered before.
        case decided(Verdict)
        /// The call waits under this id. `isNew`: nothing like it waited before.
        case waits(String, isNew: Bool)
        /// Too many wait, or too many were asked lately.
        case refused
    }

    /// One who waits.
    typealias Waiter = Int

    private struct Request {
        var call: Call
        var rule: String
        var layer: String
        var expires: Int64
        /// From the one that has waited longest.
        var waiters: [Waiter]
    }

    private struct Kept {
        var verdict: Verdict
        /// Nil: as long as the gateway runs.
        var expires: Int64?
    }

    /// Questions that may wait at a time, and who may wait for one of them.
    static let limit = ApprovalQuestion.openLimit
    static let waiterLimit = 16
    /// Beyond `limit` new questions at once, one in so many seconds (G07: nobody is to be worn down).
    static let pause: Int64 = 10
    private static let keptLimit = 1024

    let policy: String
    let patience: Int64
    private let makeID: () -> String
    private var requests: [String: Request] = [:]
    private var kept: [Call: Kept] = [:]
    private var due: Int64

    /// - Parameters:
    ///   - patience: seconds that a question stays open.
    ///   - makeID: a new one at each call.
    init(policy: String, patience: Int64, now: Int64, makeID: @escaping () -> String) {
        self.policy = policy
        self.patience = patience
        self.makeID = makeID
        due = now - Self.pause * Int64(Self.limit)
    }

    /// What becomes of a call, which may wait as `waiter` from now on.
    mutating func ask(_ call: Call, rule: String, layer: String, by waiter: Waiter, now: Int64) -> Standing {
        if let known = kept[call] {
            if known.expires.map({ now < $0 }) ?? true { return .decided(known.verdict) }
            kept[call] = nil
        }
        if let (id, request) = requests.first(where: { $0.value.call == call }), now < request.expires {
            if request.waiters.count >= Self.waiterLimit { return .refused }
            requests[id]?.waiters.append(waiter)
            return .waits(id, isNew: false)
        }
        let next = max(due, now - Self.pause * Int64(Self.limit)) + Self.pause
        if requests.count >= Self.limit || next > now { return .refused }
        due = next
        let id = makeID()
        requests[id] = Request(call: call, rule: rule, layer: layer, expires: now + patience, waiters: [waiter])
        return .waits(id, isNew: true)
    }

    /// Takes an answer.
    ///
    /// - Returns: who is let go with it; nil if no such question is open.
    mutating func answer(_ answer: ApprovalAnswer, by approver: String, now: Int64) -> (Verdict, [Waiter])? {
        guard var request = requests[answer.id], now < request.expires else { return nil }
        let verdict = Verdict(
            approval: answer.id, isApproved: answer.isApproved, approver: approver, reason: answer.reason)
        if answer.isApproved, answer.scope == .once, request.waiters.count > 1 {
            let first = request.waiters.removeFirst()
            requests[answer.id] = request
            return (verdict, [first])
        }
        requests[answer.id] = nil
        if kept.count >= Self.keptLimit { kept = kept.filter { $0.value.expires.map { now < $0 } ?? true } }
        // With no room left the answer counts for those who wait.
        if kept.count < Self.keptLimit {
            switch answer.scope {
            case .once: break
            case .session: kept[request.call] = Kept(verdict: verdict, expires: nil)
            case .seconds(let seconds): kept[request.call] = Kept(verdict: verdict, expires: now + Int64(seconds))
            }
        }
        return (verdict, request.waiters)
    }

    /// Takes out what has lapsed: each with those who waited for it.
    mutating func lapse(now: Int64) -> [(Verdict, [Waiter])] {
        let late = requests.filter { $0.value.expires <= now }
        for id in late.keys { requests[id] = nil }
        return late.sorted { $0.key < $1.key }.map { id, request in
            (Verdict(approval: id, isApproved: false, approver: nil, reason: ""), request.waiters)
        }
    }

    /// One who waited is gone.
    ///
    /// - Returns: the question, if nobody else waits for its answer: it is closed.
    mutating func withdraw(_ waiter: Waiter) -> String? {
        for (id, request) in requests where request.waiters.contains(waiter) {
            requests[id]?.waiters.removeAll { $0 == waiter }
            if requests[id]?.waiters.isEmpty != true { return nil }
            requests[id] = nil
            return id
        }
        return nil
    }

    /// What is open, the oldest first.
    func open(now: Int64) -> [ApprovalQuestion] {
        requests.sorted { ($0.value.expires, $0.key) < ($1.value.expires, $1.key) }.filter { $0.value.expires > now }
            .map { id, request in
                ApprovalQuestion(
                    id: id, program: request.call.program, argv: request.call.argv,
                    directory: request.call.directory, rule: request.rule, layer: request.layer, policy: policy,
                    waiting: request.waiters.count, left: Int(request.expires - now))
            }
    }
}
