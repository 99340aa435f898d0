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

    func python(_ program: String, _ arguments: [String]) throws -> Set<String> {
        let result = try SystemCommandRunner().run(
            Command(
                "podman",
                ["run", "--rm", "--network", "host", "--entrypoint", "/usr/bin/python3", image, "-c", program]
                    + arguments,
                environment: ["CONTAINERS_CONF": settings]), timeout: .seconds(60))
        try #require(result.succeeded, "podman run: \(result.errorText)")
        return Set(result.text.split(separator: "\n").map(String.init))
    }
}
