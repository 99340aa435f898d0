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
    /// Bytes after which the log file starts anew.
    public var logLimit: Int

    public init(
        sandbox: String, runFolder: String, user: String, engine: String = "podman", container: String,
        sshPort: UInt16 = 2222, userNamespacePid: Int32? = nil, logLimit: Int = 8 << 20
    ) {
        self.sandbox = sandbox
        self.runFolder = runFolder
        self.user = user
        self.engine = engine
        self.container = container
        self.sshPort = sshPort
        self.userNamespacePid = userNamespacePid
        self.logLimit = logLimit
    }
}

extension GatewaySettings {
    public var json: JSONValue {
        var object: JSONObject = [
            "version": .integer(Int64(Wire.version)), "sandbox": .string(sandbox), "runFolder": .string(runFolder),
            "user": .string(user), "engine": .string(engine), "container": .string(container),
            "sshPort": .integer(Int64(sshPort)), "logLimit": .integer(Int64(logLimit)),
        ]
        object["userNamespacePid"] = userNamespacePid.map { .integer(Int64($0)) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "settings")
        try Wire.checkVersion(&fields)
        self.init(
            sandbox: try fields.string("sandbox"), runFolder: try fields.string("runFolder"),
            user: try fields.string("user"), engine: try fields.string("engine"),
            container: try fields.string("container"), sshPort: try fields.integer("sshPort"),
            userNamespacePid: try fields.optionalInteger("userNamespacePid"), logLimit: try fields.integer("logLimit"))
        try fields.finish()
        if !runFolder.hasPrefix("/") { throw fields.error("runFolder is not an absolute path") }
        if sshPort == 0 { throw fields.error("sshPort is 0") }
        if logLimit < 4096 { throw fields.error("logLimit is below 4096 bytes") }
    }
}
