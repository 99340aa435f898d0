/// One error of a policy or of its evaluation, with OPA's code and place.
public struct RegoError: Error, Sendable, Hashable, CustomStringConvertible {
    /// OPA's codes, and two of this engine: `limit` for a budget that ran out.
    public enum Code: String, Sendable {
        case parse = "rego_parse_error"
        case compile = "rego_compile_error"
        case unsafe = "rego_unsafe_var_error"
        case recursion = "rego_recursion_error"
        case type = "rego_type_error"
        case conflict = "eval_conflict_error"
        case builtin = "eval_builtin_error"
        case evalType = "eval_type_error"
        case cancelled = "eval_cancel_error"
        case limit = "eval_limit_error"
        case json = "json_error"
    }

    public let code: Code
    public let message: String
    public let file: String
    public let row: Int
    public let column: Int

    /// `file:row:column: code: message`, the column only where it is known.
    public var description: String {
        let place = row > 0 ? (file.isEmpty ? "\(row):\(column): " : "\(file):\(row): ") : ""
        return "\(place)\(code.rawValue): \(message)"
    }
}

/// All the errors of one stage of compilation; never empty.
public struct RegoErrors: Error, Sendable, CustomStringConvertible {
    public let errors: [RegoError]

    init(_ errors: [RegoError]) { self.errors = errors }

    public var first: RegoError {
        errors.first ?? RegoError(code: .compile, message: "unknown error", file: "", row: 0, column: 0)
    }

    public var description: String {
        errors.count == 1
            ? first.description
            : "\(errors.count) errors occurred:\n" + errors.map(\.description).joined(separator: "\n")
    }
}
