/// How a gateway daemon is.
public struct GatewayStatus: Sendable, Equatable {
    public var sandbox: String
    public var container: String
    public var ready: GatewayReady
    /// The container's monitor that is watched; nil while the container is being started.
    public var monitorPid: Int32?
    /// Seconds since the daemon serves.
    public var uptime: Int
    /// Connections through the SSH port that are open now.
    public var sshConnections: Int
    /// Why the sandbox is cut off; nil while it is connected.
    public var cutOff: String?
    /// The version of Landlock that confines the daemon to its files; 0 where the kernel has none.
    public var landlock: Int
    /// Ports of the sandbox that can be reached on 127.0.0.1, beside SSH.
    public var forwards: [ForwardedPort]
    /// Seconds that the sandbox still learns; nil while it does not.
    public var learning: Int?
    /// Which exceptions of the policy end when, and which have, in words.
    public var exceptions: [String]

    public init(
        sandbox: String, container: String, ready: GatewayReady, monitorPid: Int32?, uptime: Int, sshConnections: Int,
        cutOff: String? = nil, landlock: Int = 0, forwards: [ForwardedPort] = [], learning: Int? = nil,
        exceptions: [String] = []
    ) {
        self.sandbox = sandbox
        self.container = container
        self.ready = ready
        self.monitorPid = monitorPid
        self.uptime = uptime
        self.sshConnections = sshConnections
        self.cutOff = cutOff
        self.landlock = landlock
        self.forwards = forwards
        self.learning = learning
        self.exceptions = exceptions
    }
}

extension GatewayStatus {
    public var json: JSONValue {
        var object: JSONObject = [
            "sandbox": .string(sandbox), "container": .string(container), "ready": ready.json,
            "uptime": .integer(Int64(uptime)), "sshConnections": .integer(Int64(sshConnections)),
            "landlock": .integer(Int64(landlock)),
            "forwards": .array(forwards.map(\.json)),
        ]
        if !exceptions.isEmpty { object["exceptions"] = .array(exceptions.map { .string($0) }) }
        object["monitorPid"] = monitorPid.map { .integer(Int64($0)) }
        object["learning"] = learning.map { .integer(Int64($0)) }
        object["cutOff"] = cutOff.map(JSONValue.string)
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "status")
        var forwards: [ForwardedPort] = []
        for value in (fields.take("forwards") ?? .null).elements ?? [] {
            forwards.append(try ForwardedPort(json: value))
        }
        self.init(
            sandbox: try fields.string("sandbox"), container: try fields.string("container"),
            ready: try GatewayReady(json: fields.take("ready") ?? .null),
            monitorPid: try fields.optionalInteger("monitorPid"), uptime: try fields.integer("uptime"),
            sshConnections: try fields.integer("sshConnections"), cutOff: try fields.optionalString("cutOff"),
            landlock: try fields.integer("landlock"), forwards: forwards,
            learning: try fields.optionalInteger("learning"),
            exceptions: try fields.optionalTexts("exceptions") ?? [])
        try fields.finish()
    }
}
