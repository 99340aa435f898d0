/// A failure as it travels between processes: the same four parts that a person sees.
public struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Stable word for programs: `failed`, `denied`, `usage`, ...
    public var code: String
    /// What failed.
    public var what: String
    public var why: String?
    public var remedy: String?

    public init(code: String = "failed", what: String, why: String? = nil, remedy: String? = nil) {
        self.code = code
        self.what = what
        self.why = why
        self.remedy = remedy
    }

    public var description: String { why.map { "\(what): \($0)" } ?? what }
}

extension WireError {
    public var json: JSONValue {
        var object: JSONObject = ["code": .string(code), "what": .string(what)]
        object["why"] = why.map(JSONValue.string)
        object["remedy"] = remedy.map(JSONValue.string)
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "error")
        self.init(
            code: try fields.string("code"), what: try fields.string("what"), why: try fields.optionalString("why"),
            remedy: try fields.optionalString("remedy"))
        try fields.finish()
    }
}
