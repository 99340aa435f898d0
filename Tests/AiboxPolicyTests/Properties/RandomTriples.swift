import AiboxTestSupport

@testable import AiboxPolicy

/// Random triples of documents that speak about any field. What a later one says is not looser more often than not, so that
/// enough of them can be merged.
///
/// Values are made once and drawn from then on: a triple costs no more than its dictionaries.
struct RandomTriples {
    private var random: SeededGenerator
    /// By layer and field.
    private let pools: [[[PolicyItem]]]
    private let families: [String: [RandomPolicy.Family]]
    private let requests: [RandomPolicy.Request]

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        pools = PolicyLayer.allCases.map { layer in
            var line = 0
            return FieldModel.all.map { model in
                model.values.map { content in
                    line += 1
                    return PolicyItem(content, PolicyOrigin(layer: layer, file: layer.rawValue, line: line))
                }
            }
        }
        var rules = RandomPolicy(seed: seed &+ 1_000_000)
        var families: [String: [RandomPolicy.Family]] = [:]
        for theme in RandomPolicy.Theme.allCases {
            families[theme.field] = (0..<48).map { _ in rules.family(theme) }
        }
        self.families = families
        requests = (0..<200).map { _ in rules.request() }
    }

    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    mutating func next() -> PolicyTriple {
        var triple = PolicyTriple()
        let isForeign = below(16) == 0
        // A quarter of the fields in the first document, an eighth in the others.
        let said = [
            random.next() & random.next(), random.next() & random.next() & random.next(),
            random.next() & random.next() & random.next(),
        ]
        for (index, model) in FieldModel.all.enumerated() {
            let bit: UInt64 = 1 << UInt64(index % 64)
            if let family = families[model.name] {
                // Comparing lists of hosts takes as long as all else together.
                let isSpoken = said[0] & bit != 0 && (model.name != "network.allow" || below(5) < 2)
                if isSpoken { speak(&triple, model.name, family[below(family.count)]) }
                continue
            }
            if said[0] & bit != 0 { triple.org.fields[model.name] = value(.org, index) }
            if model.isOrganisations, !isForeign { continue }
            if said[1] & bit != 0 {
                let parent = triple.org.fields[model.name] ?? PolicySchema.standards[model.name]?.last
                triple.team.fields[model.name] = tighter(.team, index, parent)
            }
            if said[2] & bit != 0 {
                let parent =
                    triple.team.fields[model.name] ?? triple.org.fields[model.name]
                    ?? PolicySchema.standards[model.name]?.last
                triple.project.fields[model.name] = tighter(.project, index, parent)
            }
        }
        return triple
    }

    private mutating func speak(_ triple: inout PolicyTriple, _ name: String, _ family: RandomPolicy.Family) {
        if below(8) > 0 { triple.org.fields[name] = family.org }
        if below(3) > 0 { triple.team.fields[name] = family.team[below(family.team.count)] }
        if below(3) > 0 { triple.project.fields[name] = family.project[below(family.project.count)] }
    }

    private mutating func value(_ layer: PolicyLayer, _ index: Int) -> PolicyItem {
        let pool = pools[layer == .org ? 0 : layer == .team ? 1 : 2][index]
        return pool[below(pool.count)]
    }

    /// A value that is not looser, where a few draws find one; one time in sixteen whatever comes.
    private mutating func tighter(_ layer: PolicyLayer, _ index: Int, _ parent: PolicyItem?) -> PolicyItem? {
        let model = FieldModel.all[index]
        let isAny = model.isPooled || below(16) == 0
        for _ in 0..<4 {
            let candidate = value(layer, index)
            if isAny || !model.exceeds(candidate, parent) { return candidate }
        }
        return nil
    }

    mutating func request() -> RandomPolicy.Request { requests[below(requests.count)] }
}
