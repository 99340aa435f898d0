import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxCredentials
import AiboxSystem

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
        if addresses.isEmpty { return }
        do throws(AiboxError) {
            try BackgroundCommand.start(["audit", "deliver", "--while-running"], global, keeping: Self.isKept)
        } catch {
            global.output.note("aibox: checkpoints stay on this machine until aibox audit deliver: \(error.reason)")
        }
    }

    /// What git, S3 and the configuration need; keys of language models and the like are left out.
    private static func isKept(_ variable: String) -> Bool {
        if EnvironmentStore.secretVariables.contains(variable) { return false }
        let kept: Set<String> = ["HOME", "LANG", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "TMPDIR", "TZ", "USER"]
        let starts = ["AIBOX_", "AWS_", "GIT_", "SSL_CERT_", "XDG_"]
        return kept.contains(variable) || starts.contains { variable.hasPrefix($0) }
    }

    /// For `status` and `doctor`.
    func standings(_ folder: String) throws(AiboxError) -> [PlaceStanding] {
        try PlaceStanding.all(folder: folder, addresses)
    }
}
