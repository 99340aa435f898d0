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
        let inspected = try parse(try context.podman.inspect(spec.name.container), "podman's record")
        guard let inspect = inspected.elements?.first, let path = inspect["OCIConfigPath"]?.stringValue,
            let pid = inspect["State"]?["Pid"]?.wholeNumber, pid > 0
        else { throw AiboxError(.failed, "the container has ended", why: lastWords()) }
        let oci = try parse(try configuration(path), "the container's OCI configuration")
        let commandLine = try File.read("/proc/\(pid)/cmdline").split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
        let profile = try SeccompProfile(parsing: context.profiles.seccomp)
        return HardeningCheck(spec: spec, seccomp: profile).findings(
            inspect: inspect, oci: oci, commandLine: commandLine, status: try File.text("/proc/\(pid)/status"))
    }

    /// Rootless, the file belongs to a subordinate user; podman's own user namespace can read it.
    private func configuration(_ path: String) throws(AiboxError) -> [UInt8] {
        if context.host.isRoot { return try File.read(path) }
        let result = try context.podman.run(["unshare", "cat", path])
        if result.succeeded { return result.output }
        throw Podman.failure("cannot read the container's OCI configuration", result)
    }

    private func lastWords() -> String {
        let logs = try? context.podman.run(["logs", "--tail", "3", spec.name.container])
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
