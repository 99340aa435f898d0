/// One entry of the allow-list: who may be asked, and for what.
public struct AllowRule: Sendable, Equatable {
    public enum Scheme: String, Sendable, Hashable, CaseIterable {
        case https, http
    }

    /// How much of a destination one sandbox may use.
    public struct RateLimit: Sendable, Equatable {
        /// Requests (for a tunnel: connections) in a minute.
        public var requestsPerMinute: Int?
        /// Connections open at a time.
        public var connections: Int?

        public init(requestsPerMinute: Int? = nil, connections: Int? = nil) {
            self.requestsPerMinute = requestsPerMinute
            self.connections = connections
        }
    }

    /// Stands in every decision and audit record.
    public var id: String
    public var hosts: [HostPattern]
    public var ports: [UInt16]
    public var schemes: Set<Scheme>
    /// Upper case; nil allows every method.
    public var methods: [String]?
    /// nil allows every path.
    public var paths: [PathPattern]?
    /// Look inside TLS although nothing but `methods` and `paths` needs it.
    public var inspect: Bool
    public var rateLimit: RateLimit?
    /// Bytes that one connection may send.
    public var maxUpload: Int64?
    /// Which policy the entry comes from: `org`, `team`, `project`, or `session` for `network allow`.
    public var layer: String

    /// True if a request to it can only be decided with TLS opened.
    public var needsInspection: Bool { inspect || methods != nil || paths != nil }
    /// True if it opens tunnels.
    public var opensTLS: Bool { needsInspection && schemes.contains(.https) }
}

/// An entry as it stands in a policy document, before it is checked.
public struct AllowRuleSource: Sendable, Equatable {
    public var id: String
    public var hosts: [String]
    public var ports: [Int]
    /// nil: `https` on every port, and `http` where port 80 is listed.
    public var schemes: [String]?
    public var methods: [String]?
    public var paths: [String]?
    public var inspect: Bool?
    public var requestsPerMinute: Int?
    public var connections: Int?
    /// Bytes.
    public var maxUpload: Int64?
    public var layer: String

    public init(
        id: String, hosts: [String], ports: [Int] = [443], schemes: [String]? = nil, methods: [String]? = nil,
        paths: [String]? = nil, inspect: Bool? = nil, requestsPerMinute: Int? = nil, connections: Int? = nil,
        maxUpload: Int64? = nil, layer: String = "org"
    ) {
        self.id = id
        self.hosts = hosts
        self.ports = ports
        self.schemes = schemes
        self.methods = methods
        self.paths = paths
        self.inspect = inspect
        self.requestsPerMinute = requestsPerMinute
        self.connections = connections
        self.maxUpload = maxUpload
        self.layer = layer
    }
}
