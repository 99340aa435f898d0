/// What a gateway needs to ask the policies in Rego: the policy and the policies themselves.
public struct DecisionPlan: Sendable, Equatable {
    /// The effective policy as the policies in Rego read it.
    public var policy: JSONValue
    /// The policies in Rego.
    public var modules: JSONValue

    public init(policy: JSONValue, modules: JSONValue) {
        self.policy = policy
        self.modules = modules
    }
}

extension DecisionPlan {
    public var json: JSONValue { ["policy": policy, "modules": modules] }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "decisions")
        self.init(policy: fields.take("policy") ?? .null, modules: fields.take("modules") ?? .null)
        try fields.finish()
    }
}
