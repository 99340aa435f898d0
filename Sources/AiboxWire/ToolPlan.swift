/// What a gateway needs to decide about tools: the policy, the policies in Rego, and where the gate stands.
public struct ToolPlan: Sendable, Equatable {
    /// The effective policy as the policies in Rego read it.
    public var policy: JSONValue
    /// The policies in Rego.
    public var modules: JSONValue
    public var programs: [Program]
    public var rules: [Rule]
    /// The digest of the policy.
    public var digest: String
    /// Seconds for a person to answer a review.
    public var patience: Int

    /// A file of the image in whose place the gate stands.
    public struct Program: Sendable, Equatable {
        /// Every name that the file itself has; links to it are not among them.
        public var paths: [String]
        /// Of the paths that lead to it, those that rules name.
        public var names: [String]
        /// Its first word says which of many programs it is, as with busybox.
        public var isMultiCall: Bool
        /// Of such a file, the names by which it surely goes; none where every name is sure.
        public var applets: [String]
        /// Where the file is reachable for the gate; nil: nowhere, for no rule lets it run.
        public var original: String?

        public init(
            paths: [String], names: [String], isMultiCall: Bool, applets: [String] = [], original: String?
        ) {
            self.paths = paths
            self.names = names
            self.isMultiCall = isMultiCall
            self.applets = applets
            self.original = original
        }
    }

    /// A rule about tools, for those who are refused.
    public struct Rule: Sendable, Equatable {
        public var id: String
        /// `file:line`.
        public var origin: String
        /// Whose word would change it, as a clause.
        public var owner: String
        /// How many words it looks at.
        public var length: Int

        public init(id: String, origin: String, owner: String, length: Int) {
            self.id = id
            self.origin = origin
            self.owner = owner
            self.length = length
        }
    }

    public init(
        policy: JSONValue, modules: JSONValue, programs: [Program], rules: [Rule], digest: String = "",
        patience: Int = 600
    ) {
        self.policy = policy
        self.modules = modules
        self.programs = programs
        self.rules = rules
        self.digest = digest
        self.patience = patience
    }
}

extension ToolPlan {
    public var json: JSONValue {
        [
            "policy": policy, "modules": modules, "programs": .array(programs.map(\.json)),
            "rules": .array(
                rules.map {
                    [
                        "id": .string($0.id), "origin": .string($0.origin), "owner": .string($0.owner),
                        "length": .integer(Int64($0.length)),
                    ]
                }),
            "digest": .string(digest), "patience": .integer(Int64(patience)),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "tools")
        var programs: [Program] = []
        for entry in try fields.list("programs") { programs.append(try Program(json: entry)) }
        var rules: [Rule] = []
        for entry in try fields.list("rules") {
            var rule = try WireFields(entry, in: "rule")
            rules.append(
                Rule(
                    id: try rule.string("id"), origin: try rule.string("origin"), owner: try rule.string("owner"),
                    length: try rule.integer("length")))
            try rule.finish()
        }
        self.init(
            policy: fields.take("policy") ?? .null, modules: fields.take("modules") ?? .null, programs: programs,
            rules: rules, digest: try fields.string("digest"), patience: try fields.integer("patience"))
        try fields.finish()
        if !(1...86_400).contains(patience) { throw fields.error("patience is out of range") }
    }
}

extension ToolPlan.Program {
    public var json: JSONValue {
        var object: JSONObject = [
            "paths": .array(paths.map { .string($0) }), "names": .array(names.map { .string($0) }),
            "multi_call": .bool(isMultiCall), "applets": .array(applets.map { .string($0) }),
        ]
        object["original"] = original.map { .string($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "program")
        self.init(
            paths: try fields.texts("paths"), names: try fields.texts("names"),
            isMultiCall: try fields.bool("multi_call"), applets: try fields.texts("applets"),
            original: try fields.optionalString("original"))
        try fields.finish()
    }
}
