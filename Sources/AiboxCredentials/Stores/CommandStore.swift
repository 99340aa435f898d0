public import AiboxSystem
import AiboxWire

/// Credentials that a program of the user's or the organisation's hands out: `PROGRAM ... get NAME` and
/// `PROGRAM ... list`, which answer with one JSON document on standard output.
///
/// `get`: `{"version": 1, "secret": "...", "hosts": ["HOST", ...], "user": "...", "place": "...", "expires": SECONDS}`,
/// of which all but `version` may be missing; without `secret` there is no such credential. `list`:
/// `{"version": 1, "credentials": ["NAME", ...]}`. Standard error is for people and is shown when it fails.
public struct CommandStore: CredentialStore {
    public let kind = CredentialStoreKind.command
    private let command: [String]
    private let timeout: Duration
    private let runner: any CommandRunner

    /// - Parameter command: the program, with an absolute path, and its arguments.
    public init(_ command: [String], timeout: Duration, runner: any CommandRunner = SystemCommandRunner()) {
        self.command = command
        self.timeout = timeout
        self.runner = runner
    }

    public var place: String { command.map(ShellQuoting.quoted).joined(separator: " ") }

    public func check() throws(AiboxError) {
        guard let program = command.first, program.hasPrefix("/") else {
            throw AiboxError(
                .failed, "credentials.command cannot be used", why: "it does not begin with an absolute path",
                remedy: "aibox config set credentials.command /PATH/TO/PROGRAM")
        }
        if ExecutableSearch.find(program) == nil {
            throw AiboxError(.failed, "credentials.command cannot be used", why: "there is no program \(program)")
        }
    }

    public func list() throws(AiboxError) -> [Credential] {
        var fields = try answer(["list"])
        do {
            let names = try fields.texts("credentials")
            try fields.finish()
            return try names.map { try Credential(try CredentialName($0)) }.sorted { $0.name < $1.name }
        } catch { throw odd("it is no list of names") }
    }

    public func read(_ name: CredentialName) throws(AiboxError) -> StoredCredential? {
        var fields = try answer(["get", name.description])
        do {
            guard let text = try fields.optionalString("secret") else {
                try fields.finish()
                return nil
            }
            let credential = try Credential(
                name, destinations: try (fields.optionalTexts("hosts") ?? []).map { try CredentialDestination($0) },
                user: try fields.optionalString("user"),
                place: try fields.optionalString("place").map { try CredentialPlace($0) },
                expires: try fields.optionalInteger("expires").map { Timestamp(seconds: $0) })
            try fields.finish()
            return StoredCredential(credential, try Secret(text))
        } catch { throw odd("a member is missing, unknown or of the wrong kind") }
    }

    public func write(_ stored: StoredCredential) throws(AiboxError) {
        throw refuseChange("add it where \(command.first ?? "the program") takes it from")
    }

    public func remove(_ name: CredentialName) throws(AiboxError) -> Bool {
        throw refuseChange("remove it where \(command.first ?? "the program") takes it from")
    }

    private func answer(_ request: [String]) throws(AiboxError) -> WireFields {
        try check()
        let result = try runner.run(
            Command(command[0], Array(command.dropFirst()) + request), timeout: timeout)
        guard result.succeeded else {
            let said = result.errorText.split(separator: "\n").suffix(3).joined(separator: "; ")
            throw AiboxError(
                .failed, "credentials.command failed",
                why: said.isEmpty ? "\(command[0]) ended with status \(result.termination.status)" : said)
        }
        // Whatever is wrong with the answer, it is not repeated: the secret is in it.
        do {
            var fields = try WireFields(
                try JSONParser.parse(result.output, limits: .init(size: 2 * Secret.longest)), in: "credential")
            guard try fields.integer("version") as Int == 1 else { throw fields.error("another version") }
            return fields
        } catch { throw odd("it is no JSON document of version 1") }
    }

    private func odd(_ why: String) -> AiboxError {
        AiboxError(
            .failed, "the answer of credentials.command cannot be used", why: why,
            remedy: "docs/credentials.md says what it has to print")
    }
}
