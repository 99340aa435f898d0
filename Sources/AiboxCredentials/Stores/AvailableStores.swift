public import AiboxConfig
public import AiboxSystem

/// The stores of this machine and session, each with the settings that it needs, whether it works or not.
public struct AvailableStores: Sendable {
    public let environment: EnvironmentStore
    /// Nil where the settings name none.
    public let command: CommandStore?
    /// Nil where the settings name no Vault.
    public let vault: VaultStore?
    public let keyring: SecretServiceStore
    public let file: EncryptedFileStore

    public init(
        environment: EnvironmentStore, command: CommandStore?, keyring: SecretServiceStore, file: EncryptedFileStore,
        vault: VaultStore? = nil
    ) {
        self.environment = environment
        self.command = command
        self.vault = vault
        self.keyring = keyring
        self.file = file
    }

    /// - Parameters:
    ///   - environment: best `EnvironmentStore.takenFromProcess()`, before any program is started.
    ///   - ask: for the passphrase of the encrypted file, only where one opens it.
    /// - Throws: if the settings ask for a Vault and do not say all that it needs.
    public init(
        _ settings: Configuration.Credentials, paths: Paths, environment: EnvironmentStore,
        ask: @escaping @Sendable (EncryptedFileStore.PassphraseQuestion) throws(AiboxError) -> Secret
    ) throws(AiboxError) {
        let isVaultWanted = settings.store == .vault || settings.store == .auto && !settings.vaultAddress.isEmpty
        self.init(
            environment: environment,
            command: settings.command.isEmpty
                ? nil : CommandStore(settings.command, timeout: .seconds(settings.commandTimeout)),
            keyring: SecretServiceStore(environment: Environment.all),
            file: EncryptedFileStore(
                path: paths.credentials, keyPath: paths.credentialKey, usesPassphrase: settings.passphrase, ask: ask),
            vault: isVaultWanted ? try VaultStore(settings, paths: paths) : nil)
    }

    /// Of one kind.
    public struct State: Sendable {
        public let kind: CredentialStoreKind
        public let place: String
        /// What keeps it from being used now; nil if nothing does.
        public let problem: AiboxError?
        /// Who it is used as, and until when, where that is known.
        public var identity: String?
    }

    /// Every kind. Asks the SPIFFE Workload API where a login needs it, nobody else.
    public var states: [State] {
        func problem(_ store: any CredentialStore) -> AiboxError? {
            do throws(AiboxError) { try store.check() } catch { return error }
            return nil
        }
        let unset = AiboxError(.failed, "no variable is set")
        let none = AiboxError(.failed, "credentials.command is empty")
        let noVault = AiboxError(.failed, "the settings do not ask for it")
        return [
            State(
                kind: .environment, place: environment.place,
                problem: environment.isPresent ? problem(environment) : unset),
            State(kind: .command, place: command?.place ?? "-", problem: command.map(problem) ?? none),
            vault.map(Self.state) ?? State(kind: .vault, place: "-", problem: noVault),
            State(kind: .keyring, place: keyring.place, problem: problem(keyring)),
            State(kind: .file, place: file.place, problem: problem(file)),
        ]
    }

    private static func state(_ vault: VaultStore) -> State {
        do throws(AiboxError) {
            try vault.check()
            return State(kind: .vault, place: vault.place, problem: nil, identity: try vault.identity())
        } catch { return State(kind: .vault, place: vault.place, problem: error) }
    }
}
