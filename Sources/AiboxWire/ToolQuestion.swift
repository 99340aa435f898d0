/// What `aibox-tool-gate` asks its gateway: one HTTP/1.1 request a call, JSON in the body, `Connection: close`.
public struct ToolQuestion: Sendable, Equatable {
    /// The gateway's port for it, at the gateway's address.
    public static let port: UInt16 = 8444
    public static let path = "/v1/tool"
    /// Bytes of a request's body. A longer command line is refused.
    public static let bodyLimit = 256 << 10
    /// Bytes of an answer.
    public static let answerLimit = 64 << 10

    /// The file that was executed, in whose place the gate stands: `/proc/self/exe`.
    public var program: String
    /// The words as the caller gave them, the program's name first. Bytes that are no UTF-8 are U+FFFD.
    public var argv: [String]
    /// The working directory; empty if it cannot be told.
    public var directory: String

    public init(program: String, argv: [String], directory: String) {
        self.program = program
        self.argv = argv
        self.directory = directory
    }
}

extension ToolQuestion {
    public var json: JSONValue {
        [
            "version": .integer(Int64(Wire.version)), "program": .string(program),
            "argv": .array(argv.map { .string($0) }), "directory": .string(directory),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "tool question")
        try Wire.checkVersion(&fields)
        self.init(
            program: try fields.string("program"), argv: try fields.texts("argv"),
            directory: try fields.string("directory"))
        try fields.finish()
        if argv.isEmpty { throw fields.error("argv is empty") }
    }
}

/// The answer: HTTP 200 with a file to run, 403 with a refusal that a person and an agent can read.
public struct ToolAnswer: Sendable, Equatable {
    /// Where the program itself is, inside; nil: it does not run.
    public var run: String?
    public var rule: String
    public var layer: String
    public var reason: String
    public var nextSteps: [String]

    public init(run: String?, rule: String, layer: String, reason: String, nextSteps: [String] = []) {
        self.run = run
        self.rule = rule
        self.layer = layer
        self.reason = reason
        self.nextSteps = nextSteps
    }
}

extension ToolAnswer {
    public var json: JSONValue {
        var object: JSONObject = run == nil ? ["error": "denied by policy"] : [:]
        object["rule"] = .string(rule)
        object["layer"] = .string(layer)
        object["reason"] = .string(reason)
        object["next_steps"] = .array(nextSteps.map { .string($0) })
        object["run"] = run.map { .string($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "tool answer")
        let isRefused = fields.take("error") != nil
        self.init(
            run: try fields.optionalString("run"), rule: try fields.string("rule"), layer: try fields.string("layer"),
            reason: try fields.string("reason"), nextSteps: try fields.texts("next_steps"))
        try fields.finish()
        if isRefused == (run != nil) { throw fields.error("it neither lets run nor refuses") }
        if let run, !run.hasPrefix("/") { throw fields.error("run is not an absolute path") }
    }
}
