public import AiboxConfig
public import AiboxSystem

/// The stores that the settings ask for, in the order in which they are asked.
public struct CredentialStores: Sendable {
    /// Each store that is asked. Those that only hand out come first.
    public let stores: [any CredentialStore]
    /// What the person has to know: a store that was wanted and does not work, and what takes its place.
    public let notes: [String]

    /// - Throws: if what the settings ask for does not work and nothing may take its place.
    public init(
        _ settings: Configuration.Credentials, of available: AvailableStores
    ) throws(AiboxError) {
        let (environment, command, keyring, file) = (
            available.environment, available.command, available.keyring, available.file
        )
        var stores: [any CredentialStore] = []
        var notes: [String] = []
        switch settings.store {
        case .environment:
            try environment.check()
            stores = [environment]
        case .command:
            guard let command else {
                throw AiboxError(
                    .failed, "credentials.store is command and credentials.command is empty",
                    remedy: "aibox config set credentials.command /PATH/TO/PROGRAM")
            }
            try command.check()
            stores = [command]
        case .file: stores = [file]
        case .vault:
            guard let vault = available.vault else {
                throw AiboxError(.failed, "credentials.store is vault and there is none")
            }
            try vault.check()
            stores = [vault]
        case .keyring:
            do throws(AiboxError) {
                try keyring.check()
                stores = [keyring]
            } catch {
                if settings.fallback != .file { throw error }
                notes.append("\(error.reason); the encrypted file takes its place (credentials.fallback)")
                stores = [file]
            }
        case .auto:
            if environment.isPresent {
                try environment.check()
                stores.append(environment)
            }
            if let command {
                try command.check()
                stores.append(command)
            }
            if let vault = available.vault {
                try vault.check()
                stores.append(vault)
            }
            if keyring.isPresent {
                do throws(AiboxError) {
                    try keyring.check()
                    stores.append(keyring)
                } catch {
                    notes.append("\(error.reason); the encrypted file takes its place")
                }
            }
            stores.append(file)
        }
        self.stores = stores
        self.notes = notes
    }

    /// Stores as they are, for tests and for who made the choice already.
    public init(_ stores: [any CredentialStore]) {
        self.stores = stores
        notes = []
    }

    /// Where `write` puts things: the first that keeps anything.
    public var writable: (any CredentialStore)? { stores.first { $0.kind.isWritable } }

    /// What all of them hold, each name from the store that is asked first, sorted.
    public func list() throws(AiboxError) -> [(credential: Credential, store: CredentialStoreKind)] {
        var found: [CredentialName: (credential: Credential, store: CredentialStoreKind)] = [:]
        for store in stores {
            for credential in try store.list() where found[credential.name] == nil {
                found[credential.name] = (credential, store.kind)
            }
        }
        return found.values.sorted { $0.credential.name < $1.credential.name }
    }

    /// The credential and the store that gave it; nil if none has it.
    ///
    /// - Throws: also if a store that is asked earlier does not answer: an older value elsewhere is not taken in silence.
    public func read(_ name: CredentialName) throws(AiboxError) -> (
        stored: StoredCredential, store: CredentialStoreKind
    )? {
        for store in stores {
            if let stored = try store.read(name) { return (stored, store.kind) }
        }
        return nil
    }

    /// The secret alone.
    public func secret(for name: CredentialName) throws(AiboxError) -> Secret? { try read(name)?.stored.secret }

    /// Puts it into the first store that keeps anything, and out of the others, where it would be out of date.
    ///
    /// - Returns: the store.
    public func write(_ stored: StoredCredential) throws(AiboxError) -> CredentialStoreKind {
        guard let target = writable else {
            throw stores[0].refuseChange("aibox config set credentials.store auto")
        }
        try stored.secret.requireReal()
        try target.write(stored)
        for store in stores where store.kind.isWritable && store.kind != target.kind {
            _ = try store.remove(stored.credential.name)
        }
        return target.kind
    }

    /// Takes it out of every store that keeps anything.
    ///
    /// - Returns: the stores that had it.
    public func remove(_ name: CredentialName) throws(AiboxError) -> [CredentialStoreKind] {
        var had: [CredentialStoreKind] = []
        for store in stores where store.kind.isWritable {
            if try store.remove(name) { had.append(store.kind) }
        }
        return had
    }
}
