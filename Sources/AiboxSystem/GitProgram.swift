/// The `git` program for repositories of others: nobody is there to be asked for a password, only known transports are
/// used, and nothing that a repository brings along is run.
public struct GitProgram: Sendable {
    /// For each command.
    public var timeout: Duration
    /// Variables set on top.
    public var variables: [String: String]

    public init(timeout: Duration = .seconds(60), variables: [String: String] = [:]) {
        self.timeout = timeout
        self.variables = variables
    }

    /// Runs `git ARGUMENTS`, in a bare repository or in none.
    public func run(
        _ arguments: [String], in folder: String?, environment: [String: String] = [:], input: [UInt8] = []
    ) throws(AiboxError) -> CommandResult {
        var all: [String: String?] = [
            "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true", "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": "https:ssh:file", "GIT_DIR": nil, "GIT_WORK_TREE": nil, "GIT_INDEX_FILE": nil,
        ]
        if Environment.value("GIT_SSH_COMMAND") == nil {
            all["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=10"
        }
        for (name, value) in variables { all[name] = value }
        for (name, value) in environment { all[name] = value }
        let settings = ["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false"]
        return try SystemCommandRunner().run(
            Command(
                "git", settings + (folder.map { ["--git-dir", $0] } ?? []) + arguments, environment: all,
                directory: "/", input: input), timeout: timeout)
    }

    /// As `run`; a failing exit status is an error named `what`.
    @discardableResult
    public func require(
        _ arguments: [String], in folder: String?, environment: [String: String] = [:], input: [UInt8] = [],
        _ what: @autoclosure () -> String
    ) throws(AiboxError) -> CommandResult {
        let result = try run(arguments, in: folder, environment: environment, input: input)
        if result.succeeded { return result }
        throw AiboxError(.failed, what(), why: Self.words(result))
    }

    /// What git said last.
    public static func words(_ result: CommandResult) -> String {
        SafeText.escaped(result.errorText.split(separator: "\n").suffix(3).joined(separator: "; "))
    }
}
