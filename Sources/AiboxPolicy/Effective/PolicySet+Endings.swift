public import AiboxConfig
public import AiboxNetwork
public import AiboxSystem

extension PolicySet {
    /// Days on which exceptions end that one sandbox lives through; after as many more nothing can be reached.
    static let endingsLimit = 16

    /// What a sandbox that starts on this set's day loses while it runs, in the order of time.
    ///
    /// Decided by the same merge as at a start on the day after, so that the sandbox keeps nothing that such a start would not
    /// have. Where that start would be refused, everything ends.
    ///
    /// - Parameters:
    ///   - policy: of this set.
    ///   - plan: the way out of that policy.
    public func endings(
        of policy: EffectivePolicy, _ plan: EgressPlan, _ settings: Configuration.Network
    ) throws(AiboxError) -> [ExceptionEnding] {
        let exceptions = policy.documents.first { $0.layer == .org }?.fields["exceptions"]?.elements ?? []
        let days = Set(exceptions.compactMap { $0["expires"]?.text }.filter { $0 >= day }).sorted()
        var endings: [ExceptionEnding] = []
        for last in days.prefix(Self.endingsLimit + 1) {
            guard let begin = Timestamp(rfc3339: last + "T00:00:00Z") else {
                throw AiboxError(.policyInvalid, "cannot use the policy", why: "exceptions: \(last) is no day")
            }
            let names = exceptions.filter { $0["expires"]?.text == last }.map { exception in
                "\(exception["id"]?.text ?? "") of \(exception["owner"]?.text ?? "")"
            }
            var ending = ExceptionEnding(at: begin.seconds + 86_400, words: names.joined(separator: ", "))
            if endings.count == Self.endingsLimit {
                ending.closing = "it has lived through \(Self.endingsLimit) ends of exceptions"
            } else {
                let later = PolicySet(sources, day: String(Timestamp(seconds: ending.at).rfc3339.prefix(10)))
                do throws(AiboxError) {
                    let kept = (try NetworkPolicy(later.effective()).plan(settings)?.allow ?? []).map(Self.unowned)
                    ending.entries = plan.allow.filter { $0.layer != "user" && !kept.contains(Self.unowned($0)) }
                        .map(\.id)
                } catch {
                    ending.closing = error.what
                }
            }
            endings.append(ending)
        }
        return endings
    }

    /// The same entry may be the organisation's on one day, and the project's, who says it again, on another.
    private static func unowned(_ entry: AllowRuleSource) -> AllowRuleSource {
        var entry = entry
        entry.layer = ""
        return entry
    }
}
