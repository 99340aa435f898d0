import AiboxConfig
import AiboxNetwork
import AiboxTestSupport
import Testing

@testable import AiboxPolicy

/// P6 for all inputs: whatever a layer denies, no later one allows.
@Suite("Merging of policies, for all inputs")
struct PolicyPropertyTests {
    /// 100,000 triples in all.
    private static let batches = 20
    private static let triples = 5000

    @Test("the effective policy never allows what a parent denies", arguments: 0..<batches)
    func neverLooser(batch: Int) throws {
        var random = RandomPolicy(seed: UInt64(batch))
        var accepted = 0
        var refused = 0
        for number in 0..<Self.triples {
            let theme = RandomPolicy.Theme.of(number)
            let (org, team, project) = random.triple(theme)
            guard
                case .success(let all) = EffectivePolicy.merge(
                    organisation: org, team: team, project: project, day: RandomPolicy.day)
            else {
                refused += 1
                continue
            }
            accepted += 1
            let one = try EffectivePolicy.merge(organisation: org, day: RandomPolicy.day).get()
            // A tier that is taken away leaves a policy that was tightened less.
            let two = try EffectivePolicy.merge(organisation: org, team: team, day: RandomPolicy.day).get()
            let judges = [one, two, all].map { Judge($0, theme) }
            for request in random.requests(theme) {
                let freedoms = judges.map { $0.freedom(request) }
                for (parent, child) in zip(freedoms, freedoms.dropFirst()) where child.exceeds(parent) {
                    Issue.record(
                        "\(request): \(parent) became \(child)\n\(org.fields)\n\(team.fields)\n\(project.fields)")
                    return
                }
            }
        }
        // A test of nothing but refusals would pass.
        #expect(accepted > Self.triples / 8, "\(accepted)")
        #expect(refused > Self.triples / 8, "\(refused)")
    }

    @Test("merging is associative, in what holds and in what it complains about", arguments: 0..<4)
    func associative(batch: Int) {
        var random = RandomPolicy(seed: UInt64(1000 + batch))
        for number in 0..<2500 {
            let (one, two, three) = random.triple(.of(number))
            let (a, b, c) = (PolicyStack(one), PolicyStack(two), PolicyStack(three))
            let (ab, first) = PolicyStack.merge(a, b)
            let (left, second) = PolicyStack.merge(ab, c)
            let (bc, third) = PolicyStack.merge(b, c)
            let (right, fourth) = PolicyStack.merge(a, bc)
            if left == right, left.values == right.values, Set(first + second) == Set(third + fourth) { continue }
            Issue.record("\(one.fields)\n\(two.fields)\n\(three.fields)")
            return
        }
    }

    @Test("a document merged with itself says the same", arguments: 0..<4)
    func idempotent(batch: Int) {
        var random = RandomPolicy(seed: UInt64(2000 + batch))
        for number in 0..<2500 {
            let stack = PolicyStack(random.triple(.of(number)).0)
            let (twice, violations) = PolicyStack.merge(stack, stack)
            if twice == stack, violations.isEmpty { continue }
            Issue.record("\(stack.statements) \(violations)")
            return
        }
    }

    @Test("patterns cover what they say they cover")
    func patterns() {
        var random = SeededGenerator(seed: 3)
        let letters = Array("ab/*")
        func text(_ letters: [Character]) -> String {
            String(
                (0..<Int.random(in: 1...5, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
        }
        var covered = 0
        for _ in 0..<20_000 {
            let paths = Bool.random(using: &random)
            let (one, other) = (PolicyPattern(text(letters), paths: paths), PolicyPattern(text(letters), paths: paths))
            guard one.covers(other) else { continue }
            covered += 1
            for _ in 0..<5 {
                let sample = text(Array("ab/"))
                #expect(!other.matches(sample) || one.matches(sample), "\(one.text) \(other.text) \(sample)")
            }
        }
        #expect(covered > 500)
    }
}

/// How far a policy goes on one request: the larger, the more it permits.
struct Freedom: Equatable {
    var grade: Int
    /// Limits of what is permitted; nil is none.
    var limits: [Int?] = []

    func exceeds(_ parent: Freedom) -> Bool {
        if grade != parent.grade { return grade > parent.grade }
        return grade > 0
            && zip(limits, parent.limits).contains { own, most in most.map { (own ?? .max) > $0 } ?? false }
    }
}

/// Decides requests from the values of a policy, without the code that compares policies.
struct Judge {
    private let policy: EffectivePolicy
    private let list: AllowList?
    private let additions: Bool
    private let tools: [ToolRule]
    private let servers: [ToolRule]

    init(_ policy: EffectivePolicy, _ theme: RandomPolicy.Theme) {
        self.policy = policy
        let network = theme == .network ? NetworkPolicy(policy) : nil
        list = network.flatMap { try? AllowList($0.allow) }
        additions = network?.additions == .any
        tools = policy["tools.rules"].map { ToolRule.tools($0) } ?? []
        servers = policy["mcp.servers"].map { ToolRule.servers($0) } ?? []
    }

    func freedom(_ request: RandomPolicy.Request) -> Freedom {
        switch request {
        case .connect(let request):
            guard let list else { return Freedom(grade: 0) }
            switch list.decide(request) {
            case .allow(let grant):
                return Freedom(
                    grade: grant.needsInspection ? 1 : 2,
                    limits: [
                        grant.rateLimit?.requestsPerMinute, grant.rateLimit?.connections,
                        grant.maxUpload.map { Int($0) },
                    ])
            case .deny:
                // What a person could add on top.
                let isListed = list.hosts.contains { $0.matches(request.host) }
                return Freedom(grade: additions && !isListed && [80, 443].contains(request.port) ? 2 : 0)
            }
        // As the gate and an agent's hook: nobody asks about what no rule names, so it runs. A rule that lets everything run
        // names nothing.
        case .tool(let argv), .agent(let argv):
            return tool(argv) { $0.names(argv[0]) && ($0.outcome != .allow || $0.words[0] != "*") }
        case .server(let words):
            if policy["mcp.servers"]?.elements.isEmpty ?? true { return Freedom(grade: 3) }
            return Freedom(grade: 3 - ToolRule.decide(servers, words).outcome.rawValue)
        case .value(let field, let value): return Freedom(grade: permits(field, value) ? 1 : 0)
        }
    }

    private func tool(_ argv: [String], isAsked: (ToolRule) -> Bool) -> Freedom {
        if !tools.contains(where: isAsked) { return Freedom(grade: 3) }
        return Freedom(grade: 3 - ToolRule.decide(tools, argv).outcome.rawValue)
    }

    /// Whether the policy permits a state of the sandbox.
    private func permits(_ field: String, _ value: PolicyItem.Content) -> Bool {
        let held = policy[field]
        switch (field, value) {
        case ("runtime.engine", .text(let engine)):
            let verdict = Configuration.Isolation(rawValue: engine).flatMap { try? policy.judge($0) }
            return verdict != nil
        case (_, .integer(let value)):
            guard let limit = held?.integer else { return true }
            return field == "push.reviewers" ? value >= limit : value <= limit
        case (_, .boolean(let value)): return value || held?.boolean != true
        case ("llm.logging", .text(let word)): return ordered(["none", "metadata", "hash", "full"], word, held)
        case ("llm.uploads", .text(let word)): return ordered(["permitted", "forbidden"], word, held)
        case ("audit.on_failure", .text(let word)): return ordered(["continue", "stop"], word, held)
        case ("network.targets", .text(let text)):
            let address = IPAddress(text)
            return (held?.texts ?? []).contains { range in
                address.map { AddressRange(range)?.contains($0) ?? false } ?? false
            }
        case ("filesystem.deny", .text(let path)): return !(held?.texts ?? []).contains(path)
        case ("llm.models", .text(let model)): return (held?.texts ?? []).contains { PolicyPattern($0).matches(model) }
        case ("push.unreviewed", .text(let ref)):
            return (held?.texts ?? []).contains { PolicyPattern($0, paths: true).matches(ref) }
        default: return true
        }
    }

    private func ordered(_ words: [String], _ word: String, _ held: PolicyItem?) -> Bool {
        (words.firstIndex(of: word) ?? 0) >= (words.firstIndex(of: held?.text ?? "") ?? 0)
    }
}
