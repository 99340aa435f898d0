public import AiboxSystem
import Glibc

/// The `aibox` that was built beside the tests, run as a user runs it: settings and state of its own in a
/// folder that goes with this value, everything else the user's.
public final class AiboxProgram: Sendable {
    public let path: String
    public let home: TemporaryFolder
    private let environment: [String: String?]

    public init(orgPolicy: String? = nil, settings: [String: String] = [:]) throws(AiboxError) {
        guard let own = Path.real("/proc/self/exe") else {
            throw AiboxError(.failed, "cannot find the folder of the tests")
        }
        path = Path.parent(own) + "/aibox"
        guard File.exists(path) else {
            throw AiboxError(.failed, "\(path) is missing", remedy: "swift build --product aibox")
        }
        home = try TemporaryFolder(prefix: "aibox-home")
        var environment: [String: String?] = ["XDG_STATE_HOME": home.path + "/state"]
        for (name, value) in settings { environment[name] = value }
        self.environment = environment
        if let orgPolicy { try home.write("org-policy.yaml", orgPolicy) }
    }

    /// The command as a value. The organisation's policy is the home's, if it has one by now, and the embedded one otherwise.
    public func command(_ arguments: [String], in folder: String? = nil, input: [UInt8] = []) -> Command {
        var environment = environment
        let policy = home.path + "/org-policy.yaml"
        if File.exists(policy) { environment["AIBOX_POLICY_ORG_BASELINE_PATH"] = policy }
        return Command(path, arguments, environment: environment, directory: folder ?? home.path, input: input)
    }

    /// Runs `aibox ARGUMENTS` to its end.
    @discardableResult
    public func run(
        _ arguments: String..., in folder: String? = nil, input: [UInt8] = [], timeout: Duration = .seconds(120)
    ) throws(AiboxError) -> CommandResult {
        try SystemCommandRunner().run(command(arguments, in: folder, input: input), timeout: timeout)
    }
}
