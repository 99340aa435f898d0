public import AiboxWire

/// Compares what was promised with the container that runs: an independent reader of the engine's own
/// record and of the OCI configuration that the runtime was really given (P5). Pure; knows nothing of
/// how the argv was made.
public struct HardeningCheck: Sendable {
    let spec: SandboxSpec
    /// The seccomp profile that was promised.
    let seccomp: SeccompProfile

    public init(spec: SandboxSpec, seccomp: SeccompProfile) {
        self.spec = spec
        self.seccomp = seccomp
    }

    /// One promise and what became of it.
    public struct Finding: Sendable, Equatable {
        public var layer: String
        public var promised: String
        public var found: String
        public var holds: Bool
    }

    /// - Parameters:
    ///   - runtime: the OCI runtime's path, by the engine's record.
    ///   - oci: `config.json` of the container (OCI runtime specification).
    ///   - commandLine: of the container's first process as the host sees it; under gVisor that is the sandbox.
    ///   - status: `/proc/PID/status` of the same.
    public func findings(runtime: String, oci: JSONValue, commandLine: [String], status: String) -> [Finding] {
        let process = oci["process"]
        let linux = oci["linux"]
        var findings = [engine(runtime, commandLine)]
        func add(_ layer: String, _ promised: String, _ found: String, _ holds: Bool) {
            findings.append(Finding(layer: layer, promised: promised, found: found, holds: holds))
        }
        let uid = process?["user"]?["uid"]?.wholeNumber
        add("user", "uid 1000", uid.map { "uid \($0)" } ?? "unknown", uid == Int64(SandboxSpec.user))
        let capabilities = ["bounding", "effective", "inheritable", "permitted", "ambient"].flatMap {
            process?["capabilities"]?[$0]?.elements ?? []
        }
        add("capabilities", "none", capabilities.isEmpty ? "none" : "\(capabilities.count)", capabilities.isEmpty)
        let noNewPrivileges = process?["noNewPrivileges"]?.truth == true
        add("no-new-privileges", "set", noNewPrivileges ? "set" : "not set", noNewPrivileges)
        let readOnly = oci["root"]?["readonly"]?.truth == true
        add("root file system", "read-only", readOnly ? "read-only" : "writable", readOnly)
        findings.append(filter(linux))
        if let promised = spec.appArmorProfile {
            let profile = process?["apparmorProfile"]?.stringValue ?? "none"
            add("AppArmor", promised, profile, profile == promised)
        }
        findings += [namespaces(linux), mounts(oci), devices(linux)]
        findings += limits(linux?["resources"])
        if case .crun = spec.engine { findings.append(kernelView(status)) }
        return findings
    }

    private func engine(_ runtime: String, _ commandLine: [String]) -> Finding {
        switch spec.engine {
        case .gvisor(let path, let platform):
            let wanted = ["--network=sandbox", "--oci-seccomp=true", "--platform=\(platform.rawValue)", "boot"]
            let missing = wanted.filter { !commandLine.contains($0) }
            let holds = runtime == path && missing.isEmpty
            return Finding(
                layer: "gVisor", promised: "runsc, platform \(platform.rawValue)",
                found: holds
                    ? "runsc, platform \(platform.rawValue)"
                    : "\(runtime), without \(missing.joined(separator: " "))", holds: holds)
        case .crun(let path), .kata(let path):
            return Finding(layer: "runtime", promised: path, found: runtime, holds: runtime == path)
        }
    }

    /// Docker has no word for it, so it is looked at: rootless, 1000 inside is the daemon's 0, the caller, and 0 inside is
    /// nobody's; rootful, nothing is mapped.
    static func users(_ spec: SandboxSpec, _ oci: JSONValue) -> Finding {
        func outside(_ kind: String) -> [Int64: Int64] {
            var result: [Int64: Int64] = [:]
            for row in oci["linux"]?[kind]?.elements ?? [] {
                guard let inside = row["containerID"]?.wholeNumber, let outside = row["hostID"]?.wholeNumber,
                    let size = row["size"]?.wholeNumber
                else { continue }
                for id in [0, Int64(SandboxSpec.user)] where id >= inside && id < inside + size {
                    result[id] = outside + id - inside
                }
            }
            return result
        }
        let found = ["uidMappings", "gidMappings"].map(outside)
        let wanted: [Int64: Int64] = spec.userMapping == .keepID ? [0: 1000, 1000: 0] : [:]
        let promised = spec.userMapping == .keepID ? "1000 inside is the caller" : "1000 inside is 1000"
        let holds = found == [wanted, wanted]
        return Finding(layer: "users", promised: promised, found: holds ? promised : "\(found)", holds: holds)
    }

    private func filter(_ linux: JSONValue?) -> Finding {
        let profile = spec.callListener.map(seccomp.watched) ?? seccomp
        let differences = profile.differences(from: linux?["seccomp"], dialect: spec.engine.seccompDialect)
        let promised =
            "default deny, \(profile.rules.count) rules" + (spec.callListener == nil ? "" : ", programs are told of")
        return Finding(
            layer: "seccomp", promised: promised,
            found: differences.isEmpty ? promised : differences.joined(separator: ", "), holds: differences.isEmpty)
    }

    private func namespaces(_ linux: JSONValue?) -> Finding {
        let list = linux?["namespaces"]?.elements ?? []
        let kinds = Set(list.compactMap { $0["type"]?.stringValue })
        let network = list.first { $0["type"]?.stringValue == "network" }?["path"]?.stringValue
        var wanted: Set<String> = ["pid", "ipc", "uts", "mount", "network"]
        if spec.userMapping == .keepID { wanted.insert("user") }
        let shared = wanted.subtracting(kinds).sorted()
        let holds = shared.isEmpty && network == spec.networkNamespace
        return Finding(
            layer: "namespaces", promised: wanted.sorted().joined(separator: " "),
            found: holds
                ? wanted.sorted().joined(separator: " ")
                : "the host's \(shared.joined(separator: " ")); network \(network ?? "podman's own")", holds: holds)
    }

    /// Nothing of the host is inside but the workspace: every bind is the workspace, one of our volumes
    /// or one of the small files that podman makes for the container itself.
    private func mounts(_ oci: JSONValue) -> Finding {
        let volumes = Set(spec.volumes.map(\.target))
        let secrets = Set(spec.secrets.map(\.target))
        var gates = Dictionary(spec.tools.map { ($0.target, $0.source) }, uniquingKeysWith: { first, _ in first })
        let podmans: Set = [
            "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/run/.containerenv", "/run/secrets", "/dev/shm",
        ]
        var wrong: [String] = []
        for mount in oci["mounts"]?.elements ?? [] where mount["type"]?.stringValue == "bind" {
            let target = mount["destination"]?.stringValue ?? ""
            let source = mount["source"]?.stringValue ?? ""
            let options = Set((mount["options"]?.elements ?? []).compactMap(\.stringValue))
            if target == "/workspace" || volumes.contains(target) {
                if target == "/workspace", source != spec.workspaceSource { wrong.append(source) }
                if !options.isSuperset(of: ["nosuid", "nodev"]) { wrong.append("\(target) without nosuid, nodev") }
            } else if let wanted = gates.removeValue(forKey: target) {
                if source != wanted || !options.contains("ro") { wrong.append("\(source) at \(target)") }
            } else if !podmans.contains(target), !secrets.contains(target) {
                wrong.append(source)
            }
        }
        wrong += gates.keys.sorted().map { "no gate at \($0)" }
        return Finding(
            layer: "mounts", promised: "the workspace and its own volumes, nosuid, nodev",
            found: wrong.isEmpty
                ? "the workspace and \(volumes.count) volumes, nosuid, nodev" : wrong.joined(separator: ", "),
            holds: wrong.isEmpty)
    }

    private func devices(_ linux: JSONValue?) -> Finding {
        let devices = (linux?["devices"]?.elements ?? []).compactMap { $0["path"]?.stringValue }
        return Finding(
            layer: "devices", promised: "none of the host's",
            found: devices.isEmpty ? "none of the host's" : devices.joined(separator: ", "), holds: devices.isEmpty)
    }

    private func limits(_ resources: JSONValue?) -> [Finding] {
        var findings: [Finding] = []
        func add(_ layer: String, _ promised: Int64?, _ found: Int64?) {
            guard let promised else { return }
            findings.append(
                Finding(
                    layer: layer, promised: String(promised), found: found.map { String($0) } ?? "none",
                    holds: found == promised))
        }
        add("memory limit", spec.limits.memoryBytes, resources?["memory"]?["limit"]?.wholeNumber)
        add("process limit", spec.limits.processes.map(Int64.init), resources?["pids"]?["limit"]?.wholeNumber)
        let period = resources?["cpu"]?["period"]?.wholeNumber ?? 0
        let quota = resources?["cpu"]?["quota"]?.wholeNumber
        add("cpu limit", spec.limits.cpus.map(Int64.init), period > 0 ? quota.map { $0 / period } : nil)
        return findings
    }

    /// Without gVisor the process is the host kernel's own, and the kernel says what it may do.
    private func kernelView(_ status: String) -> Finding {
        var fields: [Substring: Substring] = [:]
        for line in status.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1].drop { $0.isWhitespace } }
        }
        let capabilities: [Substring] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
        let none = capabilities.allSatisfy { fields[$0]?.allSatisfy { $0 == "0" } == true }
        let holds = none && fields["NoNewPrivs"] == "1" && fields["Seccomp"] == "2"
        return Finding(
            layer: "kernel's view", promised: "no capability, no new privileges, filtered",
            found: holds
                ? "no capability, no new privileges, filtered"
                : "CapBnd \(fields["CapBnd"] ?? "?"), NoNewPrivs \(fields["NoNewPrivs"] ?? "?"), Seccomp \(fields["Seccomp"] ?? "?")",
            holds: holds)
    }
}
