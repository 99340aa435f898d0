public import AiboxSystem

/// What aibox remembers of a sandbox from its start to its stop.
public struct SandboxRecord: Sendable, Equatable {
    public var name: String
    public var container: String
    /// Real path on the host.
    public var workspace: String
    public var runFolder: String
    /// `gvisor/systrap`, `crun`, ...
    public var engine: String
    /// Image reference and the id that was run.
    public var image: String
    public var imageID: String
    public var phase: Phase
    public var sshPort: Int
    /// Resource limits in words, as enforced: `cpus=4 memory=8g pids=2048`, or why not.
    public var limits: String
    public var started: Timestamp
    /// Names the stay in the sandbox, from this start to its stop, in the audit log.
    public var session: String

    public enum Phase: String, Sendable { case starting, running, stopping }

    public init(
        name: String, container: String, workspace: String, runFolder: String, engine: String, image: String,
        imageID: String, phase: Phase, sshPort: Int, limits: String, started: Timestamp,
        session: String = ""
    ) {
        self.name = name
        self.container = container
        self.workspace = workspace
        self.runFolder = runFolder
        self.engine = engine
        self.image = image
        self.imageID = imageID
        self.phase = phase
        self.sshPort = sshPort
        self.limits = limits
        self.started = started
        self.session = session
    }
}
