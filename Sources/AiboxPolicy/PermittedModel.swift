public import AiboxWire

/// Models that may be asked, and what they cost.
public struct PermittedModel: Sendable, Equatable {
    /// A name in which `*` stands for anything.
    public var name: String
    /// nil: nobody says, or not for all of these names.
    public var price: LLMPrice?
}

extension CredentialPolicy {
    /// As `llm.models` names them, each followed by those of its names that an entry of `llm.prices` has by themselves. The first
    /// entry that fits counts, so one behind another that has all its names is not among them.
    public var permittedModels: [PermittedModel] {
        var found: [PermittedModel] = []
        func add(_ name: String, _ price: LLMPrice?) {
            if !found.contains(where: { $0.name == name }) { found.append(PermittedModel(name: name, price: price)) }
        }
        for model in models {
            let pattern = PolicyPattern(model)
            add(model, prices.first { PolicyPattern($0.model).covers(pattern) })
            for (index, price) in prices.enumerated() {
                let own = PolicyPattern(price.model)
                let isReached = !prices[..<index].contains { PolicyPattern($0.model).covers(own) }
                let isPermitted = ModelPattern(model).covers(ModelPattern(price.model))
                if isPermitted, isReached { add(price.model, price) }
            }
        }
        return found
    }
}
