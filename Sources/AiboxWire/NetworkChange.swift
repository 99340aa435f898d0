/// What `aibox network allow` and `deny` ask a running gateway for.
public struct NetworkChange: Sendable, Equatable {
    public enum Action: String, Sendable { case allow, deny }

    public var action: Action
    /// A host or `*.domain`, as typed.
    public var host: String
    /// How long it holds; nil: as long as the sandbox runs.
    public var seconds: Int?

    public init(_ action: Action, host: String, seconds: Int?) {
        self.action = action
        self.host = host
        self.seconds = seconds
    }

    public var json: JSONValue {
        var object: JSONObject = ["action": .string(action.rawValue), "host": .string(host)]
        object["seconds"] = seconds.map { .integer(Int64($0)) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "network change")
        guard let action = Action(rawValue: try fields.string("action")) else {
            throw fields.error("action is neither allow nor deny")
        }
        self.init(action, host: try fields.string("host"), seconds: try fields.optionalInteger("seconds"))
        try fields.finish()
        if let seconds, !(1...31_536_000).contains(seconds) { throw fields.error("seconds is out of range") }
    }
}
