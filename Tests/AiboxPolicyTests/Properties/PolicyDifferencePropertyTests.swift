import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("Differences of policies, for all fields")
struct PolicyDifferencePropertyTests {
    private static func policy(_ field: String, _ content: PolicyItem.Content?) throws -> EffectivePolicy {
        var document = PolicyDocument(layer: .org, file: "org")
        if let content {
            document.fields[field] = PolicyItem(content, PolicyOrigin(layer: .org, file: "org", line: 1))
        }
        return try EffectivePolicy(organisation: document, day: RandomPolicy.day)
    }

    @Test("a change of any field shows, as what it does", arguments: FieldModel.all)
    func fields(model: FieldModel) throws {
        let policies = try ([nil] + model.values.map(Optional.some)).map { try Self.policy(model.name, $0) }
        for old in policies {
            for new in policies {
                let rows = PolicyDifference(from: old, to: new).rows.filter { $0.field == model.name }
                let (was, held) = (old[model.name], new[model.name])
                if was == held {
                    #expect(rows.isEmpty, "\(model.name) \(rows)")
                    continue
                }
                let directions = Set(rows.map(\.direction))
                let isOpened = !model.exceeds(held, was) || !directions.isDisjoint(with: [.opens, .changes])
                let isClosed = !model.exceeds(was, held) || !directions.isDisjoint(with: [.closes, .changes])
                let isShown = !model.isOrganisations || !rows.isEmpty
                if isOpened, isClosed, isShown { continue }
                Issue.record("\(model.name) \(was?.json.text ?? "nothing") \(held?.json.text ?? "nothing") \(rows)")
            }
        }
    }

    @Test("what a request would be told otherwise shows", arguments: RandomPolicy.Theme.allCases)
    func rules(theme: RandomPolicy.Theme) throws {
        var random = RandomPolicy(seed: 4)
        var different = 0
        for _ in 0..<40 {
            let family = random.family(theme)
            let old = try Self.policy(theme.field, family.org.content)
            for list in family.team {
                let new = try Self.policy(theme.field, list.content)
                let rows = PolicyDifference(from: old, to: new).rows.filter { $0.field == theme.field }
                for request in random.requests(about: theme, 6)
                where PolicyJudge(old).freedom(request) != PolicyJudge(new).freedom(request) {
                    different += 1
                    #expect(!rows.isEmpty, "\(request) \(family.org.json.text) \(list.json.text)")
                }
            }
        }
        #expect(different > 20, "\(different)")
    }
}

extension RandomPolicy {
    /// Of a tool of an agent's own the name begins with a capital, and here none does.
    fileprivate mutating func requests(about theme: Theme, _ count: Int) -> [Request] {
        var requests: [Request] = []
        while requests.count < count {
            let request = request()
            if case .agent = request { continue }
            if request.sections[0] == theme.field { requests.append(request) }
        }
        return requests
    }
}
