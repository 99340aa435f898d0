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

    @Test(
        "of 100,000 random triples the effective policy never allows what a parent denies, and merge is associative and idempotent",
        arguments: 0..<batches)
    func promises(batch: Int) {
        var random = RandomTriples(seed: UInt64(batch))
        var accepted = 0
        var spoken: Set<String> = []
        var broken: [String: (triple: PolicyTriple, requests: [RandomPolicy.Request])] = [:]
        for _ in 0..<Self.triples {
            let triple = random.next()
            let requests = (0..<8).map { _ in random.request() }
            let check = TripleCheck(triple, requests)
            for name in check.faults.keys where broken[name] == nil { broken[name] = (triple, requests) }
            guard check.isAccepted else { continue }
            accepted += 1
            for document in [triple.team, triple.project] { spoken.formUnion(document.fields.keys) }
        }
        for (name, found) in broken.sorted(by: { $0.key < $1.key }) {
            let small = found.triple.shrunk { TripleCheck($0, found.requests).faults[name] != nil }
            Issue.record("\(name): \(TripleCheck(small, found.requests).faults[name] ?? "")\n\(small)")
        }
        // A test of nothing but refusals would pass, and so would one in which a field is never tightened.
        #expect(accepted > Self.triples / 8 && accepted < Self.triples * 7 / 8, "\(accepted)")
        for model in FieldModel.all where !model.isOrganisations {
            #expect(spoken.contains(model.name), "\(model.name)")
        }
    }

    @Test("every field of the table has values here, in the table's order")
    func complete() {
        #expect(FieldModel.all.map(\.name) == PolicySchema.fields.map(\.name))
    }

    @Test("of any two values of a field the looser one is refused, and nothing is but that", arguments: FieldModel.all)
    func pairs(model: FieldModel) throws {
        let field = try #require(PolicySchema.field(model.name))
        var (tighter, looser) = (0, 0)
        for parent in model.values {
            for child in model.values {
                var triple = PolicyTriple()
                triple.org.fields[model.name] = PolicyItem(parent, PolicyOrigin(layer: .org, file: "org", line: 1))
                triple.team.fields[model.name] = PolicyItem(child, PolicyOrigin(layer: .team, file: "team", line: 1))
                let (merged, complaints) = PolicyStack.merge(PolicyStack(triple.org), PolicyStack(triple.team))
                let isRefused = !(complaints + merged.foreign).isEmpty
                let held = model.isPooled ? merged.values[model.name] : triple.team.fields[model.name]
                let isLooser = model.exceeds(held, triple.org.fields[model.name])
                if isRefused { looser += 1 } else { tighter += 1 }
                #expect(isRefused || !isLooser, "\(triple)")
                // The team may not even say the same of what is the organisation's; patterns are refused where it is not sure.
                guard case .covered = field.order else {
                    #expect(isRefused == (isLooser || model.isOrganisations) || model.isPooled, "\(triple)")
                    continue
                }
            }
        }
        // Nothing that a union says is looser.
        let isUnion = if case .union = field.order { true } else { false }
        #expect(model.values.isEmpty || isUnion || looser > 0, "\(looser)")
        #expect(model.values.isEmpty || model.isOrganisations || tighter > 0, "\(tighter)")
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
