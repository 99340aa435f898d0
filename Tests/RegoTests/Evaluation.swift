import Rego
import Testing

/// One evaluation: a policy of package `t` and what `data.t.p` must be.
struct Evaluation: Sendable, CustomTestStringConvertible {
    let what: String
    let policy: String
    /// As Rego text; nil is undefined.
    let value: String?
    var input: String?
    var data: String?

    var testDescription: String { what }

    init(_ what: String, _ policy: String, _ value: String?, input: String? = nil, data: String? = nil) {
        self.what = what
        self.policy = policy
        self.value = value
        self.input = input
        self.data = data
    }

    func result(strict: Bool = true) throws -> String? {
        let engine = try Engine(
            modules: [Engine.Module(name: "t.rego", text: "package t\n" + policy)], data: data.map { Array($0.utf8) })
        var options = PreparedQuery.Options()
        options.strictBuiltinErrors = strict
        let value = try input.map { try engine.value(json: Array($0.utf8)) }
        return try engine.prepare("data.t.p").value(input: value, options: options)?.text
    }
}

/// The code of the error that compiling or evaluating the policy gives; nil if there is none.
func errorCode(
    _ policy: String, query: String = "data.t.p", input: String? = nil, limits: Limits = Limits()
) -> String? {
    do {
        let engine = try Engine(modules: [Engine.Module(name: "t.rego", text: "package t\n" + policy)])
        var options = PreparedQuery.Options()
        options.strictBuiltinErrors = true
        options.limits = limits
        let value = try input.map { try engine.value(json: Array($0.utf8)) }
        _ = try engine.prepare(query).value(input: value, options: options)
        return nil
    } catch let error as RegoErrors {
        return error.first.code.rawValue
    } catch let error as RegoError {
        return error.code.rawValue
    } catch {
        return "\(error)"
    }
}
