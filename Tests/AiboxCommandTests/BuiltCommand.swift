import AiboxSystem
import AiboxTestSupport
import Glibc

/// The built `aibox` in a home of its own.
struct BuiltCommand {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The executable beside the one that runs the tests.
    static var path: String {
        Path.parent(Path.real("/proc/self/exe") ?? "") + "/aibox"
    }

    var configuration: String { folder.path + "/config/aibox/config.yaml" }

    var environment: [String: String?] {
        [
            "HOME": folder.path, "XDG_CONFIG_HOME": folder.path + "/config", "XDG_STATE_HOME": folder.path + "/state",
            "XDG_RUNTIME_DIR": nil, "NO_COLOR": nil, "DBUS_SESSION_BUS_ADDRESS": nil,
        ]
    }

    func run(_ arguments: String..., variables: [String: String] = [:]) throws -> CommandResult {
        try SystemCommandRunner().run(
            Command(Self.path, arguments, environment: environment.merging(variables) { $1 }))
    }

    /// Runs a POSIX script as root of namespaces of its own, where it may mount; `$1` is aibox, `$2` the folder.
    func runIsolated(_ script: String) throws -> CommandResult {
        try SystemCommandRunner().run(
            Command(
                "unshare", ["--map-root-user", "--mount", "sh", "-euc", script, "sh", Self.path, folder.path],
                environment: environment))
    }
}
