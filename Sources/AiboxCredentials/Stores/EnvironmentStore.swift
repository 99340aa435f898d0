public import AiboxSystem
import Glibc

/// Credentials in `AIBOX_GIT_TOKEN`, `AIBOX_LLM_API_KEY` and `AIBOX_MIRROR_TOKEN` of aibox's own environment on the host,
/// for machines without a person, such as CI. Whom each is for stands in a second variable.
public struct EnvironmentStore: CredentialStore {
    public let kind = CredentialStoreKind.environment
    public let place = "AIBOX_* variables"
    private let stored: [StoredCredential]
    private let problem: AiboxError?

    /// Whether any of the variables is set.
    public let isPresent: Bool

    private static let secrets: [(variable: String, owner: String, type: CredentialType)] = [
        ("AIBOX_GIT_TOKEN", "AIBOX_GIT_HOST", .git),
        ("AIBOX_LLM_API_KEY", "AIBOX_LLM_PROVIDER", .llm),
        ("AIBOX_MIRROR_TOKEN", "AIBOX_MIRROR_HOST", .mirror),
    ]
    /// Names of variables that no program needs which aibox starts.
    public static let secretVariables = secrets.map(\.variable)
    private static let llmHost = "AIBOX_LLM_HOST"

    /// - Parameter environment: the variables. Inside a sandbox (`AIBOX_SANDBOX` is set) they hold stand-ins and are left.
    public init(_ environment: [String: String]) {
        var stored: [StoredCredential] = []
        var problem: AiboxError?
        let isInside = environment["AIBOX_SANDBOX"] != nil
        for (variable, owner, type) in Self.secrets {
            guard !isInside, let value = environment[variable], !value.isEmpty else { continue }
            do throws(AiboxError) {
                guard let whose = environment[owner], !whose.isEmpty else {
                    throw AiboxError(
                        .usage, "\(variable) is set and \(owner) is not", remedy: "set \(owner) to whom it is for")
                }
                let hosts = type == .llm ? environment[Self.llmHost] : nil
                let credential = try Credential(
                    try CredentialName(type.rawValue + ":" + whose),
                    destinations: hosts.map { host throws(AiboxError) in [try CredentialDestination(host)] } ?? [])
                let secret = try Secret(value)
                try secret.requireReal()
                stored.append(StoredCredential(credential, secret))
            } catch {
                problem = AiboxError(.usage, "cannot use \(variable)", why: error.reason, remedy: error.remedy)
            }
        }
        self.stored = stored.sorted { $0.credential.name < $1.credential.name }
        self.problem = problem
        isPresent = !stored.isEmpty || problem != nil
    }

    /// Takes the variables out of this process's environment, so that no program it starts inherits them and
    /// `/proc/PID/environ` has asterisks in their place.
    public static func takenFromProcess() -> EnvironmentStore {
        guard secretVariables.contains(where: { getenv($0) != nil }) else { return EnvironmentStore([:]) }
        let store = EnvironmentStore(Environment.all)
        guard store.isPresent else { return store }
        for variable in secretVariables {
            // environ(7): the strings that execve(2) put there, which unsetenv(3) alone leaves where they are.
            if let value = getenv(variable) { memset(value, Int32(UInt8(ascii: "*")), strlen(value)) }
            unsetenv(variable)
        }
        return store
    }

    public func check() throws(AiboxError) { if let problem { throw problem } }

    public func list() throws(AiboxError) -> [Credential] {
        try check()
        return stored.map(\.credential)
    }

    public func read(_ name: CredentialName) throws(AiboxError) -> StoredCredential? {
        try check()
        return stored.first { $0.credential.name == name }
    }

    public func write(_ stored: StoredCredential) throws(AiboxError) { throw refuseChange("set the variable yourself") }

    public func remove(_ name: CredentialName) throws(AiboxError) -> Bool { throw refuseChange("unset the variable") }
}
