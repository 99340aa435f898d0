import AiboxConfig
import AiboxCrypto
public import AiboxSystem
import AiboxWire
import Glibc

/// The folder of journals: one file a keeper, 0600, sealed with a key that lies elsewhere.
///
/// A keeper holds the lock beside its file for life, and the kernel frees it however the keeper ends: a free lock is a dead
/// keeper.
public struct LeaseJournals: Sendable {
    let folder: String
    let keyPath: String

    public init(folder: String, keyPath: String) {
        self.folder = folder
        self.keyPath = keyPath
    }

    /// One file, and what became of whoever wrote it.
    public struct Entry: Sendable {
        public var name: String
        public var isAlive: Bool
        /// Why it cannot be used, where it cannot; it is left as it is.
        public var journal: Result<LeaseJournal, AiboxError>
    }

    /// Bytes of a file at most.
    static let largest = 1 << 20
    /// More files than this are not looked at.
    static let most = 1000
    private static let ending = ".json"

    /// All that is there, whoever holds it. Without a folder there is none.
    public func entries() throws(AiboxError) -> [Entry] {
        if !File.exists(folder) { return [] }
        try Folder.makePrivate(folder)
        var entries: [Entry] = []
        for file in try Folder.names(folder).prefix(2 * Self.most) where file.hasSuffix(Self.ending) {
            let name = String(file.dropLast(Self.ending.count))
            guard Self.isName(name) else { continue }
            guard var journal = found(name) else { continue }
            let isAlive = isHeld(name)
            // A keeper may have settled it and ended between the two.
            if !isAlive {
                guard let again = found(name) else { continue }
                journal = again
            }
            entries.append(Entry(name: name, isAlive: isAlive, journal: journal))
        }
        return entries
    }

    /// nil: there is none; it may have been settled just now.
    private func found(_ name: String) -> Result<LeaseJournal, AiboxError>? {
        do throws(AiboxError) { return try read(name).map { .success($0) } } catch { return .failure(error) }
    }

    /// The name of a sandbox's file: its own and that of the stay.
    static func name(sandbox: String, session: String) -> String { "\(sandbox).\(session.prefix(12))" }

    private static func isName(_ name: String) -> Bool {
        !name.hasPrefix(".") && name.utf8.count <= 200
            && name.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "-_.".utf8.contains($0)
                }
            }
    }

    /// Whether somebody holds the lock.
    func isHeld(_ name: String) -> Bool {
        let lock = Descriptor(open("\(folder)/\(name).lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW))
        guard lock.isOpen else { return false }
        return flock(lock.number, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// nil: somebody else has it.
    func take(_ name: String) throws(AiboxError) -> FileLock? {
        try Folder.makePrivate(folder)
        return try FileLock.take("\(folder)/\(name).lock")
    }

    /// - Throws: `integrity` for one that somebody else wrote or could have written.
    func read(_ name: String) throws(AiboxError) -> LeaseJournal? {
        let path = "\(folder)/\(name)\(Self.ending)"
        guard let bytes = try PrivateFile.read(path, limit: Self.largest) else { return nil }
        func unfit(_ why: String) -> AiboxError {
            AiboxError(
                .integrity, "\(path) cannot be trusted", why: why,
                remedy: "look at Vault's leases yourself, then remove the file")
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.count == 3, lines[2].isEmpty else { throw unfit("it is not as aibox writes it") }
        guard let key = try CredentialKey.read(keyPath) else { throw unfit("its key \(keyPath) is not there") }
        let seal = try key.authenticateLeases(Self.sealed(name, Array(lines[0]))).hex
        guard ConstantTime.equal(Array(seal.utf8), Array(lines[1])) else {
            throw unfit("it was changed by something else than aibox, or its key was")
        }
        do {
            let json = try JSONParser.parse(lines[0], limits: .init(size: Self.largest))
            return try LeaseJournal(json: json)
        } catch { throw unfit("it is of another version, or damaged") }
    }

    /// On the disk when it returns. Only by who holds the lock; a folder that was removed with all of aibox's is not made again.
    func write(_ journal: LeaseJournal, _ name: String) throws(AiboxError) {
        let key: CredentialKey
        if let known = try CredentialKey.read(keyPath) { key = known } else { key = try makeKey() }
        let line = journal.json.bytes
        let seal = try key.authenticateLeases(Self.sealed(name, line)).hex
        try File.replace(
            "\(folder)/\(name)\(Self.ending)", with: line + Array("\n\(seal)\n".utf8), mode: 0o600)
    }

    /// Two keepers may begin at once: one makes the key.
    private func makeKey() throws(AiboxError) -> CredentialKey {
        for _ in 0..<500 {
            guard let lock = try FileLock.take(folder + "/.key.lock") else {
                usleep(10_000)
                continue
            }
            defer { lock.release() }
            if let key = try CredentialKey.read(keyPath) { return key }
            return try CredentialKey.make(keyPath)
        }
        throw AiboxError(.failed, "cannot make \(keyPath)", why: "another aibox has held \(folder)/.key.lock for long")
    }

    /// The name is sealed with it: one journal does not pass for another.
    private static func sealed(_ name: String, _ line: [UInt8]) -> [UInt8] { Array(name.utf8) + [0] + line }

    /// Removes a file whose leases are no more. Only by who holds its lock.
    func remove(_ name: String) throws(AiboxError) {
        try File.remove("\(folder)/\(name)\(Self.ending)")
        try File.remove("\(folder)/\(name).lock")
    }
}
