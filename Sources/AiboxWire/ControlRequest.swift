/// What the CLI asks a running gateway: one request a line, one reply a request.
public enum ControlRequest: Sendable, Equatable {
    /// How it is.
    case status
    /// The container runs; `monitorPid` (conmon) ends when it does, and the gateway with it.
    case watch(monitorPid: Int32)
    /// Gives the sandbox's interface its address and route again: needed before every start of a container under runsc, which takes them away.
    case readdress
    /// Answers once the way out is served as promised, or says why it is not.
    case serving
    /// End in order.
    case stop
}

extension ControlRequest {
    public var json: JSONValue {
        var object: JSONObject = ["version": .integer(Int64(Wire.version))]
        switch self {
        case .status: object["request"] = "status"
        case .watch(let pid):
            object["request"] = "watch"
            object["monitorPid"] = .integer(Int64(pid))
        case .readdress: object["request"] = "readdress"
        case .serving: object["request"] = "serving"
        case .stop: object["request"] = "stop"
        }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "request")
        try Wire.checkVersion(&fields)
        let name = try fields.string("request")
        switch name {
        case "status": self = .status
        case "watch":
            let pid: Int32 = try fields.integer("monitorPid")
            if pid < 2 { throw fields.error("monitorPid is no process to watch") }
            self = .watch(monitorPid: pid)
        case "readdress": self = .readdress
        case "serving": self = .serving
        case "stop": self = .stop
        default: throw fields.error("unknown request \(name)")
        }
        try fields.finish()
    }
}
