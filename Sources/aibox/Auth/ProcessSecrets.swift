import AiboxCredentials
import AiboxSystem

/// The secrets that came in this process's environment.
enum ProcessSecrets {
    /// Taken out of it: no program inherits them.
    static let store = EnvironmentStore.takenFromProcess()

    /// At the beginning of every command, before any program is started. With a secret in it the process closes its memory.
    static func take() throws(AiboxError) {
        if store.isPresent { try ProcessLockDown.closeMemory() }
    }
}
