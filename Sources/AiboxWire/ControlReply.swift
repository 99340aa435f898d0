/// The answer to one `ControlRequest`.
public enum ControlReply: Sendable, Equatable {
    case done
    case status(GatewayStatus)
    /// Where the sandbox may connect: `enabled`, `rules`, `denials`, `services`, `connections`.
    case network(JSONValue)
    /// Whether the sandbox had been lent the credential that changed.
    case lent(Bool)
    /// The calls of gated programs that wait for a person, the oldest first.
    case approvals([ApprovalQuestion])
    case failed(WireError)
}

extension ControlReply {
    public var json: JSONValue {
        var object: JSONObject = ["version": .integer(Int64(Wire.version))]
        switch self {
        case .done: object["done"] = true
        case .status(let status): object["status"] = status.json
        case .network(let document): object["network"] = document
        case .lent(let isLent): object["lent"] = .bool(isLent)
        case .approvals(let open): object["approvals"] = .array(open.map(\.json))
        case .failed(let error): object["error"] = error.json
        }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "reply")
        try Wire.checkVersion(&fields)
        if let error = fields.take("error") {
            self = .failed(try WireError(json: error))
        } else if let status = fields.take("status") {
            self = .status(try GatewayStatus(json: status))
        } else if let document = fields.take("network") {
            self = .network(document)
        } else if let isLent = fields.take("lent") {
            guard case .bool(let isLent) = isLent else { throw fields.error("lent is neither true nor false") }
            self = .lent(isLent)
        } else if let open = fields.take("approvals") {
            guard let elements = open.elements else { throw fields.error("approvals is no list") }
            var questions: [ApprovalQuestion] = []
            for element in elements { questions.append(try ApprovalQuestion(json: element)) }
            self = .approvals(questions)
        } else {
            guard try fields.bool("done") else { throw fields.error("done is false") }
            self = .done
        }
        try fields.finish()
    }
}
