import AiboxWire

/// What `runsc --pod-init-config` is told: which trace points of the sandbox go to the gateway
/// (gvisor.dev/docs/user_guide/runtime_monitoring).
struct TraceSession: Equatable {
    /// Absolute path of the gateway's socket.
    var socket: String
    var demand: GatewaySettings.TraceDemand

    /// Bytes that the path of a socket may have (unix(7), sun_path).
    static let longestPath = 107

    /// The end of a process is asked for because each packet tells how many were dropped before it.
    private static let points: [(name: String, fields: [JSONValue])] = [
        ("container/start", ["group_id", "credentials"]),
        ("sentry/execve", ["group_id", "credentials", "cwd"]),
        ("sentry/exit_notify_parent", ["group_id"]),
    ]

    /// How often the sentry tries again while the socket is full: some 20 milliseconds in all, or 10 seconds where none may
    /// be lost. Meanwhile the program waits.
    private var retries: Int64 { demand == .required ? 1000 : 10 }

    var json: JSONValue {
        [
            "trace_session": [
                "name": "Default",
                "points": .array(Self.points.map { ["name": .string($0.name), "context_fields": .array($0.fields)] }),
                "sinks": [
                    [
                        "name": "remote",
                        "config": [
                            "endpoint": .string(socket), "retries": .integer(retries), "backoff": "25us",
                            "backoff_max": "10ms",
                        ],
                    ]
                ],
            ]
        ]
    }
}
