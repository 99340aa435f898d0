/// What `aibox start` asks of the OCI runtime for one of Docker's containers, because the docker client has no words for it.
///
/// Written between `docker create` and `docker start`, read by `aibox-docker-runtime`; without one no container of that
/// runtime is made.
public struct RuntimeRequest: Sendable, Equatable {
    /// The container's name.
    public var container: String
    /// The program that really runs the container and its first arguments.
    public var runtime: [String]
    /// `/proc/PID/ns/net` of the sandbox's namespace.
    public var networkNamespace: String
    /// `device:inode` of the same: a process id may be given again, a namespace is not.
    public var networkIdentity: String
    /// Rootless: 1000 inside is the user who runs the daemon (0 in the daemon's user namespace), and 0 inside is 1000 there.
    public var mapsCaller: Bool
    /// Where the workspace and the volumes are mounted: what gets `nosuid` and `nodev`, which docker's `--mount` lacks.
    public var plainMounts: [String]
    /// The error number of a call that no rule names (`defaultErrnoRet`), of which Docker before 23 does not know; nil where
    /// the profile has none.
    public var seccompErrno: Int64?
    /// Files that are shown inside, read-only.
    public var files: [File]

    public struct File: Sendable, Equatable {
        public var source: String
        public var target: String

        public init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }

    public init(
        container: String, runtime: [String], networkNamespace: String, networkIdentity: String, mapsCaller: Bool,
        plainMounts: [String], seccompErrno: Int64?, files: [File]
    ) {
        self.container = container
        self.runtime = runtime
        self.networkNamespace = networkNamespace
        self.networkIdentity = networkIdentity
        self.mapsCaller = mapsCaller
        self.plainMounts = plainMounts
        self.seccompErrno = seccompErrno
        self.files = files
    }
}

extension RuntimeRequest {
    public var json: JSONValue {
        var object: JSONObject = [
            "container": .string(container), "runtime": .array(runtime.map(JSONValue.string)),
            "networkNamespace": .string(networkNamespace), "networkIdentity": .string(networkIdentity),
            "mapsCaller": .bool(mapsCaller), "plainMounts": .array(plainMounts.map(JSONValue.string)),
            "files": .array(files.map { ["source": .string($0.source), "target": .string($0.target)] }),
        ]
        object["seccompErrno"] = seccompErrno.map { .integer($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "runtime request")
        container = try fields.string("container")
        runtime = try fields.texts("runtime")
        networkNamespace = try fields.string("networkNamespace")
        networkIdentity = try fields.string("networkIdentity")
        mapsCaller = try fields.bool("mapsCaller")
        plainMounts = try fields.texts("plainMounts")
        seccompErrno = try fields.optionalInteger("seccompErrno")
        files = []
        for element in try fields.list("files") {
            var file = try WireFields(element, in: "runtime request's file")
            files.append(File(source: try file.string("source"), target: try file.string("target")))
            try file.finish()
        }
        try fields.finish()
        let paths = runtime.prefix(1) + [networkNamespace] + files.flatMap { [$0.source, $0.target] } + plainMounts
        if runtime.isEmpty || !paths.allSatisfy({ $0.hasPrefix("/") }) { throw fields.error("a path is not absolute") }
    }

    /// `runtime` of a request that another version of aibox may have written: enough to end what was begun with it.
    public static func runtime(of json: JSONValue) throws(WireError) -> [String] {
        var fields = try WireFields(json, in: "runtime request")
        let runtime = try fields.texts("runtime")
        if runtime.first?.hasPrefix("/") != true { throw fields.error("runtime is no absolute path") }
        return runtime
    }
}

extension RuntimeRequest {
    /// How many ids the daemon's user namespace has to have for `mapsCaller`.
    public static let neededIDs = 65536

    /// The ids of a rootless sandbox, inside to daemon (OCI runtime specification, config-linux, `uidMappings`).
    static let mappings: [(inside: Int64, outside: Int64, count: Int64)] = [
        (0, 1000, 1), (1, 1, 999), (1000, 0, 1), (1001, 1001, 65536 - 1001),
    ]

    /// The container's configuration (OCI runtime specification) with what was asked for.
    ///
    /// - Throws: if it lacks what docker was told to give it. A container without that is not begun.
    public func applied(to configuration: JSONValue) throws(WireError) -> JSONValue {
        guard case .object(var oci) = configuration, case .object(var linux)? = oci["linux"] else {
            throw Self.refusal("its configuration makes no sense")
        }
        try Self.require(configuration)
        linux["namespaces"] = .array(try namespaces(linux["namespaces"]?.elements ?? []))
        if mapsCaller {
            let mappings = JSONValue.array(
                Self.mappings.map {
                    ["containerID": .integer($0.inside), "hostID": .integer($0.outside), "size": .integer($0.count)]
                })
            linux["uidMappings"] = mappings
            linux["gidMappings"] = mappings
        }
        if let seccompErrno, case .object(var filter)? = linux["seccomp"], filter["defaultErrnoRet"] == nil {
            filter["defaultErrnoRet"] = .integer(seccompErrno)
            linux["seccomp"] = .object(filter)
        }
        // Docker's settings of the network namespace, which is the gateway's; the sandbox has no right to set them.
        linux["sysctl"] = nil
        oci["linux"] = .object(linux)
        oci["mounts"] = .array(try mounts(oci["mounts"]?.elements ?? []))
        // Docker's own hook takes hold of the network namespace, which is the gateway's.
        oci["hooks"] = nil
        return .object(oci)
    }

    /// What docker can say itself has to be there.
    private static func require(_ oci: JSONValue) throws(WireError) {
        let process = oci["process"]
        let capabilities = ["bounding", "effective", "inheritable", "permitted", "ambient"].flatMap {
            process?["capabilities"]?[$0]?.elements ?? []
        }
        let promises: [(Bool, String)] = [
            (process?["user"]?["uid"]?.wholeNumber == 1000, "it is not user 1000's"),
            (capabilities.isEmpty, "it has capabilities"),
            (process?["noNewPrivileges"]?.truth == true, "it may gain privileges"),
            (oci["root"]?["readonly"]?.truth == true, "its root is writable"),
            (oci["linux"]?["seccomp"]?["defaultAction"]?.stringValue != nil, "it has no seccomp filter"),
            ((oci["linux"]?["devices"]?.elements ?? []).isEmpty, "it has devices of the host"),
        ]
        if let broken = promises.first(where: { !$0.0 }) { throw refusal(broken.1) }
    }

    private func namespaces(_ given: [JSONValue]) throws(WireError) -> [JSONValue] {
        var namespaces = given.filter { $0["type"]?.stringValue != "network" }
        let kinds = namespaces.compactMap { $0["type"]?.stringValue }
        if kinds.contains("user") { throw Self.refusal("the daemon maps users itself (userns-remap)") }
        guard Set(kinds).isSuperset(of: ["mount", "pid", "ipc", "uts"]), namespaces.count + 1 == given.count,
            given.allSatisfy({ $0["path"] == nil })
        else { throw Self.refusal("it shares namespaces with others") }
        namespaces.append(["type": "network", "path": .string(networkNamespace)])
        if mapsCaller { namespaces.append(["type": "user"]) }
        return namespaces
    }

    private func mounts(_ given: [JSONValue]) throws(WireError) -> [JSONValue] {
        var missing = Set(plainMounts)
        var mounts: [JSONValue] = []
        for mount in given {
            guard case .object(var object) = mount, let target = mount["destination"]?.stringValue else {
                throw Self.refusal("a mount makes no sense")
            }
            if missing.remove(target) != nil {
                let options = (mount["options"]?.elements ?? []).compactMap(\.stringValue)
                let more = ["nosuid", "nodev"].filter { !options.contains($0) }
                object["options"] = .array((options + more).map(JSONValue.string))
            }
            mounts.append(.object(object))
        }
        if let target = missing.sorted().first { throw Self.refusal("nothing is mounted at \(target)") }
        return mounts
            + files.map {
                [
                    "destination": .string($0.target), "type": "bind", "source": .string($0.source),
                    "options": ["bind", "ro", "nosuid", "nodev", "noexec", "rprivate"],
                ]
            }
    }

    private static func refusal(_ why: String) -> WireError {
        WireError(code: "layer-missing", what: "cannot run this container", why: why)
    }
}
