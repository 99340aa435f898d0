import AiboxConfig
import AiboxSystem
import AiboxWire

/// The docker client, talking to one daemon whatever its user's own settings say.
struct Docker: Sendable {
    let runner: any CommandRunner
    let socket: DockerSocket
    /// The client's settings: a folder without any. The user's own can put proxies, with their passwords, into the
    /// environment of every container.
    let settings: String
    let requests: DockerRequests

    init(_ runner: any CommandRunner, socket: DockerSocket, paths: Paths) throws(AiboxError) {
        self.runner = runner
        self.socket = socket
        settings = paths.dockerRequests + "/client"
        requests = DockerRequests(folder: paths.dockerRequests)
        try Folder.makePrivate(paths.stateFolder)
        try Folder.makePrivate(paths.dockerRequests)
        try Folder.makePrivate(settings)
    }

    /// The daemon that the user's own client would talk to.
    static func current(_ runner: any CommandRunner, paths: Paths) throws(AiboxError) -> Docker {
        try requireClient()
        return try Docker(runner, socket: try .current(runner), paths: paths)
    }

    /// A call as a value.
    func command(_ arguments: [String]) -> Command {
        var environment: [String: String?] = [:]
        for name in [
            "DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_CONTENT_TRUST", "DOCKER_CONTEXT",
            "DOCKER_DEFAULT_PLATFORM",
            "DOCKER_HOST", "DOCKER_TLS", "DOCKER_TLS_VERIFY",
        ] { environment[name] = .some(nil) }
        return Command(
            "docker", ["--config", settings, "--host", "unix://" + socket.path] + arguments, environment: environment)
    }

    func run(_ arguments: [String], timeout: Duration = .seconds(60)) throws(AiboxError) -> CommandResult {
        try runner.run(command(arguments), timeout: timeout)
    }

    @discardableResult
    func require(
        _ arguments: [String], _ what: @autoclosure () -> String, timeout: Duration = .seconds(60)
    ) throws(AiboxError) -> CommandResult {
        let result = try run(arguments, timeout: timeout)
        if result.succeeded { return result }
        throw Self.failure(what(), result)
    }

    private static func requireClient() throws(AiboxError) {
        if ExecutableSearch.find("docker") != nil { return }
        throw AiboxError(
            .layerMissing, "docker is missing", why: "it is not on this machine",
            remedy: "sudo apt-get install docker.io rootlesskit uidmap, or: aibox config set runtime podman")
    }

    func daemon() throws(AiboxError) -> DockerDaemon {
        let result = try run(["info", "--format", "{{json .}}"], timeout: .seconds(20))
        guard let info = try? JSONParser.parse(result.output) else {
            throw Self.failure("Docker's daemon does not answer", result)
        }
        return try DockerDaemon(info: info)
    }

    // MARK: Containers

    /// Makes a container, hands its request to the runtime and starts it.
    func start(_ arguments: [String], _ request: RuntimeRequest) throws(AiboxError) {
        // A client that was killed may have left one of the name; nothing runs in it without a gateway.
        try remove(request.container)
        let made = try require(arguments, "cannot make the container", timeout: .seconds(120))
        let id = String(made.text.split(separator: "\n").last ?? "")
        guard id.utf8.count == 64, id.allSatisfy(\.isHexDigit) else {
            throw AiboxError(.failed, "cannot make the container", why: "docker gave no id for it")
        }
        try requests.write(request, for: id)
        try require(["start", request.container], "cannot start the container", timeout: .seconds(120))
    }

    /// Ends and removes a container and what its runtime was asked; one that is not there is no error. Named volumes stay.
    func remove(_ container: String) throws(AiboxError) {
        let result = try run(["rm", "--force", container], timeout: .seconds(60))
        if !result.succeeded, !result.errorText.contains("No such container") {
            throw Self.failure("cannot remove the container \(container)", result)
        }
        try requests.forget(container)
    }

    /// Everything docker knows of a container.
    func inspect(_ container: String) throws(AiboxError) -> JSONValue {
        try parse(
            try require(["container", "inspect", container], "cannot inspect the container \(container)"),
            "docker container inspect")
    }

    // MARK: Volumes

    func volumes(prefix: String) throws(AiboxError) -> [String] {
        let result = try require(["volume", "ls", "--quiet", "--filter", "name=\(prefix)"], "cannot list volumes")
        return result.text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    func removeVolume(_ name: String) throws(AiboxError) {
        try require(["volume", "rm", "--force", name], "cannot remove the volume \(name)")
    }

    // MARK: Answers

    /// The one element of what `docker ... inspect` prints.
    func parse(_ result: CommandResult, _ source: String) throws(AiboxError) -> JSONValue {
        do {
            let list = try JSONParser.parse(
                result.output, limits: JSONParser.Limits(size: 16 << 20, depth: 64, roundsLargeIntegers: true))
            if let first = list.elements?.first { return first }
        } catch {
            throw AiboxError(.failed, "cannot read the answer of \(source)", why: "\(error)")
        }
        throw AiboxError(.failed, "cannot read the answer of \(source)", why: "it is empty")
    }

    static func failure(_ what: String, _ result: CommandResult) -> AiboxError {
        let said = result.errorText.split(separator: "\n").suffix(2).map { line -> String in
            for start in ["Error response from daemon: ", "Error: "] where line.hasPrefix(start) {
                return String(line.dropFirst(start.count))
            }
            return String(line)
        }
        let why = said.isEmpty ? "docker ended with \(result.termination.status)" : said.joined(separator: "; ")
        return AiboxError(.failed, what, why: SafeText.escaped(why))
    }
}
