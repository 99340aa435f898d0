import Synchronization

/// A compiled set of Rego modules with their base document; evaluates queries from any number of threads.
public final class Engine: Sendable {
    /// One module: the name that errors show, and its text (UTF-8).
    public struct Module: Sendable {
        public let name: String
        public let text: [UInt8]

        public init(name: String, text: [UInt8]) {
            self.name = name
            self.text = text
        }

        public init(name: String, text: String) {
            self.init(name: name, text: Array(text.utf8))
        }
    }

    let program: Program
    let compiler: Compiled
    let data: Value
    let modules: [Module]

    /// What queries need of the compilation.
    final class Compiled: @unchecked Sendable {
        // Unchecked: read only after the engine is made.
        let compiler: Compiler
        init(_ compiler: Compiler) { self.compiler = compiler }
    }

    /// Compiles the modules.
    ///
    /// - Parameters:
    ///   - data: The base document, an object as JSON; nil is `{}`.
    ///   - allowNondeterminism: Whether built-ins that read clocks or random numbers may be called.
    /// - Throws: `RegoErrors` with every error of the first stage that failed.
    public convenience init(
        modules: [Module], data: [UInt8]? = nil, allowNondeterminism: Bool = true
    ) throws(RegoErrors) {
        try self.init(modules: modules, data: data, allowNondeterminism: allowNondeterminism, probes: nil)
    }

    convenience init(
        modules: [Module], data: [UInt8]?, allowNondeterminism: Bool = true, probes: ProbeTable?
    ) throws(RegoErrors) {
        var document = Value.emptyObject
        if let data {
            document = try Engine.json(data, "data", nil)
            guard case .object = document else {
                throw RegoErrors([
                    RegoError(
                        code: .json, message: "the base document must be an object", file: "data", row: 0, column: 0)
                ])
            }
        }
        try self.init(modules: modules, document: document, allowNondeterminism: allowNondeterminism, probes: probes)
    }

    init(modules: [Module], document: Value, allowNondeterminism: Bool, probes: ProbeTable?) throws(RegoErrors) {
        let strings = StringPool()
        let (program, compiler) = try Compiler.compile(
            modules.map { ($0.name, $0.text) }, strings: strings, probes: probes)
        program.forbidsNondeterminism = !allowNondeterminism
        self.modules = modules
        self.program = program
        self.compiler = Compiled(compiler)
        data = document.interned(strings)
        strings.isSealed = true
    }

    deinit { program.dismantle() }

    static func json(_ bytes: [UInt8], _ name: String, _ strings: StringPool?) throws(RegoErrors) -> Value {
        if bytes.count > Limits.inputBytes {
            throw RegoErrors([
                RegoError(
                    code: .json, message: "the document has more than \(Limits.inputBytes >> 20) MiB", file: name,
                    row: 0,
                    column: 0)
            ])
        }
        do throws(JSONFailure) {
            return try JSONReader.value(bytes, pool: strings)
        } catch {
            throw RegoErrors([
                RegoError(
                    code: .json, message: "\(error.message) at byte \(error.offset)", file: name, row: 0, column: 0)
            ])
        }
    }

    /// Compiles a query, such as `data.aibox.gate.decision` or `x = data.t.p; x > 1`.
    public func prepare(_ query: String) throws(RegoErrors) -> PreparedQuery {
        try PreparedQuery(engine: self, text: Array(query.utf8))
    }

    /// Reads JSON so that evaluations find its keys fastest.
    public func value(json: [UInt8]) throws(RegoErrors) -> Value {
        try Engine.json(json, "input", program.strings)
    }

    /// As `value`, with the value of a member of the document exchanged: what many inputs have in common is read once.
    public func value(json: [UInt8], exchanging name: String, for part: Value) throws(RegoErrors) -> Value {
        let value = try value(json: json)
        guard case .object(let object) = value, let index = object.index(of: .string(name)) else { return value }
        var values = object.values
        values[index] = part
        return .object(ObjectBox(keys: object.keys, values: values))
    }
}
