import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

/// The positive control: the same image and the same probe in a container as podman alone runs it, on the host's network.
struct PlainPodman {
    let image: String
    private let folder: TemporaryFolder
    private let settings: String

    init(_ fixture: SandboxFixture) throws {
        image = try #require(try fixture.status()["image"]?.stringValue)
        folder = try TemporaryFolder(prefix: "aibox-control")
        // What this machine's podman may not be set up for, whoever runs it.
        settings = try folder.write(
            "containers.conf",
            """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=512:512"]
            log_driver = "k8s-file"
            [engine]
            cgroup_manager = "cgroupfs"
            events_logger = "file"
            runtime = "crun"
            """)
    }

    func python(_ program: String, _ arguments: [String], network: String = "host") throws -> Set<String> {
        let words = ["run", "--rm", "--network", network, "--entrypoint", "/usr/bin/python3", image, "-c", program]
        return Set(try podman(words + arguments).split(separator: "\n").map(String.init))
    }

    /// What a script says in a container that was given the secrets as people do without aibox.
    func shell(_ script: String, environment: [String: String], volumes: [String] = []) throws -> String {
        let given = environment.map { "--env=\($0)=\($1)" } + volumes.map { "--volume=" + $0 }
        return try podman(
            ["run", "--rm", "--network", "host", "--user", "0"] + given
                + ["--entrypoint", "/bin/bash", image, "-c", script])
    }

    /// What a script of bash says in a container of an image, as its root.
    func bash(
        _ image: String, _ script: String, arguments: [String] = [], mounts: [String: String] = [:],
        network: String = "host"
    ) throws -> CommandResult {
        let volumes = mounts.flatMap { ["--volume", "\($0.key):\($0.value)"] }
        let words = ["run", "--rm", "--network", network, "--user", "0:0", "--entrypoint", "/bin/bash"]
        return try run(words + volumes + [image, "-c", script, "bash"] + arguments)
    }

    /// A copy of the image with one more program, changed by a script.
    func image(adding program: String, to path: String, then script: String) throws -> String {
        let name = "localhost/aibox-control-\(UInt32.random(in: .min ... .max)):1"
        let container = try podman([
            "create", "--network", "none", "--user", "0:0", "--entrypoint", "/bin/bash", image, "-c", script,
        ])
        defer { _ = try? podman(["rm", "-f", "-t", "0", container]) }
        _ = try podman(["cp", program, container + ":" + path])
        _ = try podman(["start", "--attach", container])
        // As it was but for that: what the container was made with would stay.
        let user = try podman(["image", "inspect", image, "--format", "{{.Config.User}}"])
        let changes = ["ENTRYPOINT []", "CMD []", "USER " + (user.isEmpty ? "0" : user)].flatMap { ["--change", $0] }
        _ = try podman(["commit", "-q"] + changes + [container, name])
        return name
    }

    static func remove(_ image: String) {
        _ = try? SystemCommandRunner().run(Command("podman", ["rmi", "-f", image]), timeout: .seconds(60))
    }

    /// True if a container in one network of podman's reaches the server of another one, in a network of its own.
    ///
    /// - Parameter server: a Python program that serves on port 8000.
    func crossesNetworks(_ server: String, _ probe: String) throws -> Bool {
        let names = ["aibox-control-one", "aibox-control-two"]
        defer {
            _ = try? podman(["rm", "-f", "-t", "0", names[0]])
            _ = try? podman(["network", "rm", "-f"] + names)
        }
        for name in names { _ = try podman(["network", "create", name]) }
        _ = try podman([
            "run", "-d", "--name", names[0], "--network", names[0], "--entrypoint", "/usr/bin/python3", image, "-c",
            server,
        ])
        let address = try podman([
            "inspect", names[0], "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
        ])
        // The server takes a moment.
        for _ in 0..<10 where try !python(probe, ["tcp:\(address):8000"], network: names[1]).isEmpty { return true }
        return false
    }

    private func podman(_ words: [String]) throws -> String {
        let result = try run(words)
        try #require(result.succeeded, "podman \(words[0]): \(result.errorText)")
        return result.text
    }

    private func run(_ words: [String]) throws -> CommandResult {
        try SystemCommandRunner().run(
            Command("podman", words, environment: ["CONTAINERS_CONF": settings]), timeout: .seconds(120))
    }
}
