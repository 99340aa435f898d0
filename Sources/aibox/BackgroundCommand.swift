import AiboxConfig
import AiboxSystem
import Glibc

/// A command of aibox's own that goes on in the background, whatever becomes of the one that starts it.
enum BackgroundCommand {
    /// - Parameter isKept: whether it gets a variable of the environment.
    static func start(
        _ words: [String], _ global: GlobalOptions, keeping isKept: (String) -> Bool
    ) throws(AiboxError) {
        guard let own = Path.real("/proc/self/exe") else { return }
        let null = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDWR | O_CLOEXEC) })
        let file = global.configurationFile.map { ["--config", Paths.current.absolute($0, base: Path.current)] }
        var environment: [String: String?] = [:]
        for name in Environment.all.keys where !isKept(name) { environment[name] = .some(nil) }
        _ = try ChildProcess.start(
            Command(own, words + (file ?? []), environment: environment, directory: "/"),
            descriptors: [null.number, null.number, null.number], options: .newSession)
    }
}
