public import AiboxConfig
public import AiboxSystem

/// podman, with the options that make it behave alike on every machine.
public struct Podman: Sendable {
    let runner: any CommandRunner
    /// Before the verb of every call.
    let globalArguments: [String]

    public init(runner: any CommandRunner = SystemCommandRunner(), host: HostFacts) {
        self.runner = runner
        globalArguments = Self.globalArguments(host)
    }

    /// Without systemd there is nobody to make cgroups or to keep a journal for us; podman's defaults
    /// count on both.
    static func globalArguments(_ host: HostFacts) -> [String] {
        host.hasSystemd ? [] : ["--cgroup-manager=cgroupfs", "--events-backend=file"]
    }

    /// A podman call as a value.
    public func command(_ arguments: [String], input: [UInt8] = []) -> Command {
        Command("podman", globalArguments + arguments, input: input)
    }

    func run(_ arguments: [String], timeout: Duration = .seconds(60)) throws(AiboxError) -> CommandResult {
        do throws(AiboxError) {
            return try runner.run(command(arguments), timeout: timeout)
        } catch {
            try require()
            throw error
        }
    }

    /// - Throws: `layerMissing` if podman is not on this machine.
    func require() throws(AiboxError) {
        if ExecutableSearch.find("podman") != nil { return }
        throw AiboxError(
            .layerMissing, "podman is missing", why: "it is not on this machine",
            remedy: "sudo apt-get install podman uidmap   (or: make deps)")
    }

    /// - Throws: where the settings name Docker, in whose storage `work` is not done.
    public static func requireChosen(_ configuration: Configuration, for work: String) throws(AiboxError) {
        if configuration.runtime == .podman { return }
        throw AiboxError(
            .failed, "cannot \(work) with docker", why: "that is done in podman's storage only",
            remedy: "aibox image build makes an image here; or: aibox config set runtime podman")
    }

    /// What podman is to be told where its own defaults stand in the way, as containers.conf(5): rootless crun
    /// cannot write the network settings that podman presets, for the network namespace is the gateway's.
    static let plainSettings = "[containers]\ndefault_sysctls = []\n"

    /// Starts a container and returns its id.
    ///
    /// - Parameters:
    ///   - arguments: of `podman run`, as `PodmanRun` gives them.
    ///   - settings: a containers.conf to use in place of the machine's; nil for the machine's.
    public func start(_ arguments: [String], settings: String? = nil) throws(AiboxError) -> String {
        var command = command(arguments)
        if let settings { command.environment["CONTAINERS_CONF"] = settings }
        let result = try runner.run(command, timeout: .seconds(120))
        if result.succeeded { return String(result.text.split(separator: "\n").last ?? "") }
        throw Self.failure("cannot start the container", result)
    }

    /// Stops a container, by force after three seconds; one that is not there is no error.
    public func stop(_ container: String) throws(AiboxError) {
        let result = try run(["stop", "--ignore", "--time", "3", container], timeout: .seconds(30))
        if !result.succeeded { throw Self.failure("cannot stop the container \(container)", result) }
    }

    /// Removes a container by force; one that is not there is no error. Named volumes stay.
    public func remove(_ container: String) throws(AiboxError) {
        let result = try run(["rm", "--force", "--ignore", "--time", "0", container], timeout: .seconds(30))
        if !result.succeeded { throw Self.failure("cannot remove the container \(container)", result) }
    }

    /// The container's state, or nil if there is none of that name.
    public func state(_ container: String) throws(AiboxError) -> String? {
        let result = try run(["container", "inspect", "--format", "{{.State.Status}}", container])
        if result.succeeded { return result.text }
        if result.errorText.contains("no such container") || result.errorText.contains("no container with name") {
            return nil
        }
        throw Self.failure("cannot inspect the container \(container)", result)
    }

    /// Everything podman knows of a container, as JSON bytes.
    public func inspect(_ container: String) throws(AiboxError) -> [UInt8] {
        let result = try run(["container", "inspect", container])
        if result.succeeded { return result.output }
        throw Self.failure("cannot inspect the container \(container)", result)
    }

    /// Makes sure that a secret of that name exists. The name holds a digest of the content, so an
    /// existing one is the right one.
    public func ensureSecret(_ name: String, content: [UInt8]) throws(AiboxError) {
        let made = try runner.run(command(["secret", "create", name, "-"], input: content), timeout: .seconds(30))
        if made.succeeded || made.errorText.contains("secret name in use") { return }
        throw Self.failure("cannot hand \(name) to podman", made)
    }

    /// Removes secrets; those that are not there are no error.
    public func removeSecrets(_ names: [String]) throws(AiboxError) {
        if names.isEmpty { return }
        let result = try run(["secret", "rm"] + names)
        // Every one is tried; what could not be is a line each.
        if result.succeeded { return }
        let lines = result.errorText.split(separator: "\n")
        if !lines.isEmpty, lines.allSatisfy({ $0.contains("no such secret") }) { return }
        throw Self.failure("cannot remove secrets", result)
    }

    /// Names of the volumes whose name begins with `prefix`.
    public func volumes(prefix: String) throws(AiboxError) -> [String] {
        let result = try run(["volume", "ls", "--quiet", "--filter", "name=\(prefix)"])
        if !result.succeeded { throw Self.failure("cannot list volumes", result) }
        return result.text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    /// Names of the secrets whose name begins with `prefix`.
    public func secrets(prefix: String) throws(AiboxError) -> [String] {
        let result = try run(["secret", "ls", "--format", "{{.Name}}"])
        if !result.succeeded { throw Self.failure("cannot list secrets", result) }
        return result.text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    public func removeImage(_ id: String) throws(AiboxError) {
        let result = try run(["image", "rm", "--force", id])
        if !result.succeeded { throw Self.failure("cannot remove the image \(id)", result) }
    }

    public func removeVolume(_ name: String) throws(AiboxError) {
        let result = try run(["volume", "rm", name])
        if result.succeeded || result.errorText.contains("no such volume") { return }
        throw Self.failure("cannot remove the volume \(name)", result)
    }

    static func failure(_ what: String, _ result: CommandResult) -> AiboxError {
        let said = result.errorText.split(separator: "\n").filter { !$0.contains("level=warning") }.suffix(2)
            .map { $0.hasPrefix("Error: ") ? String($0.dropFirst(7)) : String($0) }
        let why = said.isEmpty ? "podman ended with \(result.termination.status)" : said.joined(separator: "; ")
        return AiboxError(.failed, what, why: SafeText.escaped(why), remedy: remedy(for: why))
    }

    /// What helps with the failures that a machine's set-up causes.
    private static func remedy(for why: String) -> String? {
        if why.contains("cgroups in hybrid mode") {
            return "sudo aibox doctor --fix   (crun does not take a cgroup hierarchy of both versions)"
        }
        if why.contains("newuidmap") || why.contains("subuid") {
            return "sudo apt-get install uidmap; aibox doctor names what else rootless podman needs"
        }
        if why.contains("exceeded num_locks") {
            return "podman has no lock left for another volume: aibox stop --volumes --name SANDBOX gives up one's home"
                + " folder and caches; podman volume ls shows whose the others are"
        }
        if why.contains("no space left") { return "free some disk space: podman system df; aibox repair cache" }
        return nil
    }
}
