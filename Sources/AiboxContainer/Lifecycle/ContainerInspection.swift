import AiboxSystem
import AiboxWire

/// Fetches what `HardeningCheck` compares.
struct ContainerInspection: Sendable {
    let context: SandboxContext
    let spec: SandboxSpec

    /// The findings of a container that keeps every promise.
    ///
    /// - Throws: `layerMissing` with the first one that does not hold (P5).
    func requireAll() throws(AiboxError) -> [HardeningCheck.Finding] {
        let findings = try findings()
        if let broken = findings.first(where: { !$0.holds }) {
            throw AiboxError(
                .layerMissing, "the sandbox does not have what was promised: \(broken.layer)",
                why: "promised \(broken.promised), found \(SafeText.escaped(broken.found))",
                remedy: "aibox doctor; nothing was left running")
        }
        return findings
    }

    func findings() throws(AiboxError) -> [HardeningCheck.Finding] {
        switch context.engine {
        case .podman(let podman): try findings(podman)
        case .docker(let docker): try findings(docker)
        }
    }

    private func findings(_ podman: Podman) throws(AiboxError) -> [HardeningCheck.Finding] {
        let inspected = try parse(try podman.inspect(spec.name.container), "podman's record")
        guard let inspect = inspected.elements?.first, let path = inspect["OCIConfigPath"]?.stringValue,
            let pid = inspect["State"]?["Pid"]?.wholeNumber, pid > 0
        else { throw AiboxError(.failed, "the container has ended", why: lastWords()) }
        let oci = try parse(try configuration(path), "the container's OCI configuration")
        return try compare(runtime: inspect["OCIRuntime"]?.stringValue ?? "", oci, pid: pid)
    }

    private func findings(_ docker: Docker) throws(AiboxError) -> [HardeningCheck.Finding] {
        let inspect = try docker.inspect(spec.name.container)
        guard let id = inspect["Id"]?.stringValue, let pid = inspect["State"]?["Pid"]?.wholeNumber, pid > 0 else {
            throw AiboxError(.failed, "the container has ended", why: lastWords())
        }
        var runtime = inspect["HostConfig"]?["Runtime"]?.stringValue ?? ""
        if runtime == DockerCreate.runtime { runtime = try docker.requests.request(id).runtime[0] }
        // The daemon's own view of the files: rootless it has mounts that this process does not see.
        let daemon = try docker.socket.daemon(isRoot: context.host.isRoot)
        let path = "/proc/\(daemon)/root\(try docker.requests.bundle(id))/config.json"
        let oci = try parse(try File.read(path), "the container's OCI configuration")
        return try compare(runtime: runtime, oci, pid: pid) + [network(pid), HardeningCheck.users(spec, oci)]
    }

    /// Where the process really is, whatever its configuration says.
    private func network(_ pid: Int64) -> HardeningCheck.Finding {
        let own = try? RuntimeRequest.identity(spec.networkNamespace)
        let holds = own != nil && own == (try? RuntimeRequest.identity("/proc/\(pid)/ns/net"))
        return HardeningCheck.Finding(
            layer: "network namespace", promised: "the gateway's", found: holds ? "the gateway's" : "another",
            holds: holds)
    }

    private func compare(
        runtime: String, _ oci: JSONValue, pid: Int64
    ) throws(AiboxError) -> [HardeningCheck.Finding] {
        let commandLine = try File.read("/proc/\(pid)/cmdline").split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
        let profile = try SeccompProfile(parsing: context.profiles.seccomp)
        return HardeningCheck(spec: spec, seccomp: profile).findings(
            runtime: runtime, oci: oci, commandLine: commandLine, status: try File.text("/proc/\(pid)/status"))
    }

    /// Rootless, the file belongs to a subordinate user; podman's own user namespace can read it.
    private func configuration(_ path: String) throws(AiboxError) -> [UInt8] {
        if context.host.isRoot { return try File.read(path) }
        let result = try context.podman.run(["unshare", "cat", path])
        if result.succeeded { return result.output }
        throw Podman.failure("cannot read the container's OCI configuration", result)
    }

    /// The last lines that the container wrote.
    func lastWords() -> String {
        let arguments = ["logs", "--tail", "3", spec.name.container]
        let logs =
            switch context.engine {
            case .podman(let podman): try? podman.run(arguments)
            case .docker(let docker): try? docker.run(arguments)
            }
        return SafeText.escaped([logs?.text, logs?.errorText].compactMap { $0 }.joined(separator: " "))
    }

    private func parse(_ bytes: [UInt8], _ what: String) throws(AiboxError) -> JSONValue {
        do throws(JSONError) {
            return try JSONParser.parse(
                bytes, limits: JSONParser.Limits(size: 8 << 20, depth: 64, roundsLargeIntegers: true))
        } catch {
            throw AiboxError(.failed, "cannot read \(what)", why: error.description)
        }
    }
}
