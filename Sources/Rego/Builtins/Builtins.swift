/// What a built-in's code gets and gives; `undefined` means no result and no error.
typealias BuiltinBody = @Sendable (Context, UnsafePointer<Value>) throws(BuiltinFailure) -> Value

/// Why a built-in has no result.
struct BuiltinFailure: Error {
    enum Kind { case type, invalid, conflict, limit }
    let kind: Kind
    let message: String
    /// The message already names the built-in, or stands for itself.
    var complete = false

    static func invalid(_ message: String) -> BuiltinFailure { BuiltinFailure(kind: .invalid, message: message) }

    static func type(_ position: Int, _ expected: String, _ value: Value) -> BuiltinFailure {
        BuiltinFailure(kind: .type, message: "operand \(position) must be \(expected) but got \(value.typeName)")
    }

    init(kind: Kind, message: String, complete: Bool = false) {
        self.kind = kind
        self.message = message
        self.complete = complete
    }

    init(_ error: SupportError) {
        message = error.message
        switch error.kind {
        case .invalid: kind = .invalid
        case .type: kind = .type
        case .limit: kind = .limit
        }
    }
}

/// A built-in's code; in an array or optional a bare closure would be wrapped at each call.
struct BuiltinCode: Sendable {
    let run: BuiltinBody
}

/// Collects the built-ins' code by name.
struct BuiltinTable {
    private(set) var bodies: [String: BuiltinCode] = [:]

    mutating func add(_ name: String, _ body: @escaping BuiltinBody) { bodies[name] = BuiltinCode(run: body) }

    mutating func copy(_ name: String, to other: String) { bodies[other] = bodies[name] }
}

struct BuiltinSpec: Sendable {
    let name: String
    let parameters: [RegoType]
    let result: RegoType
    let isDeprecated: Bool
    let isNondeterministic: Bool
    let infix: Bool
    let isDeclaredOnly: Bool
    let isRelation: Bool
    let isTestOnly: Bool
    /// Looks at a part of its operands only, whatever their size.
    let isCheap: Bool
    /// Nil for built-ins that are only declared.
    let body: BuiltinCode?

    var arity: Int { parameters.count }
}

/// The table of built-ins, in the order of `BuiltinSignatures`.
struct Builtins: Sendable {
    let specs: [BuiltinSpec]
    let index: [String: Int]
    let eq: Int
    let assign: Int
    let print: Int
    let internalPrint: Int
    let templateString: Int
    let metadataChain: Int
    let metadataRule: Int

    static let all = Builtins()

    private init() {
        var bodies = BuiltinTable()
        Builtins.addOperators(&bodies)
        Builtins.addAggregates(&bodies)
        Builtins.addStrings(&bodies)
        Builtins.addCollections(&bodies)
        Builtins.addObjects(&bodies)
        Builtins.addNumbers(&bodies)
        Builtins.addTypes(&bodies)
        Builtins.addEncoding(&bodies)
        Builtins.addMatching(&bodies)
        Builtins.addTime(&bodies)
        Builtins.addNet(&bodies)
        Builtins.addDigests(&bodies)
        Builtins.addGraphs(&bodies)
        Builtins.addPatch(&bodies)
        Builtins.addMiscellany(&bodies)
        var specs: [BuiltinSpec] = []
        var index: [String: Int] = [:]
        for line in BuiltinSignatures.table.split(separator: "\n") {
            let fields = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let name = fields[0].trimmedSpaces
            let flags = fields[1]
            var parser = SignatureParser(fields[2])
            let (parameters, result) = parser.signature()
            index[name] = specs.count
            specs.append(
                BuiltinSpec(
                    name: name, parameters: parameters, result: result, isDeprecated: flags.contains("d"),
                    isNondeterministic: flags.contains("n"), infix: flags.contains("i"),
                    isDeclaredOnly: flags.contains("o"), isRelation: flags.contains("r"),
                    isTestOnly: flags.contains("t"),
                    isCheap: flags.contains("c"), body: bodies.bodies[name]))
        }
        self.specs = specs
        self.index = index
        eq = index["eq"] ?? -1
        assign = index["assign"] ?? -1
        print = index["print"] ?? -1
        internalPrint = index["internal.print"] ?? -1
        templateString = index["internal.template_string"] ?? -1
        metadataChain = index["rego.metadata.chain"] ?? -1
        metadataRule = index["rego.metadata.rule"] ?? -1
    }
}

/// What must stay the same within one evaluation.
struct BuiltinMemory {
    var now: Int64?
    var random: [Value: Value] = [:]
    var uuids: [Value: Value] = [:]
    var printed: [String] = []
}
