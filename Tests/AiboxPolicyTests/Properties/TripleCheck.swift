import AiboxWire

@testable import AiboxPolicy

/// What merging a triple breaks of its three promises. The merged stacks are made once for all of them.
struct TripleCheck {
    /// What is broken, with the words about it: by a field's name, `associative`, `idempotent` or the kind of a request.
    private(set) var faults: [String: String] = [:]
    /// Whether no document loosens.
    private(set) var isAccepted = false

    init(_ triple: PolicyTriple, _ requests: [RandomPolicy.Request]) {
        let (a, b, c) = (PolicyStack(triple.org), PolicyStack(triple.team), PolicyStack(triple.project))
        let (ab, first) = PolicyStack.merge(a, b)
        let (left, second) = PolicyStack.merge(ab, c)
        let (bc, third) = PolicyStack.merge(b, c)
        let (right, fourth) = PolicyStack.merge(a, bc)
        let values = left.values
        if left != right || values != right.values {
            faults["associative"] = "\(values) became \(right.values)"
        } else if Set(first + second + left.foreign) != Set(third + fourth + right.foreign) {
            faults["associative"] = "\(first + second) became \(third + fourth)"
        }
        let (twice, complaints) = PolicyStack.merge(a, a)
        if twice != a || !complaints.isEmpty { faults["idempotent"] = "\(complaints)" }
        if first.isEmpty {
            let (again, complaints) = PolicyStack.merge(ab, b)
            if again.values != ab.values || !complaints.isEmpty {
                faults["idempotent"] = "\(ab.values) became \(again.values) \(complaints)"
            }
        }
        guard
            case .success(let all) = EffectivePolicy.merge(
                organisation: triple.org, team: triple.team, project: triple.project, day: RandomPolicy.day)
        else { return }
        isAccepted = true
        guard let one = try? EffectivePolicy(organisation: triple.org, day: RandomPolicy.day),
            let two = try? EffectivePolicy(organisation: triple.org, team: triple.team, day: RandomPolicy.day)
        else {
            faults["monotonic"] = "a tier that is taken away makes the others wrong"
            return
        }
        // A tier that is taken away leaves a policy that was tightened less.
        compare(one, two)
        compare(two, all)
        decide([one, two, all], requests, triple)
    }

    private mutating func compare(_ parent: EffectivePolicy, _ child: EffectivePolicy) {
        for model in FieldModel.all where model.exceeds(child[model.name], parent[model.name]) {
            faults[model.name] = "\(words(parent, model.name)) became \(words(child, model.name))"
        }
    }

    private func words(_ policy: EffectivePolicy, _ name: String) -> String { policy[name]?.json.text ?? "nothing" }

    private mutating func decide(
        _ policies: [EffectivePolicy], _ requests: [RandomPolicy.Request], _ triple: PolicyTriple
    ) {
        // Where nobody tightens what is asked about, there is nothing to compare.
        let asked = requests.filter { request in request.sections.contains { triple.tightens($0) } }
        if asked.isEmpty { return }
        let judges = policies.map(PolicyJudge.init)
        for request in asked {
            let freedoms = judges.map { $0.freedom(request) }
            for (parent, child) in zip(freedoms, freedoms.dropFirst()) where child.exceeds(parent) {
                faults[request.sections[0]] = "\(request): \(parent) became \(child)"
            }
        }
    }
}
