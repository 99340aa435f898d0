public import AiboxWire

/// What `aibox start` tells the gateway about the way out: the organisation's list with what this machine adds to it,
/// before it is checked. Travels as JSON in the gateway's settings.
public struct EgressPlan: Sendable, Equatable {
    /// Entries of the allow-list; none: nothing is reachable, and every request gets a 403 that says so.
    public var allow: [AllowRuleSource]
    /// May `aibox network allow` add hosts that no entry covers?
    public var permitsAdditions: Bool
    /// Blocks that names may lead to although they are not public.
    public var targets: [AddressRange]
    /// Names with fixed addresses, asked before any name server.
    public var names: [PinnedName]
    /// A proxy of the company's through which everything has to go.
    public var upstream: SquidConfiguration.UpstreamProxy?
    /// PEM files of authorities that origins may have beside the system's.
    public var originAuthorities: [String]
    /// nil: the one that is installed.
    public var resolver: ResolverProgram?
    /// What of all this ends while the sandbox runs, in the order of time.
    public var endings: [ExceptionEnding] = []

    public struct PinnedName: Sendable, Equatable {
        public var name: HostName
        public var addresses: [IPAddress]

        public init(name: HostName, addresses: [IPAddress]) {
            self.name = name
            self.addresses = addresses
        }
    }

    public init(
        allow: [AllowRuleSource] = [], permitsAdditions: Bool = false, targets: [AddressRange] = [],
        names: [PinnedName] = [], upstream: SquidConfiguration.UpstreamProxy? = nil, originAuthorities: [String] = [],
        resolver: ResolverProgram? = nil
    ) {
        self.allow = allow
        self.permitsAdditions = permitsAdditions
        self.targets = targets
        self.names = names
        self.upstream = upstream
        self.originAuthorities = originAuthorities
        self.resolver = resolver
    }
}

extension EgressPlan {
    /// What can be reached, in a few words.
    public var summary: String {
        let hosts = allow.flatMap(\.hosts)
        if hosts.isEmpty { return "nothing is on the allow-list, everything is refused" }
        let shown = hosts.prefix(4).joined(separator: ", ")
        return (hosts.count > 4 ? "\(shown) and \(hosts.count - 4) more" : shown) + "; everything else is refused"
    }

    public var json: JSONValue {
        var object: JSONObject = [
            "allow": .array(allow.map(\.json)), "permitsAdditions": .bool(permitsAdditions),
            "targets": .array(targets.map { .string($0.description) }),
            "names": .array(
                names.map {
                    [
                        "name": .string($0.name.text),
                        "addresses": .array($0.addresses.map { .string($0.description) }),
                    ]
                }),
            "originAuthorities": .array(originAuthorities.map { .string($0) }),
        ]
        if !endings.isEmpty { object["endings"] = .array(endings.map(\.json)) }
        object["resolver"] = resolver.map { .string($0.rawValue) }
        if let upstream {
            var proxy: JSONObject = [
                "host": .string(upstream.host), "port": .integer(Int64(upstream.port)), "tls": .bool(upstream.usesTLS),
            ]
            proxy["login"] = upstream.login.map { .string($0) }
            object["upstream"] = .object(proxy)
        }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "network")
        var allow: [AllowRuleSource] = []
        for entry in try fields.list("allow") { allow.append(try AllowRuleSource(json: entry)) }
        var names: [PinnedName] = []
        for entry in try fields.list("names") {
            var name = try WireFields(entry, in: "name")
            guard let host = try? HostName(try name.string("name")) else { throw name.error("name is no host name") }
            names.append(PinnedName(name: host, addresses: try name.addresses("addresses")))
            try name.finish()
        }
        var targets: [AddressRange] = []
        for text in try fields.texts("targets") {
            guard let range = AddressRange(text) else { throw fields.error("targets has something else than blocks") }
            targets.append(range)
        }
        var upstream: SquidConfiguration.UpstreamProxy?
        if let value = fields.take("upstream") {
            var proxy = try WireFields(value, in: "upstream")
            upstream = SquidConfiguration.UpstreamProxy(
                host: try proxy.string("host"), port: try proxy.integer("port"), usesTLS: try proxy.bool("tls"),
                login: try proxy.optionalString("login"))
            try proxy.finish()
        }
        var resolver: ResolverProgram?
        if let name = try fields.optionalString("resolver") {
            guard let program = ResolverProgram(rawValue: name) else { throw fields.error("resolver is unknown") }
            resolver = program
        }
        var endings: [ExceptionEnding] = []
        for entry in (fields.take("endings") ?? .array([])).elements ?? [] {
            endings.append(try ExceptionEnding(json: entry))
        }
        self.init(
            allow: allow, permitsAdditions: try fields.bool("permitsAdditions"), targets: targets, names: names,
            upstream: upstream, originAuthorities: try fields.texts("originAuthorities"),
            resolver: resolver)
        self.endings = endings
        try fields.finish()
    }
}

extension AllowRuleSource {
    public var json: JSONValue {
        var object: JSONObject = [
            "id": .string(id), "hosts": .array(hosts.map { .string($0) }),
            "ports": .array(ports.map { .integer(Int64($0)) }), "layer": .string(layer),
        ]
        object["schemes"] = schemes.map { .array($0.map { .string($0) }) }
        object["methods"] = methods.map { .array($0.map { .string($0) }) }
        object["paths"] = paths.map { .array($0.map { .string($0) }) }
        object["inspect"] = inspect.map { .bool($0) }
        object["requestsPerMinute"] = requestsPerMinute.map { .integer(Int64($0)) }
        object["connections"] = connections.map { .integer(Int64($0)) }
        object["maxUpload"] = maxUpload.map { .integer($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "allow entry")
        var ports: [Int] = []
        for value in try fields.list("ports") {
            guard let port = value.wholeNumber else { throw fields.error("ports has something else than numbers") }
            ports.append(Int(clamping: port))
        }
        self.init(
            id: try fields.string("id"), hosts: try fields.texts("hosts"), ports: ports,
            schemes: try fields.optionalTexts("schemes"), methods: try fields.optionalTexts("methods"),
            paths: try fields.optionalTexts("paths"), inspect: try fields.optionalBool("inspect"),
            requestsPerMinute: try fields.optionalInteger("requestsPerMinute"),
            connections: try fields.optionalInteger("connections"),
            maxUpload: try fields.optionalInteger("maxUpload"), layer: try fields.string("layer"))
        try fields.finish()
    }
}

extension WireFields {
    mutating func addresses(_ name: String) throws(WireError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for text in try texts(name) {
            guard let address = IPAddress(text) else { throw error("\(name) has something else than addresses") }
            addresses.append(address)
        }
        return addresses
    }
}
