import AiboxState
import AiboxSystem
import AiboxTestSupport

/// A home of a person's, in whose state a running gateway's sandbox stands as after `aibox start`: for commands that ask it.
struct LiveHome {
    let folder: TemporaryFolder

    init(_ gateway: LiveGateway, name: String) throws {
        folder = try TemporaryFolder(prefix: "aibox-home")
        try Self.record(name, runFolder: gateway.runFolder, in: folder.path + "/state/aibox", folder.path)
    }

    static func record(_ name: String, runFolder: String, in state: String, _ workspace: String) throws {
        try Folder.makePrivate(state)
        try SandboxStore(path: state + "/state.db").save(
            SandboxRecord(
                name: name, container: "aibox-\(name)", workspace: workspace, runFolder: runFolder,
                engine: "crun", image: "none", imageID: "none", phase: .running, sshPort: 0, limits: "",
                started: Timestamp.now, session: "test"))
    }

    func aibox(_ arguments: String..., input: String = "") throws -> CommandResult {
        let environment: [String: String?] = [
            "HOME": folder.path, "XDG_CONFIG_HOME": folder.path + "/config", "XDG_STATE_HOME": folder.path + "/state",
            "XDG_RUNTIME_DIR": nil, "DBUS_SESSION_BUS_ADDRESS": nil,
        ]
        return try SystemCommandRunner().run(
            Command(
                Path.parent(Path.real("/proc/self/exe") ?? "") + "/aibox", arguments, environment: environment,
                input: Array(input.utf8)), timeout: .seconds(60))
    }
}
