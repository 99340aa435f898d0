/// What `aibox start` tells a new gateway daemon, on its standard input.
public struct GatewaySettings: Sendable, Equatable {
    /// Name of the sandbox.
    public var sandbox: String
    /// Private folder of this sandbox's run-time files; made by the daemon, removed when it ends.
    public var runFolder: String
    /// Login name of the person the sandbox belongs to.
    public var user: String
    /// Container engine, `podman` or `docker`.
    public var engine: String
    /// Name of the container.
    public var container: String
    /// The wished SSH port on 127.0.0.1; the first free one from here on is taken.
    public var sshPort: UInt16
    /// A process in the user namespace that shall own the network namespaces (rootless podman's pause process); nil as root.
    public var userNamespacePid: Int32?
    /// The wished port for Prometheus on 127.0.0.1, the first free one from here on; nil: none.
    public var metricsPort: UInt16?
    /// Bytes after which the log file starts anew.
    public var logLimit: Int
    /// Where the gateway writes its audit events.
    public var audit: AuditPlace
    /// The way out (`EgressPlan`); nil: there is none at all.
    public var network: JSONValue?
    /// How the policies in Rego are asked; needed with `network`.
    public var decisions: DecisionPlan?
    /// Keys for language models and what may be asked with them; nil: there are none, and no proxy for them.
    public var llm: BrokerPlan?
    /// How tools are decided about; nil: nobody asks.
    public var tools: ToolPlan?
    /// What the organisation alone permits; nil: the sandbox must not learn.
    public var learn: LearnPlan?
    /// The file of what the user's sandboxes spend on language models; needed where `llm` has keys.
    public var ledger: String?
    /// The file of what this sandbox does; needed where `llm` limits that.
    public var sandboxLedger: String?
    /// Whether the sandbox is cut off once what stands for a credential was used where it does not belong.
    public var endsOnMisuse = false
    /// Whether the log tells which programs run inside; nil: it does not.
    public var traces: TraceDemand?
    /// Whether that is seen by asking the kernel about calls, and not told by gVisor.
    public var watchesCalls = false

    public enum TraceDemand: String, Sendable {
        /// What is lost of them is told.
        case optional
        /// A sandbox of which some are lost is cut off.
        case required
    }

    /// The audit log, as `aibox start` opened it.
    public struct AuditPlace: Sendable, Equatable {
        public var folder: String
        /// Where copies of the checkpoints go.
        public var checkpoints: String
        /// The stay from start to stop that events belong to.
        public var session: String
        /// The digest of the policy that the sandbox is held to; stands in every event.
        public var policy: String
        /// Whether actions go on while the disk takes no events, as the organisation may allow; they are told of later.
        public var marksGaps: Bool

        public init(
            folder: String, checkpoints: String, session: String, policy: String = "", marksGaps: Bool = false
        ) {
            self.folder = folder
            self.checkpoints = checkpoints
            self.session = session
            self.policy = policy
            self.marksGaps = marksGaps
        }
    }

    public init(
        sandbox: String, runFolder: String, user: String, engine: String = "podman", container: String,
        sshPort: UInt16 = 2222, userNamespacePid: Int32? = nil, metricsPort: UInt16? = nil, logLimit: Int = 8 << 20,
        audit: AuditPlace, network: JSONValue? = nil, decisions: DecisionPlan? = nil, llm: BrokerPlan? = nil,
        tools: ToolPlan? = nil, learn: LearnPlan? = nil, traces: TraceDemand? = nil
    ) {
        self.sandbox = sandbox
        self.runFolder = runFolder
        self.user = user
        self.engine = engine
        self.container = container
        self.sshPort = sshPort
        self.userNamespacePid = userNamespacePid
        self.metricsPort = metricsPort
        self.logLimit = logLimit
        self.audit = audit
        self.network = network
        self.decisions = decisions
        self.llm = llm
        self.tools = tools
        self.learn = learn
        self.traces = traces
    }
}

extension GatewaySettings {
    public var json: JSONValue {
        var object: JSONObject = [
            "version": .integer(Int64(Wire.version)), "sandbox": .string(sandbox), "runFolder": .string(runFolder),
            "user": .string(user), "engine": .string(engine), "container": .string(container),
            "sshPort": .integer(Int64(sshPort)), "logLimit": .integer(Int64(logLimit)),
            "audit": audit.json,
        ]
        object["userNamespacePid"] = userNamespacePid.map { .integer(Int64($0)) }
        object["metricsPort"] = metricsPort.map { .integer(Int64($0)) }
        object["network"] = network
        object["decisions"] = decisions?.json
        object["llm"] = llm?.json
        object["tools"] = tools?.json
        object["learn"] = learn?.json
        object["ledger"] = ledger.map { .string($0) }
        object["sandboxLedger"] = sandboxLedger.map { .string($0) }
        object["traces"] = traces.map { .string($0.rawValue) }
        if endsOnMisuse { object["endsOnMisuse"] = true }
        if watchesCalls { object["watchesCalls"] = true }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "settings")
        try Wire.checkVersion(&fields)
        var llm: BrokerPlan?
        if let plan = fields.take("llm") { llm = try BrokerPlan(json: plan) }
        var decisions: DecisionPlan?
        if let plan = fields.take("decisions") { decisions = try DecisionPlan(json: plan) }
        var learn: LearnPlan?
        if let plan = fields.take("learn") { learn = try LearnPlan(json: plan) }
        var tools: ToolPlan?
        if let plan = fields.take("tools") { tools = try ToolPlan(json: plan) }
        self.init(
            sandbox: try fields.string("sandbox"), runFolder: try fields.string("runFolder"),
            user: try fields.string("user"), engine: try fields.string("engine"),
            container: try fields.string("container"), sshPort: try fields.integer("sshPort"),
            userNamespacePid: try fields.optionalInteger("userNamespacePid"),
            metricsPort: try fields.optionalInteger("metricsPort"), logLimit: try fields.integer("logLimit"),
            audit: try AuditPlace(json: fields.take("audit") ?? .null), network: fields.take("network"),
            decisions: decisions, llm: llm, tools: tools, learn: learn)
        ledger = try fields.optionalString("ledger")
        sandboxLedger = try fields.optionalString("sandboxLedger")
        endsOnMisuse = try fields.optionalBool("endsOnMisuse") ?? false
        watchesCalls = try fields.optionalBool("watchesCalls") ?? false
        if let word = try fields.optionalString("traces") {
            traces = TraceDemand(rawValue: word)
            if traces == nil { throw fields.error("traces is neither optional nor required") }
        }
        try fields.finish()
        if !runFolder.hasPrefix("/") { throw fields.error("runFolder is not an absolute path") }
        if sshPort == 0 { throw fields.error("sshPort is 0") }
        if metricsPort == 0 { throw fields.error("metricsPort is 0") }
        if logLimit < 4096 { throw fields.error("logLimit is below 4096 bytes") }
    }
}

extension GatewaySettings.AuditPlace {
    public var json: JSONValue {
        [
            "folder": .string(folder), "checkpoints": .string(checkpoints), "session": .string(session),
            "policy": .string(policy), "marksGaps": .bool(marksGaps),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "audit")
        self.init(
            folder: try fields.string("folder"), checkpoints: try fields.string("checkpoints"),
            session: try fields.string("session"), policy: try fields.string("policy"),
            marksGaps: try fields.bool("marksGaps"))
        try fields.finish()
        if !folder.hasPrefix("/") || !checkpoints.hasPrefix("/") { throw fields.error("a path is not absolute") }
    }
}
