/// What the CLI asks a running gateway: one request a line, one reply a request.
public enum ControlRequest: Sendable, Equatable {
    /// How it is.
    case status
    /// The container runs; `monitorPid` (conmon) ends when it does, and the gateway with it.
    case watch(monitorPid: Int32)
    /// Gives the sandbox's interface its address and route again: needed before every start of a container under runsc, which takes them away.
    case readdress
    /// Make a port of the sandbox reachable on 127.0.0.1.
    case forward(ForwardedPort)
    /// No longer make this port of the sandbox reachable.
    case endForward(UInt16)
    /// Load the packet filter anew and connect a sandbox that was cut off.
    case repair
    /// Answers once the way out is served as promised, or says why it is not.
    case serving
    /// Where the sandbox may connect, and what serves it.
    case network
    /// Let the sandbox reach a host, or take one away.
    case changeNetwork(NetworkChange)
    /// A credential was replaced or taken back: what the sandbox was lent of it follows.
    case changeCredential(CredentialChange)
    /// Which calls of gated programs wait for a person.
    case approvals
    /// A person's answer to one.
    case answerApproval(ApprovalAnswer)
    /// Let the sandbox learn for a time, or no more.
    case learn(LearnChange)
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
        case .forward(let port):
            object["request"] = "forward"
            object["port"] = port.json
        case .endForward(let port):
            object["request"] = "endForward"
            object["port"] = .integer(Int64(port))
        case .repair: object["request"] = "repair"
        case .serving: object["request"] = "serving"
        case .network: object["request"] = "network"
        case .changeNetwork(let change):
            object["request"] = "changeNetwork"
            object["change"] = change.json
        case .changeCredential(let change):
            object["request"] = "changeCredential"
            object["change"] = change.json
        case .approvals: object["request"] = "approvals"
        case .answerApproval(let answer):
            object["request"] = "answerApproval"
            object["answer"] = answer.json
        case .learn(let change):
            object["request"] = "learn"
            object["change"] = change.json
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
        case "forward": self = .forward(try ForwardedPort(json: fields.take("port") ?? .null))
        case "endForward":
            let port: UInt16 = try fields.integer("port")
            if port == 0 { throw fields.error("port is 0") }
            self = .endForward(port)
        case "repair": self = .repair
        case "serving": self = .serving
        case "network": self = .network
        case "changeNetwork":
            self = .changeNetwork(try NetworkChange(json: fields.take("change") ?? .null))
        case "changeCredential":
            self = .changeCredential(try CredentialChange(json: fields.take("change") ?? .null))
        case "approvals": self = .approvals
        case "answerApproval":
            self = .answerApproval(try ApprovalAnswer(json: fields.take("answer") ?? .null))
        case "learn": self = .learn(try LearnChange(json: fields.take("change") ?? .null))
        case "stop": self = .stop
        default: throw fields.error("unknown request \(name)")
        }
        try fields.finish()
    }
}
