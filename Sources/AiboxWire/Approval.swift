/// A call of a gated program that waits for a person's answer.
public struct ApprovalQuestion: Sendable, Equatable {
    /// Eight hexadecimal digits, never used again.
    public var id: String
    /// The file, and the words as the caller gave them.
    public var program: String
    public var argv: [String]
    public var directory: String
    public var rule: String
    public var layer: String
    /// The digest of the policy that asks.
    public var policy: String
    /// How many such calls wait.
    public var waiting: Int
    /// Seconds until it lapses.
    public var left: Int

    /// Questions of a sandbox that are open at a time, and bytes of one as JSON: whoever chooses the words must not make the
    /// list of all of them too long for who answers.
    public static let openLimit = 16
    public static let byteLimit = 128 << 10

    public init(
        id: String, program: String, argv: [String], directory: String, rule: String, layer: String, policy: String,
        waiting: Int, left: Int
    ) {
        self.id = id
        self.program = program
        self.argv = argv
        self.directory = directory
        self.rule = rule
        self.layer = layer
        self.policy = policy
        self.waiting = waiting
        self.left = left
    }
}

/// A person's answer.
public struct ApprovalAnswer: Sendable, Equatable {
    public enum Scope: Sendable, Equatable {
        /// The one call that has waited longest; a denial counts for all that wait.
        case once
        /// The same call as often as it comes, while the sandbox runs.
        case session
        /// The same call for so many seconds.
        case seconds(Int)
    }

    public var id: String
    public var isApproved: Bool
    public var scope: Scope
    /// The person's words; empty if there are none.
    public var reason: String

    public init(id: String, isApproved: Bool, scope: Scope, reason: String) {
        self.id = id
        self.isApproved = isApproved
        self.scope = scope
        self.reason = reason
    }

    /// The longest time that an answer holds, and the longest reason in bytes.
    public static let longest = 7 * 86_400
    public static let reasonLimit = 1024
}

extension ApprovalQuestion {
    public var json: JSONValue {
        [
            "id": .string(id), "program": .string(program), "argv": .array(argv.map { .string($0) }),
            "directory": .string(directory), "rule": .string(rule), "layer": .string(layer),
            "policy": .string(policy), "waiting": .integer(Int64(waiting)), "left": .integer(Int64(left)),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "approval")
        self.init(
            id: try fields.string("id"), program: try fields.string("program"), argv: try fields.texts("argv"),
            directory: try fields.string("directory"), rule: try fields.string("rule"),
            layer: try fields.string("layer"), policy: try fields.string("policy"),
            waiting: try fields.integer("waiting"), left: try fields.integer("left"))
        try fields.finish()
    }
}

extension ApprovalAnswer {
    public var json: JSONValue {
        var object: JSONObject = [
            "id": .string(id), "approved": .bool(isApproved), "reason": .string(reason),
            "session": .bool(scope == .session),
        ]
        if case .seconds(let seconds) = scope { object["seconds"] = .integer(Int64(seconds)) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "answer")
        let isForSession = try fields.bool("session")
        let seconds: Int? = try fields.optionalInteger("seconds")
        self.init(
            id: try fields.string("id"), isApproved: try fields.bool("approved"),
            scope: isForSession ? .session : seconds.map { .seconds($0) } ?? .once, reason: try fields.string("reason"))
        try fields.finish()
        if isForSession, seconds != nil { throw fields.error("it holds for the session, and for a time") }
        if let seconds, !(1...Self.longest).contains(seconds) { throw fields.error("seconds is out of range") }
        if reason.utf8.count > Self.reasonLimit {
            throw fields.error("reason is longer than \(Self.reasonLimit) bytes")
        }
    }
}
