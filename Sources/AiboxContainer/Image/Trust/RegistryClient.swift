import AiboxSystem

/// What is asked of a registry, by skopeo(1): the same library, login files and registry settings as podman's.
struct RegistryClient: Sendable {
    let runner: any CommandRunner
    /// A registries.conf(5) other than the machine's, as `CONTAINERS_REGISTRIES_CONF` names it for podman.
    let settings: String?

    init(runner: any CommandRunner, settings: String? = Environment.value("CONTAINERS_REGISTRIES_CONF")) {
        self.runner = runner
        self.settings = settings
    }

    /// The manifest behind a name, byte for byte; nil if the registry answers and has none.
    func manifest(_ name: String) throws(AiboxError) -> [UInt8]? {
        let result = try run(["inspect", "--raw", "docker://" + name], timeout: .seconds(60))
        if result.succeeded { return result.output }
        if result.errorText.contains("manifest unknown") || result.errorText.contains("name unknown") { return nil }
        throw Self.failure("cannot ask the registry for \(name)", result)
    }

    /// Copies an image, whatever it is made of, as plain files into a folder.
    func copy(_ name: String, toFolder folder: String, policy: String) throws(AiboxError) {
        let result = try run(
            ["--policy", policy, "copy", "--quiet", "docker://" + name, "dir:" + folder], timeout: .seconds(120))
        if !result.succeeded { throw Self.failure("cannot fetch \(name)", result) }
    }

    /// How a copy into podman's storage ended.
    enum Copy: Sendable, Equatable {
        case done
        /// The policy does not take the image; why, in the library's words.
        case refused(String)
    }

    /// Copies an image into podman's storage, under its digest.
    func copy(_ name: String, policy: String) throws(AiboxError) -> Copy {
        let result = try run(
            ["--policy", policy, "copy", "--quiet", "docker://" + name, "containers-storage:" + name],
            timeout: .seconds(3600))
        if result.succeeded { return .done }
        for line in result.errorText.split(separator: "\n") {
            if let mark = line.firstRange(of: "Source image rejected: ") {
                return .refused(SafeText.escaped(String(line[mark.upperBound...].prefix(200).filter { $0 != "\"" })))
            }
        }
        throw Self.failure("cannot fetch \(name)", result)
    }

    private func run(_ arguments: [String], timeout: Duration) throws(AiboxError) -> CommandResult {
        guard ExecutableSearch.find("skopeo") != nil else {
            throw AiboxError(
                .failed, "cannot ask a registry", why: "skopeo is not installed", remedy: "sudo apt-get install skopeo")
        }
        let options = settings.map { ["--registries-conf", $0] } ?? []
        return try runner.run(Command("skopeo", options + arguments), timeout: timeout)
    }
}

// MARK: - Failures

extension RegistryClient {
    static func failure(_ what: String, _ result: CommandResult) -> AiboxError {
        let line = result.errorText.split(separator: "\n").last { $0.contains("msg=") }
        var said = line.map(String.init) ?? result.errorText
        if let mark = said.firstRange(of: "msg=\"") { said = String(said[mark.upperBound...].dropLast()) }
        let why = SafeText.escaped(String(said.replacing("\\\"", with: "'").prefix(300)))
        let signs: [(String, String?)] = [
            ("unauthorized", "log in: podman login REGISTRY"),
            ("authentication required", "log in: podman login REGISTRY"),
            ("denied", "log in: podman login REGISTRY"),
            ("no space left on device", "free some disk space: podman system df"),
        ]
        let remedy = signs.first { said.contains($0.0) }?.1
        return AiboxError(.failed, what, why: why, remedy: remedy)
    }

    /// True if the error means that no registry answered.
    static func isUnreachable(_ error: AiboxError) -> Bool {
        let signs = [
            "connection refused", "no such host", "i/o timeout", "network is unreachable", "no route to host",
            "TLS handshake timeout", "connection reset", "deadline exceeded", "did not finish", "EOF",
            "server misbehaving", "Temporary failure in name resolution",
        ]
        let text = error.description
        return signs.contains { text.contains($0) }
    }
}
