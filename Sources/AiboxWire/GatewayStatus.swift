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

    public init(
        sandbox: String, container: String, ready: GatewayReady, monitorPid: Int32?, uptime: Int, sshConnections: Int
    ) {
        self.sandbox = sandbox
        self.container = container
        self.ready = ready
        self.monitorPid = monitorPid
        self.uptime = uptime
        self.sshConnections = sshConnections
    }
}

extension GatewayStatus {
    public var json: JSONValue {
        var object: JSONObject = [
            "sandbox": .string(sandbox), "container": .string(container), "ready": ready.json,
            "uptime": .integer(Int64(uptime)), "sshConnections": .integer(Int64(sshConnections)),
        ]
        object["monitorPid"] = monitorPid.map { .integer(Int64($0)) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "status")
        self.init(
            sandbox: try fields.string("sandbox"), container: try fields.string("container"),
            ready: try GatewayReady(json: fields.take("ready") ?? .null),
            monitorPid: try fields.optionalInteger("monitorPid"), uptime: try fields.integer("uptime"),
            sshConnections: try fields.integer("sshConnections"))
        try fields.finish()
    }
}
