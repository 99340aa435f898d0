public import AiboxNetwork

/// Decides what a sandbox that learns may reach beside what its own list allows. One thread at a time.
///
/// Only what the organisation alone permits is let through: by its own list, and by the policies in Rego, asked about its
/// own policy and about the sandbox's with that list.
public final class NetworkLearning {
    public let list: AllowList
    private let deciders: [NetworkDecider]

    init(_ list: AllowList, _ deciders: [NetworkDecider]) {
        self.list = list
        self.deciders = deciders
    }

    /// - Parameter refused: what holds without learning, which is a refusal.
    public func judge(_ request: EgressRequest, _ refused: NetworkDecider.Verdict) -> NetworkDecider.Verdict {
        guard case .deny(let would) = refused.decision else { return refused }
        func stays(_ refusal: EgressDenial) -> NetworkDecider.Verdict {
            var verdict = refused
            verdict.learned = NetworkDecider.Learned(would: would, refusal: refusal)
            return verdict
        }
        let verdicts = deciders.map { $0.decide(request) }
        for verdict in verdicts {
            if case .deny(let denial) = verdict.decision { return stays(denial) }
        }
        guard var verdict = verdicts.first, case .allow(let grant) = verdict.decision else { return refused }
        if grant.rateLimit != nil {
            // It counts what the sandbox's own entries grant by their names; both together could be more than it permits.
            return stays(
                EgressDenial(
                    .rateLimited, rule: grant.rule, layer: grant.layer,
                    reason:
                        "the organisation limits how often \(request.host) is asked, and learning adds nothing to it",
                    nextSteps: ["Ask for an entry of the allow-list."]))
        }
        verdict.learned = NetworkDecider.Learned(would: would, refusal: nil)
        return verdict
    }
}

extension NetworkDecider {
    /// What a sandbox that learns shows of a request that its own policy refuses.
    public struct Learned: Sendable, Equatable {
        /// Why it is refused without learning.
        public var would: EgressDenial
        /// Why it is refused all the same; nil: it was let through.
        public var refusal: EgressDenial?
    }
}
