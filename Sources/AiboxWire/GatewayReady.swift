/// What a gateway daemon says once it serves: all that the CLI needs to start the container.
public struct GatewayReady: Sendable, Equatable {
    /// The daemon.
    public var pid: Int32
    /// The process that keeps the sandbox's network namespace alive.
    public var holderPid: Int32
    /// The sandbox's network namespace, `/proc/N/ns/net`: for `--network ns:`.
    public var networkNamespace: String
    /// The SSH port on 127.0.0.1.
    public var sshPort: UInt16
    /// The port on 127.0.0.1 where Prometheus reads; nil: none.
    public var metricsPort: UInt16?
    /// Certificate, as PEM, of the authority that opens inspected tunnels: to be trusted by this sandbox and nobody else.
    /// nil where nothing is inspected.
    public var authority: String?

    public init(
        pid: Int32, holderPid: Int32, networkNamespace: String, sshPort: UInt16, metricsPort: UInt16? = nil,
        authority: String? = nil
    ) {
        self.pid = pid
        self.holderPid = holderPid
        self.networkNamespace = networkNamespace
        self.sshPort = sshPort
        self.metricsPort = metricsPort
        self.authority = authority
    }
}

extension GatewayReady {
    public var json: JSONValue {
        var object: JSONObject = [
            "pid": .integer(Int64(pid)), "holderPid": .integer(Int64(holderPid)),
            "networkNamespace": .string(networkNamespace), "sshPort": .integer(Int64(sshPort)),
        ]
        object["metricsPort"] = metricsPort.map { .integer(Int64($0)) }
        object["authority"] = authority.map { .string($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "ready")
        self.init(
            pid: try fields.integer("pid"), holderPid: try fields.integer("holderPid"),
            networkNamespace: try fields.string("networkNamespace"), sshPort: try fields.integer("sshPort"),
            metricsPort: try fields.optionalInteger("metricsPort"), authority: try fields.optionalString("authority"))
        try fields.finish()
    }
}

/// The one line on the readiness pipe: it serves, or why it does not.
public enum GatewayStartReport: Sendable, Equatable {
    case ready(GatewayReady)
    case failed(WireError)

    public var json: JSONValue {
        switch self {
        case .ready(let ready): ["ready": ready.json]
        case .failed(let error): ["error": error.json]
        }
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "start report")
        if let error = fields.take("error") {
            self = .failed(try WireError(json: error))
        } else if let ready = fields.take("ready") {
            self = .ready(try GatewayReady(json: ready))
        } else {
            throw fields.error("it is neither ready nor an error")
        }
        try fields.finish()
    }
}
