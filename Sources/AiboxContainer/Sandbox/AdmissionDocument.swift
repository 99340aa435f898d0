import AiboxWire

/// What a sandbox is to be, as the policies in Rego read it at its start: found in the argv that podman or docker will be given, so
/// that nothing is admitted that is not asked for, and nothing asked for that was not admitted.
struct AdmissionDocument: Sendable, Equatable {
    let json: JSONValue

    /// - Parameters:
    ///   - wish: the limits of the settings; they stand in where this machine cannot enforce one.
    ///   - arguments: of `podman run` or `docker create` for this spec.
    init(_ spec: SandboxSpec, wish: SandboxSpec.Limits, arguments: [String]) {
        let options = Options(arguments.prefix { $0 != spec.image })
        let security = options.values("--security-opt")
        let seccomp = security.filter { $0.hasPrefix("seccomp=") }.map { $0.dropFirst(8) }
        let isConfined = seccomp.count == 1 && seccomp.allSatisfy { $0.hasPrefix("/") }
        let capabilities =
            options.values("--cap-add") + (options.values("--cap-drop") == ["ALL"] ? [] : ["the engine's own"])
        let networks = options.values("--network")
        let isIsolated =
            networks.count == 1 && networks.allSatisfy { $0.hasPrefix("ns:") || $0 == "none" } && !options.publishes
        var limits: JSONObject = [:]
        func limit(_ option: String, _ enforced: Bool, _ wish: Int64?) -> JSONValue? {
            (enforced ? options.number(option) : wish).map { .integer($0) }
        }
        let quota = options.has("--cpus") ? nil : options.quota
        limits["cpus"] =
            quota.map { .integer($0) } ?? limit("--cpus", spec.limits.cpus != nil, wish.cpus.map(Int64.init))
        limits["memory"] = limit("--memory", spec.limits.memoryBytes != nil, wish.memoryBytes)
        limits["pids"] = limit("--pids-limit", spec.limits.processes != nil, wish.processes.map(Int64.init))
        limits["tmp_size"] = .integer(spec.temporaryBytes)
        let missing = [
            ("cpus", spec.limits.cpus == nil), ("memory", spec.limits.memoryBytes == nil),
            ("pids", spec.limits.processes == nil),
        ]
        var runtime: JSONObject = ["engine": .string(spec.engine.name)]
        runtime["rootless"] = .bool(spec.userMapping == .keepID)
        runtime["privileged"] = .bool(options.has("--privileged"))
        runtime["no_new_privileges"] = .bool(security.contains("no-new-privileges"))
        runtime["seccomp"] = .string(isConfined ? "aibox" : "unconfined")
        runtime["capabilities"] = .array(capabilities.map { .string($0) })
        runtime["devices"] = .array(options.values("--device").map { .string($0) })
        runtime["namespaces"] = .array(options.shared.map { .string($0) })
        runtime["read_only_root"] = .bool(options.isReadOnly)
        runtime["user"] = .integer(options.user)
        json = [
            "runtime": .object(runtime), "network": ["isolated": .bool(isIsolated)], "resources": .object(limits),
            "not_enforced": .array(missing.filter { $0.1 }.map { .string($0.0) }),
            "mounts": .array(
                options.mounts.map { source, target in
                    var mount: JSONObject = ["source": .string(source), "target": .string(target)]
                    if source == spec.workspaceSource, source != spec.workspacePath {
                        mount["shows"] = .string(spec.workspacePath)
                    }
                    return .object(mount)
                }),
            "volumes": .array(options.volumes.map { ["name": .string($0), "target": .string($1)] }),
        ]
    }
}

/// The options of `podman run` and `docker create`, as an argv has them: `--name value` or `--name=value`.
private struct Options {
    private let arguments: [String]

    init(_ arguments: some Sequence<String>) { self.arguments = Array(arguments) }

    func values(_ option: String) -> [String] {
        var values: [String] = []
        for (index, word) in arguments.enumerated() {
            if word == option, index + 1 < arguments.count { values.append(arguments[index + 1]) }
            if word.hasPrefix(option + "=") { values.append(String(word.dropFirst(option.count + 1))) }
        }
        return values
    }

    /// Whether an option that loosens is there; whatever it is set to.
    func has(_ option: String) -> Bool { arguments.contains { $0 == option || $0.hasPrefix(option + "=") } }

    var isReadOnly: Bool {
        arguments.contains("--read-only") && !arguments.contains { $0.hasPrefix("--read-only=") }
    }

    func number(_ option: String) -> Int64? {
        values(option).last.flatMap { Int64($0.hasSuffix("b") ? $0.dropLast() : $0[...]) }
    }

    /// The same as `--cpus`, in docker's other words.
    var quota: Int64? {
        guard let quota = number("--cpu-quota"), let period = number("--cpu-period"), period > 0 else { return nil }
        return quota / period
    }

    var publishes: Bool { ["--publish", "-p", "--publish-all", "-P"].contains { has($0) } }

    /// Namespaces of the host's, or of another container's, that are used in place of the sandbox's own.
    var shared: [String] {
        ["pid", "ipc", "uts", "cgroupns"].filter { !values("--" + $0).allSatisfy { $0 == "private" } }
            + (values("--userns").allSatisfy { $0.hasPrefix("keep-id:") } ? [] : ["userns"])
    }

    /// The user's number; 0 where none is named, as the image may say root.
    var user: Int64 { values("--user").last.flatMap { Int64($0.prefix { $0 != ":" }) } ?? 0 }

    /// What of the host is mounted, and where.
    var mounts: [(String, String)] {
        let binds = values("--mount").map { text -> (String, String) in
            let fields = Self.fields(text)
            return (fields["source"] ?? fields["src"] ?? "", fields["target"] ?? fields["destination"] ?? "")
        }
        return binds + named.filter { !Self.isVolume($0.0) }
    }

    /// Named volumes, and where they are mounted.
    var volumes: [(String, String)] { named.filter { Self.isVolume($0.0) } }

    private var named: [(String, String)] {
        (values("--volume") + values("-v")).map { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
        }
    }

    private static func isVolume(_ name: String) -> Bool {
        !name.isEmpty && !name.contains("/") && !name.hasPrefix(".")
    }

    /// The fields of `--mount`: one line of CSV (RFC 4180).
    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        var field = ""
        var isQuoted = false
        var characters = Array(text)[...]
        func finish() {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
            field = ""
        }
        while let character = characters.popFirst() {
            switch (character, isQuoted) {
            case ("\"", true) where characters.first == "\"":
                field.append("\"")
                characters.removeFirst()
            case ("\"", _): isQuoted.toggle()
            case (",", false): finish()
            default: field.append(character)
            }
        }
        finish()
        return fields
    }
}
