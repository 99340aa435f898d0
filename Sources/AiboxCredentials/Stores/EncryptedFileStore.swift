public import AiboxCrypto
public import AiboxSystem
import Glibc
import Synchronization

/// Credentials in one encrypted file, for machines without a keyring (docs/credentials.md has the format).
public final class EncryptedFileStore: CredentialStore {
    public let kind = CredentialStoreKind.file
    /// The file; beside it lie `.bak`, the state before the last change, and an empty lock.
    public let path: String
    private let keyPath: String
    private let usesPassphrase: Bool
    private let scrypt: Scrypt
    private let ask: @Sendable (PassphraseQuestion) throws(AiboxError) -> Secret
    /// The passphrase, so that it is asked for once.
    private let answered = Mutex<Secret?>(nil)

    /// What a passphrase is wanted for.
    public enum PassphraseQuestion: Sendable, Equatable {
        case open
        /// A new one, best asked for twice.
        case choose
    }

    /// - Parameters:
    ///   - keyPath: the file of the random key. In another folder than `path`, so that a copy of one is not a copy of both.
    ///   - usesPassphrase: what the file is written with from now on; it is read by what it was written with.
    public init(
        path: String, keyPath: String, usesPassphrase: Bool = false, scrypt: Scrypt = Scrypt(),
        ask: @escaping @Sendable (PassphraseQuestion) throws(AiboxError) -> Secret
    ) {
        self.path = path
        self.keyPath = keyPath
        self.usesPassphrase = usesPassphrase
        self.scrypt = scrypt
        self.ask = ask
    }

    public var place: String { path }

    public func check() throws(AiboxError) {
        if let bytes = try PrivateFile.read(path, limit: SealedCredentials.largest) {
            guard try SealedCredentials.source(of: bytes, path: path) == .file else { return }
            _ = try SealedCredentials(bytes, key: try fileKey(), path: path)
        } else {
            _ = try CredentialKey.read(keyPath)
        }
    }

    public func list() throws(AiboxError) -> [Credential] {
        try load()?.file.entries.map(\.credential) ?? []
    }

    public func read(_ name: CredentialName) throws(AiboxError) -> StoredCredential? {
        guard let (file, key) = try load(), let entry = file.entries.first(where: { $0.credential.name == name }) else {
            return nil
        }
        return StoredCredential(entry.credential, try file.secret(entry, key: key, path: path))
    }

    public func write(_ stored: StoredCredential) throws(AiboxError) {
        try change(keepsBackup: true) { (file, key) throws(AiboxError) in try file.put(stored, key: key) }
    }

    public func remove(_ name: CredentialName) throws(AiboxError) -> Bool {
        if try load()?.file.entries.contains(where: { $0.credential.name == name }) != true { return false }
        // The former state still has the secret in it.
        try change(keepsBackup: false) { (file, _) throws(AiboxError) in
            file.entries.removeAll { $0.credential.name == name }
        }
        return true
    }

    // MARK: - Reading

    private func load() throws(AiboxError) -> (file: SealedCredentials, key: CredentialKey)? {
        removeLeftBehind()
        return try loadAsItIs()
    }

    private func loadAsItIs() throws(AiboxError) -> (file: SealedCredentials, key: CredentialKey)? {
        guard let bytes = try PrivateFile.read(path, limit: SealedCredentials.largest) else { return nil }
        let key = try key(try SealedCredentials.source(of: bytes, path: path), .open)
        do throws(AiboxError) {
            return (try SealedCredentials(bytes, key: key, path: path), key)
        } catch {
            answered.withLock { $0 = nil }
            throw error
        }
    }

    private func key(
        _ source: SealedCredentials.KeySource, _ question: PassphraseQuestion
    ) throws(AiboxError) -> CredentialKey {
        switch source {
        case .file: return try fileKey()
        case .passphrase(let scrypt, let salt):
            let passphrase: Secret
            if let known = answered.withLock({ $0 }) { passphrase = known } else { passphrase = try ask(question) }
            answered.withLock { $0 = passphrase }
            return try CredentialKey.derive(passphrase, scrypt, salt: salt)
        }
    }

    private func fileKey() throws(AiboxError) -> CredentialKey {
        if let key = try CredentialKey.read(keyPath) { return key }
        throw AiboxError(
            .integrity, "\(path) cannot be opened", why: "its key \(keyPath) is not there",
            remedy: "put the key back, or remove \(path) and add the credentials again")
    }

    // MARK: - Changing

    private func change(
        keepsBackup: Bool, _ body: (inout SealedCredentials, CredentialKey) throws(AiboxError) -> Void
    ) throws(AiboxError) {
        // Whatever has to be asked is asked before anybody is made to wait.
        _ = try load()
        let folder = Path.parent(path)
        try Folder.makePrivate(folder)
        let lock = try takeLock()
        defer { lock.release() }
        for left in leftBehind { try File.remove(left) }
        let former = try PrivateFile.read(path, limit: SealedCredentials.largest)
        let loaded = try loadAsItIs()
        var (file, key) = try forWriting(loaded)
        try body(&file, key)
        let bytes = try file.bytes(key: key)
        // Read back before anything is replaced: what cannot be opened again is no store.
        _ = try SealedCredentials(bytes, key: key, path: path)
        if keepsBackup, let former { try File.replace(path + ".bak", with: former, mode: 0o600) }
        // Before, not after: once the file is without a secret, no crash leaves it in the backup.
        if !keepsBackup { try File.remove(path + ".bak") }
        try File.replace(path, with: bytes, mode: 0o600)
    }

    // MARK: - After a crash

    /// What writers that were killed left beside the files that they were about to replace.
    private var leftBehind: [String] {
        [path, path + ".bak", keyPath].flatMap { file -> [String] in
            let (folder, start) = (Path.parent(file), ".\(Path.name(file)).")
            let names = (try? Folder.names(folder)) ?? []
            return names.filter { $0.hasPrefix(start) && folder + "/" + $0 != lockPath }.map { folder + "/" + $0 }
        }
    }

    /// Removes it, unless somebody is writing: then it may be his, and he removes the rest himself.
    private func removeLeftBehind() {
        guard !leftBehind.isEmpty, let lock = try? FileLock.take(lockPath) else { return }
        defer { lock.release() }
        for left in leftBehind { try? File.remove(left) }
    }

    private var lockPath: String { "\(Path.parent(path))/.\(Path.name(path)).lock" }

    /// The file under a key as the settings want it.
    private func forWriting(
        _ loaded: (file: SealedCredentials, key: CredentialKey)?
    ) throws(AiboxError) -> (SealedCredentials, CredentialKey) {
        if let loaded, (loaded.file.source == .file) != usesPassphrase { return loaded }
        var file = SealedCredentials(
            source: usesPassphrase ? .passphrase(scrypt, salt: try SecureRandom.bytes(16)) : .file)
        answered.withLock { $0 = nil }
        let key = usesPassphrase ? try key(file.source, .choose) : try fileKeyOrNew()
        if let loaded {
            for entry in loaded.file.entries {
                let secret = try loaded.file.secret(entry, key: loaded.key, path: path)
                try file.put(StoredCredential(entry.credential, secret), key: key)
            }
        }
        return (file, key)
    }

    private func fileKeyOrNew() throws(AiboxError) -> CredentialKey {
        if let key = try CredentialKey.read(keyPath) { return key }
        return try CredentialKey.make(keyPath)
    }

    /// Waits for up to ten seconds.
    private func takeLock() throws(AiboxError) -> FileLock {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            if let lock = try FileLock.take(lockPath) { return lock }
            if ContinuousClock.now > deadline {
                throw AiboxError(
                    .failed, "cannot change \(path)", why: "another aibox has held \(lockPath) for ten seconds")
            }
            usleep(10_000)
        }
    }
}
