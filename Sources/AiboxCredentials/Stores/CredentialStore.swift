public import AiboxSystem

/// A place where credentials are kept.
public protocol CredentialStore: Sendable {
    /// Which one it is, for settings and answers.
    var kind: CredentialStoreKind { get }

    /// Where it is, in a few words: a path, a program, a service.
    var place: String { get }

    /// - Throws: why it cannot be used now. Asks nobody for anything.
    func check() throws(AiboxError)

    /// What it holds, sorted by name.
    func list() throws(AiboxError) -> [Credential]

    /// - Returns: nil if it does not hold it.
    func read(_ name: CredentialName) throws(AiboxError) -> StoredCredential?

    /// Adds or replaces. On return it is where the next boot finds it.
    func write(_ stored: StoredCredential) throws(AiboxError)

    /// - Returns: whether it was there.
    func remove(_ name: CredentialName) throws(AiboxError) -> Bool
}

/// The kinds of store, as settings name them.
public enum CredentialStoreKind: String, Sendable, CaseIterable {
    case environment
    case command
    case vault
    case keyring
    case file

    /// Whether aibox may change what it holds.
    public var isWritable: Bool { self == .keyring || self == .file }

    /// In a sentence.
    public var words: String {
        switch self {
        case .environment: "the environment"
        case .command: "the command"
        case .vault: "Vault"
        case .keyring: "the keyring"
        case .file: "the encrypted file"
        }
    }
}

extension CredentialStore {
    /// The secret alone.
    public func secret(for name: CredentialName) throws(AiboxError) -> Secret? { try read(name)?.secret }

    /// What a store that only hands out says to a change.
    func refuseChange(_ remedy: String) -> AiboxError {
        AiboxError(.usage, "\(kind.words) keeps nothing for aibox", why: "it only hands out", remedy: remedy)
    }
}
