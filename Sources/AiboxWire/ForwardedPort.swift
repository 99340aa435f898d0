/// A port of the sandbox that can be reached on the host's loopback.
public struct ForwardedPort: Sendable, Equatable {
    /// In the sandbox.
    public var port: UInt16
    /// On 127.0.0.1.
    public var hostPort: UInt16
    /// Connections open now.
    public var connections: Int

    public init(port: UInt16, hostPort: UInt16, connections: Int = 0) {
        self.port = port
        self.hostPort = hostPort
        self.connections = connections
    }
}

extension ForwardedPort {
    public var json: JSONValue {
        [
            "port": .integer(Int64(port)), "hostPort": .integer(Int64(hostPort)),
            "connections": .integer(Int64(connections)),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "forwarded port")
        self.init(
            port: try fields.integer("port"), hostPort: try fields.integer("hostPort"),
            connections: try fields.integer("connections"))
        try fields.finish()
        if port == 0 || hostPort == 0 { throw fields.error("a port is 0") }
    }
}
