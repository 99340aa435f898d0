import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxCredentials
import AiboxSystem
import AiboxWire
import ArgumentParser

/// The stores that the settings ask for, and the record of what is changed in them.
struct AuthStores {
    let stores: CredentialStores
    /// The settings that made them, by their names.
    let settings: [String: String]
    private let audit: CommandAudit
    /// Where every model is asked; empty: at its provider's.
    private let modelGateway: String
    private let database: String

    init(_ global: GlobalOptions) throws(AiboxError) {
        let layers = global.layers()
        let configuration = try layers.load().configuration
        let settings = configuration.credentials
        modelGateway = configuration.network.llmGateway
        database = layers.paths.stateDatabase
        self.settings = settings.texts
        stores = try CredentialStores(settings, of: try Self.available(global, settings))
        audit = CommandAudit(global: global)
        for note in stores.notes { global.output.note("note: " + note) }
    }

    static func available(_ global: GlobalOptions, _ settings: Configuration.Credentials) throws(AiboxError)
        -> AvailableStores
    {
        // The one way to all secrets: from here on nobody reads this process, and it leaves no core dump.
        try ProcessLockDown.closeMemory()
        return try AvailableStores(settings, paths: global.layers().paths, environment: ProcessSecrets.store) {
            (question) throws(AiboxError) in
            switch question {
            case .open: return try SecretPrompt.ask("Passphrase of the credentials")
            case .choose:
                let first = try SecretPrompt.ask("New passphrase of the credentials")
                guard try SecretPrompt.ask("The same again") == first else {
                    throw AiboxError(.usage, "the two passphrases differ", remedy: "run the command again")
                }
                return first
            }
        }
    }

    /// Writes a change into the log, makes it, and writes what became of it if that failed (P7).
    func recording<Result>(
        _ type: AuditEventType, _ name: CredentialName, reason: String, _ change: () throws(AiboxError) -> Result
    ) throws(AiboxError) -> Result {
        var details: JSONObject = ["kind": .string(name.type.kind), "reason": .string(reason)]
        details["store"] = (stores.writable?.kind.rawValue).map { .string($0) }
        try audit.record(type, subject: name.description, details)
        do throws(AiboxError) { return try change() } catch {
            details["reason"] = .string(error.reason)
            try audit.record(type, subject: name.description, outcome: .failure, details)
            throw error
        }
    }

    /// The secret that a start would take now; nil: there is none, or it comes from Vault, which the keepers of sandboxes follow.
    func current(_ name: CredentialName) throws(AiboxError) -> (stored: StoredCredential?, isVaults: Bool) {
        for store in stores.stores {
            if store.kind == .vault {
                if try store.list().contains(where: { $0.name == name }) { return (nil, true) }
            } else if let stored = try store.read(name) {
                return (stored, false)
            }
        }
        return (nil, false)
    }

    /// Makes running sandboxes follow: they take what a start would take now, or lose it.
    func tellSandboxes(_ name: CredentialName, _ stored: StoredCredential?) throws(AiboxError) -> LentCredential {
        let change =
            try stored?.change(modelGateway: modelGateway) ?? CredentialChange(name: name.description)
        return try LentCredential(change, database: database)
    }

    /// The name of one that is there: as it is, or by its type where that has one only.
    func known(_ text: String) throws(AiboxError) -> (credential: Credential, store: CredentialStoreKind) {
        let all = try stores.list()
        let found: [(credential: Credential, store: CredentialStoreKind)]
        if let type = CredentialType(rawValue: text) {
            found = all.filter { $0.credential.name.type == type }
        } else {
            let name = try CredentialName(text)
            found = all.filter { $0.credential.name == name }
        }
        if found.count == 1 { return found[0] }
        let names = (found.isEmpty ? all : found).map(\.credential.name.description).joined(separator: ", ")
        throw AiboxError(
            found.isEmpty ? .failed : .usage,
            found.isEmpty ? "there is no such credential" : "there is more than one such credential",
            remedy: names.isEmpty ? "aibox auth add TYPE:WHICH adds one" : "there are: " + names)
    }
}

extension CompletionKind {
    /// The beginnings of names.
    static var credentials: CompletionKind {
        .list(["git-token:", "mirror-token:", "custom:"] + LLMProvider.allCases.map { "llm-api-key:" + $0.rawValue })
    }
}
