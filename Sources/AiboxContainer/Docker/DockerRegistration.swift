import AiboxConfig
import AiboxSystem
import AiboxWire
import Glibc

/// aibox's runtime in the settings of Docker's daemon (`runtimes` of daemon.json, see dockerd(8)).
struct DockerRegistration: Sendable, Equatable {
    /// The program, and the folder in which it looks for requests.
    let command: [String]
    /// The daemon's settings.
    let file: String
    let isRoot: Bool

    static let program = "aibox-docker-runtime"

    init(command: [String], file: String, isRoot: Bool) {
        self.command = command
        self.file = file
        self.isRoot = isRoot
    }

    init(_ context: SandboxContext) throws(AiboxError) {
        let folder = Environment.value("XDG_CONFIG_HOME") ?? context.user.home + "/.config"
        self.init(
            command: [try GatewayExecutable.find(Self.program), context.paths.dockerRequests],
            file: context.host.isRoot ? "/etc/docker/daemon.json" : folder + "/docker/daemon.json",
            isRoot: context.host.isRoot)
    }

    /// The settings that a daemon without others is to have.
    var text: String {
        func quoted(_ text: String) -> String { String(decoding: JSONValue.string(text).bytes, as: UTF8.self) }
        return """
            {
              "runtimes": {
                "\(DockerCreate.runtime)": {
                  "path": \(quoted(command[0])),
                  "runtimeArgs": [\(command.dropFirst().map(quoted).joined(separator: ", "))]
                }
              }
            }

            """
    }

    private var reload: String { isRoot ? "systemctl reload docker" : "systemctl --user reload docker" }

    /// What a person has to do.
    var remedy: String {
        File.exists(file) || isRoot
            ? "add this to \(file), then \(reload):\n"
                + text.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
            : "aibox setup"
    }

    /// Writes the settings where an ordinary user's daemon has none, and has the daemon read them. Settings of somebody's
    /// are left alone: what to add is said.
    ///
    /// - Parameter daemon: dockerd's process.
    func write(daemon: Int32) throws(AiboxError) {
        if isRoot || File.exists(file) {
            throw AiboxError(.layerMissing, "Docker does not know aibox's runtime", remedy: remedy)
        }
        try Folder.make(Path.parent(file))
        try File.replace(file, with: text, mode: 0o644)
        // SIGHUP: dockerd reads its settings again, runtimes among them.
        if kill(daemon, SIGHUP) != 0 { throw .system("cannot tell dockerd to read \(file)", errno: errno) }
    }
}
