import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxCredentials
import AiboxSystem
import Glibc

/// The places of `audit.checkpoint_places`, and the process that serves them.
struct CheckpointPlaces {
    let addresses: [PlaceAddress]

    init(_ global: GlobalOptions) throws {
        // Held to the pins: the organisation may say where checkpoints go.
        try self.init(try global.context(pinned: true, evenExpired: true).configuration)
    }

    init(_ configuration: Configuration) throws(AiboxError) {
        var addresses: [PlaceAddress] = []
        for text in configuration.audit.checkpointPlaces { addresses.append(try PlaceAddress(text)) }
        self.addresses = addresses
    }

    /// Starts the process that delivers, unless there is nothing to deliver to. Nothing waits for it; where one runs
    /// already, the new one ends at once. What the command did stands, whatever becomes of this.
    func wake(_ global: GlobalOptions) {
        guard !addresses.isEmpty, let own = Path.real("/proc/self/exe") else { return }
        do throws(AiboxError) {
            let null = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDWR | O_CLOEXEC) })
            let file = global.configurationFile.map { ["--config", Paths.current.absolute($0, base: Path.current)] }
            _ = try ChildProcess.start(
                Command(
                    own, ["audit", "deliver", "--while-running"] + (file ?? []), environment: Self.environment,
                    directory: "/"),
                descriptors: [null.number, null.number, null.number], options: .newSession)
        } catch {
            global.output.note("aibox: checkpoints stay on this machine until aibox audit deliver: \(error.reason)")
        }
    }

    /// What git, S3 and the configuration need; keys of language models and the like are left out.
    private static var environment: [String: String?] {
        let kept: Set<String> = ["HOME", "LANG", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "TMPDIR", "TZ", "USER"]
        let starts = ["AIBOX_", "AWS_", "GIT_", "SSL_CERT_", "XDG_"]
        var changes: [String: String?] = [:]
        for name in Environment.all.keys where !kept.contains(name) && !starts.contains(where: { name.hasPrefix($0) }) {
            changes[name] = .some(nil)
        }
        for name in EnvironmentStore.secretVariables { changes[name] = .some(nil) }
        return changes
    }

    /// For `status` and `doctor`.
    func standings(_ folder: String) throws(AiboxError) -> [PlaceStanding] {
        try PlaceStanding.all(folder: folder, addresses)
    }
}
