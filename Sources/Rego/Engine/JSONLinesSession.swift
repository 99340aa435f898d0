/// Answers requests of the conformance protocol, one JSON object a line.
///
/// Request: `{"id", "modules": [text], "data": object|null, "input": any|null, "input_term": text|null,
/// "query": text, "strict_error": bool}`. Answer: `{"result": [{"x": value}]}` or
/// `{"error": {"code", "message"}}`. Modules are named `test-0.rego`, `test-1.rego`, ...
public struct JSONLinesSession: Sendable {
    public init() {}

    /// The answer to one request line, without the line's end.
    public func answer(_ line: [UInt8]) -> [UInt8] {
        let result: Value
        do throws(RegoError) {
            result = .object(ObjectBox(unsorted: [(.string("result"), .array(try rows(line)))]))
        } catch {
            let body = Value.object(
                ObjectBox(unsorted: [
                    (.string("code"), .string(error.code.rawValue)), (.string("message"), .string(error.description)),
                ]))
            result = .object(ObjectBox(unsorted: [(.string("error"), body)]))
        }
        var writer = JSONWriter()
        writer.write(result)
        if writer.isTruncated {
            return Array(#"{"error":{"code":"eval_limit_error","message":"the result is too large"}}"#.utf8)
        }
        return writer.bytes
    }

    private func rows(_ line: [UInt8]) throws(RegoError) -> [Value] {
        func first<R>(_ body: () throws(RegoErrors) -> R) throws(RegoError) -> R {
            do throws(RegoErrors) { return try body() } catch { throw error.first }
        }
        let request = try first { () throws(RegoErrors) in try Engine.json(line, "request", nil) }
        guard case .object(let fields) = request else {
            throw RegoError(code: .json, message: "a request is an object", file: "", row: 0, column: 0)
        }
        var modules: [Engine.Module] = []
        if case .array(let texts) = fields["modules"] {
            for (index, text) in texts.enumerated() {
                guard case .string(let box) = text else { continue }
                modules.append(Engine.Module(name: "test-\(index).rego", text: box.bytes))
            }
        }
        var data: [UInt8]?
        if case .object = fields["data"] { data = JSONWriter.bytes(fields["data"]) }
        let engine = try first { () throws(RegoErrors) in try Engine(modules: modules, data: data) }
        guard case .string(let query) = fields["query"] else {
            throw RegoError(code: .json, message: "a request has a query", file: "", row: 0, column: 0)
        }
        let prepared = try first { () throws(RegoErrors) in
            try PreparedQuery(engine: engine, text: query.bytes)
        }
        var input: Value?
        if case .string(let term) = fields["input_term"] {
            input = try first { () throws(RegoErrors) in try engine.value(term: term.bytes) }
        } else if fields["input"].isDefined, fields["input"].rank != 0 {
            let bytes = JSONWriter.bytes(fields["input"])
            input = try first { () throws(RegoErrors) in try engine.value(json: bytes) }
        }
        var options = PreparedQuery.Options()
        if case .bool(true) = fields["strict_error"] { options.strictBuiltinErrors = true }
        options.limits.time = .seconds(15)
        return try prepared.rows(input: input, options: options).map { row in
            .object(ObjectBox(unsorted: row.bindings.map { (Value.string($0.name), $0.value) }))
        }
    }
}

extension Engine {
    /// The value of a ground Rego term, which unlike JSON may hold sets.
    public func value(term: [UInt8]) throws(RegoErrors) -> Value {
        let diagnostics = Diagnostics(files: [])
        var parser = Parser(bytes: term, file: -1)
        var resolver = Resolver(
            diagnostics: diagnostics, builtins: program.builtins, strings: program.strings, globals: [:],
            closedNegation: false)
        resolver.scopes = [Resolver.Scope()]
        do throws(SyntaxFailure) {
            if case .constant(let value) = resolver.resolve(try parser.singleTerm()).folded() { return value }
            diagnostics.report(.parse, .none, "input must be ground")
        } catch {
            diagnostics.report(.parse, error.location, error.message)
        }
        throw RegoErrors(diagnostics.errors)
    }
}
