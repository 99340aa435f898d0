public import AiboxSystem

/// Credentials in the desktop's keyring: GNOME Keyring, KWallet or whatever answers for `org.freedesktop.secrets`
/// (freedesktop.org, Secret Service API), through libsecret's `secret-tool`.
///
/// An item's secret is the whole record as JSON on one line, so that hosts and place cannot be changed without it; its
/// attributes are `service aibox` and `credential NAME`. Secrets go to the tool over standard input.
public struct SecretServiceStore: CredentialStore {
    public let kind = CredentialStoreKind.keyring
    private let runner: any CommandRunner
    private let environment: [String: String]
    private let timeout: Duration

    /// - Parameters:
    ///   - environment: that of this process; tells whether there is a session bus.
    ///   - timeout: for each use; a keyring that is locked asks the person meanwhile.
    public init(
        runner: any CommandRunner = SystemCommandRunner(), environment: [String: String],
        timeout: Duration = .seconds(60)
    ) {
        self.runner = runner
        self.environment = environment
        self.timeout = timeout
    }

    public var place: String { "the Secret Service of this session" }

    /// Whether there is anything to ask: the program and a session's bus.
    public var isPresent: Bool { absence == nil }

    private var absence: AiboxError? {
        if ExecutableSearch.find(Self.tool, path: environment["PATH"]) == nil {
            return AiboxError(
                .failed, "the keyring cannot be used", why: "there is no secret-tool on this machine",
                remedy: "apt install libsecret-tools")
        }
        let folder = environment["XDG_RUNTIME_DIR"] ?? ""
        let isThere =
            !(environment["DBUS_SESSION_BUS_ADDRESS"] ?? "").isEmpty
            || (!folder.isEmpty && File.exists(folder + "/bus"))
        if isThere { return nil }
        return AiboxError(
            .failed, "the keyring cannot be used", why: "this session has no D-Bus",
            remedy: "log in to a desktop, or aibox config set credentials.store file")
    }

    public func check() throws(AiboxError) {
        if let absence { throw absence }
        // A search asks nobody, an unlock would.
        _ = try search(["service", Self.service, Self.attribute, "-"], timeout: .seconds(10))
        try requireUnlocked()
    }

    /// Where nobody can be asked for its password, the keyring has to be open already. Asked with dbus-send(1), for which
    /// secret-tool has no word; without that program it shows later.
    private func requireUnlocked() throws(AiboxError) {
        let hasDisplay = ["DISPLAY", "WAYLAND_DISPLAY"].contains { !(environment[$0] ?? "").isEmpty }
        if hasDisplay || ExecutableSearch.find("dbus-send") == nil { return }
        let answer = try runner.run(
            Command(
                "dbus-send",
                [
                    "--session", "--print-reply", "--dest=org.freedesktop.secrets",
                    "/org/freedesktop/secrets/aliases/default", "org.freedesktop.DBus.Properties.Get",
                    "string:org.freedesktop.Secret.Collection", "string:Locked",
                ]), timeout: .seconds(10))
        if answer.succeeded, answer.text.contains("boolean false") { return }
        throw AiboxError(
            .failed, "the keyring cannot be used",
            why: "it is locked, and this session has no display to ask for its password",
            remedy: "unlock it, or aibox config set credentials.store file")
    }

    public func list() throws(AiboxError) -> [Credential] {
        if let absence { throw absence }
        let found = try search(["--all", "--unlock", "service", Self.service], timeout: timeout)
        return Set(found.map(\.credential.name)).sorted().compactMap { name in
            found.first { $0.credential.name == name }?.credential
        }
    }

    public func read(_ name: CredentialName) throws(AiboxError) -> StoredCredential? {
        if let absence { throw absence }
        let result = try run(["lookup"] + Self.attributes(name))
        if !result.succeeded {
            // Not there: status 1 and not a word.
            if result.errorOutput.isEmpty { return nil }
            throw failure(result)
        }
        var bytes = result.output[...]
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard let stored = StoredCredential(record: bytes), stored.credential.name == name else {
            throw AiboxError(
                .integrity, "the keyring's entry of \(name) cannot be used", why: "aibox did not write it",
                remedy: "aibox auth remove \(name), then add it again")
        }
        return stored
    }

    public func write(_ stored: StoredCredential) throws(AiboxError) {
        if let absence { throw absence }
        let name = stored.credential.name
        let result = try run(["store", "--label=aibox \(name)"] + Self.attributes(name), input: stored.record())
        if !result.succeeded { throw failure(result) }
        guard try read(name) == stored else {
            throw AiboxError(
                .failed, "the keyring did not keep \(name)", why: "it answers with something else",
                remedy: "aibox config set credentials.store file")
        }
    }

    public func remove(_ name: CredentialName) throws(AiboxError) -> Bool {
        if let absence { throw absence }
        let present = try run(["lookup"] + Self.attributes(name))
        if !present.succeeded {
            if present.errorOutput.isEmpty { return false }
            throw failure(present)
        }
        let result = try run(["clear"] + Self.attributes(name))
        if !result.succeeded { throw failure(result) }
        guard try !run(["lookup"] + Self.attributes(name)).succeeded else {
            throw AiboxError(.failed, "the keyring still has \(name)")
        }
        return true
    }

    // MARK: - secret-tool

    private static let tool = "secret-tool"
    private static let service = "aibox"
    private static let attribute = "credential"

    private static func attributes(_ name: CredentialName) -> [String] {
        ["service", service, attribute, name.description]
    }

    /// The records that a search prints, each in a line `secret = ...`. What aibox did not write is none of its business.
    private func search(_ arguments: [String], timeout: Duration) throws(AiboxError) -> [StoredCredential] {
        let result = try run(["search"] + arguments, timeout: timeout)
        if !result.succeeded {
            if result.errorOutput.isEmpty { return [] }
            throw failure(result)
        }
        let start = Array("secret = ".utf8)
        return result.output.split(separator: UInt8(ascii: "\n")).compactMap { line in
            line.starts(with: start) ? StoredCredential(record: line.dropFirst(start.count)) : nil
        }
    }

    private func run(_ arguments: [String], input: [UInt8] = [], timeout: Duration? = nil) throws(AiboxError)
        -> CommandResult
    {
        let command = Command(
            Self.tool, arguments, environment: ["LC_ALL": "C", "G_MESSAGES_DEBUG": nil], input: input)
        do throws(AiboxError) { return try runner.run(command, timeout: timeout ?? self.timeout) } catch {
            throw AiboxError(
                .failed, "the keyring does not answer", why: error.why,
                remedy: "unlock it, or aibox config set credentials.store file")
        }
    }

    /// The tool's own words, which never hold a secret: it prints one to standard output only.
    private func failure(_ result: CommandResult) -> AiboxError {
        AiboxError(
            .failed, "the keyring cannot be used",
            why: result.errorText.split(separator: "\n").last.map(String.init) ?? "secret-tool failed",
            remedy: "unlock it, or aibox config set credentials.store file")
    }
}
