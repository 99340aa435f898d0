import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Glibc
import Synchronization
import Testing

@testable import AiboxCredentials

/// A store in a folder of its own; the passphrase is what `passphrase` says.
struct FileStoreLab {
    let folder: TemporaryFolder
    var path: String { folder.path + "/state/credentials" }
    var key: String { folder.path + "/config/credentials.key" }

    init() throws { folder = try TemporaryFolder(inMemory: true) }

    /// The cheapest that is still reasonable, for tests.
    static let scrypt = Scrypt(cost: 1 << 14)

    func store(passphrase: String? = nil) -> EncryptedFileStore {
        EncryptedFileStore(
            path: path, keyPath: key, usesPassphrase: passphrase != nil, scrypt: Self.scrypt
        ) { (_) throws(AiboxError) in
            guard let passphrase else { throw AiboxError(.failed, "nobody may be asked") }
            return try Secret(passphrase)
        }
    }

    static func stored(_ name: String, _ secret: String) throws -> StoredCredential {
        StoredCredential(
            try Credential(try CredentialName(name), added: Timestamp(seconds: 1_700_000_000)), try Secret(secret))
    }

    /// Everything below the folder, one after the other.
    func everything(_ below: String? = nil) throws -> [UInt8] {
        try Folder.names(below ?? folder.path).flatMap { name -> [UInt8] in
            let path = (below ?? folder.path) + "/" + name
            return File.isDirectory(path) ? try everything(path) : try File.read(path)
        }
    }

    static func mode(_ path: String) -> UInt32 {
        var status = Glibc.stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
}

@Suite("The encrypted file")
struct EncryptedFileStoreTests {
    private static let canary = "canary-5f1d7c0a-secret"
    private static let git = "git-token:github.com"

    @Test("what was written is read, by another process too; files are this user's alone")
    func roundTrip() throws {
        let lab = try FileStoreLab()
        let stored = try FileStoreLab.stored(Self.git, Self.canary)
        #expect(try lab.store().list().isEmpty)
        #expect(try lab.store().read(stored.credential.name) == nil)
        try lab.store().write(stored)
        try lab.store().write(try FileStoreLab.stored("llm-api-key:openai", "other"))
        #expect(try lab.store().read(stored.credential.name) == stored)
        #expect(try lab.store().list().map(\.name.description) == [Self.git, "llm-api-key:openai"])
        for path in [lab.path, lab.path + ".bak", lab.key] { #expect(FileStoreLab.mode(path) == 0o600) }
        #expect(FileStoreLab.mode(Path.parent(lab.path)) == 0o700)
        try lab.store().check()
    }

    @Test("no file holds a secret in clear, in Base64 or in hexadecimal")
    func nothingInClear() throws {
        let lab = try FileStoreLab()
        try lab.store().write(try FileStoreLab.stored(Self.git, Self.canary))
        try lab.store().write(try FileStoreLab.stored("llm-api-key:openai", Self.canary))
        let text = String(decoding: try lab.everything(), as: UTF8.self)
        let bytes = Array(Self.canary.utf8)
        for form in [Self.canary, Hex.encode(bytes), Base64.encode(bytes), String(Base64.encode(bytes).prefix(16))] {
            #expect(!text.contains(form))
        }
    }

    @Test("a change of any byte is found, whichever it is")
    func everyByte() throws {
        let lab = try FileStoreLab()
        try lab.store().write(try FileStoreLab.stored(Self.git, Self.canary))
        try lab.store().write(try FileStoreLab.stored("llm-api-key:anthropic", "other"))
        let good = try File.read(lab.path)
        let name = try CredentialName(Self.git)
        for index in good.indices {
            for flip: UInt8 in [0x01, 0x20, 0x80] {
                var bad = good
                bad[index] ^= flip
                try File.replace(lab.path, with: bad)
                let error = #expect(throws: AiboxError.self, "byte \(index)") { try lab.store().list() }
                #expect(error?.code == .integrity, "byte \(index): \(String(describing: error))")
                #expect(throws: AiboxError.self) { try lab.store().read(name) }
            }
        }
        for count in 0..<good.count {
            try File.replace(lab.path, with: Array(good.prefix(count)))
            #expect(throws: AiboxError.self, "the first \(count) bytes") { try lab.store().list() }
        }
        for more in ["\n", "{}\n", " "] {
            try File.replace(lab.path, with: good + Array(more.utf8))
            #expect(throws: AiboxError.self) { try lab.store().list() }
        }
        try File.replace(lab.path, with: good)
        #expect(try lab.store().list().count == 2)
    }

    @Test("lines cannot be left out, swapped, doubled or brought from another file")
    func lines() throws {
        let lab = try FileStoreLab()
        for name in [Self.git, "git-token:gitlab.com", "llm-api-key:openai"] {
            try lab.store().write(try FileStoreLab.stored(name, "secret of \(name)"))
        }
        let good = try File.text(lab.path).split(separator: "\n").map(String.init)
        let other = try FileStoreLab()
        try other.store().write(try FileStoreLab.stored(Self.git, "attacker"))
        let foreign = try File.text(other.path).split(separator: "\n").map(String.init)
        let edits: [(String, [String])] = [
            ("one left out", good.enumerated().filter { $0.offset != 2 }.map(\.element)),
            ("two swapped", [good[0], good[2], good[1], good[3], good[4]]),
            ("one doubled", [good[0], good[1], good[1], good[2], good[3], good[4]]),
            ("one of another file", [good[0], foreign[1], good[2], good[3], good[4]]),
            ("the whole of another file", foreign), ("no seal", Array(good.dropLast())),
        ]
        for (what, lines) in edits {
            try File.replace(lab.path, with: lines.joined(separator: "\n") + "\n")
            let error = #expect(throws: AiboxError.self, "\(what)") { try lab.store().list() }
            #expect(error?.code == .integrity, "\(what)")
        }
    }

    @Test("a secret does not open under another name, host, user or place, even below a good seal")
    func bound() throws {
        let key = CredentialKey(try SecretBytes(count: 32), words: "the test's")
        var file = SealedCredentials(source: .file)
        let stored = try FileStoreLab.stored("llm-api-key:openai", Self.canary)
        try file.put(stored, key: key)
        #expect(try file.secret(file.entries[0], key: key, path: "f").text == Self.canary)
        let host = try CredentialDestination("evil.example")
        let changes: [(String, (inout Credential) throws -> Void)] = [
            ("name", { $0.name = .llm(.anthropic) }), ("host", { $0.destinations = [host] }),
            ("one more host", { $0.destinations.append(host) }), ("user", { $0.user = "x" }),
            ("place", { $0.place = .basic }), ("added", { $0.added = nil }),
            ("expires", { $0.expires = Timestamp(seconds: 9) }),
        ]
        for (what, change) in changes {
            var changed = file
            try change(&changed.entries[0].credential)
            let read = try SealedCredentials(try changed.bytes(key: key), key: key, path: "f")
            let error = #expect(throws: AiboxError.self, "\(what)") {
                try read.secret(read.entries[0], key: key, path: "f")
            }
            #expect(error?.code == .integrity)
        }
    }

    @Test("another key opens nothing; without the key nothing is made anew over what is there")
    func keys() throws {
        let lab = try FileStoreLab()
        try lab.store().write(try FileStoreLab.stored(Self.git, Self.canary))
        let (good, key) = (try File.read(lab.path), try File.read(lab.key))
        try File.remove(lab.key)
        for attempt in [
            { _ = try lab.store().list() }, { try lab.store().write(try FileStoreLab.stored(Self.git, "x")) },
        ] {
            let error = #expect(throws: AiboxError.self) { try attempt() }
            #expect(error?.code == .integrity && error?.reason.contains(lab.key) == true)
        }
        #expect(!File.exists(lab.key))
        #expect(try File.read(lab.path) == good)
        for wrong in ["", "aibox-credential-key:1:AAAA\n", String(decoding: key.dropLast(2), as: UTF8.self)] {
            try File.replace(lab.key, with: wrong)
            #expect(throws: AiboxError.self) { try lab.store().list() }
        }
        _ = try {
            try File.remove(lab.key); _ = try CredentialKey.make(lab.key)
        }()
        #expect(throws: AiboxError.self) { try lab.store().list() }
        try File.replace(lab.key, with: key)
        #expect(try lab.store().list().count == 1)
    }

    @Test("a file that others may touch, or that is none, is not trusted")
    func modes() throws {
        let lab = try FileStoreLab()
        try lab.store().write(try FileStoreLab.stored(Self.git, Self.canary))
        for path in [lab.path, lab.key] {
            for mode: UInt32 in [0o640, 0o604, 0o620, 0o602, 0o666] {
                chmod(path, mode)
                let error = #expect(throws: AiboxError.self, "\(path) \(mode)") { try lab.store().list() }
                #expect(error?.code == .integrity && error?.remedy?.contains("chmod 600") == true)
            }
            chmod(path, 0o600)
            try SystemCommandRunner().require(Command("mv", [path, path + ".real"]), "cannot move")
            symlink(path + ".real", path)
            #expect(throws: AiboxError.self) { try lab.store().list() }
            unlink(path)
            mkfifo(path, 0o600)
            #expect(throws: AiboxError.self) { try lab.store().list() }
            unlink(path)
            try SystemCommandRunner().require(Command("mv", [path + ".real", path]), "cannot move")
        }
        #expect(try lab.store().list().count == 1)
    }

    @Test("a passphrase opens what it closed, and only it")
    func passphrase() throws {
        let lab = try FileStoreLab()
        let stored = try FileStoreLab.stored(Self.git, Self.canary)
        try lab.store(passphrase: "correct horse").write(stored)
        #expect(!File.exists(lab.key))
        #expect(try lab.store(passphrase: "correct horse").read(stored.credential.name) == stored)
        let error = #expect(throws: AiboxError.self) { try lab.store(passphrase: "wrong horse").list() }
        #expect(error?.code == .integrity && error?.reason.contains("passphrase") == true)
        // Who has no passphrase is told, not handed an empty store.
        #expect(throws: AiboxError.self) { try lab.store().list() }
        // What the head asks for is checked before it is paid for.
        let text = try File.text(lab.path)
        for (from, to) in [
            ("\"n\":16384", "\"n\":1073741824"), ("\"n\":16384", "\"n\":2"), ("\"r\":8", "\"r\":1048576"),
        ] {
            #expect(text.contains(from))
            try File.replace(lab.path, with: text.replacing(from, with: to))
            #expect(throws: AiboxError.self) { try lab.store(passphrase: "correct horse").list() }
        }
    }

    @Test("from key to passphrase and back, no secret is lost and the former way opens nothing")
    func rekeyed() throws {
        let lab = try FileStoreLab()
        try lab.store().write(try FileStoreLab.stored(Self.git, Self.canary))
        let asked = Mutex(0)
        let mixed = EncryptedFileStore(
            path: lab.path, keyPath: lab.key, usesPassphrase: true, scrypt: FileStoreLab.scrypt
        ) { (_) throws(AiboxError) in
            asked.withLock { $0 += 1 }
            return try Secret("correct horse")
        }
        try mixed.write(try FileStoreLab.stored("llm-api-key:openai", "second"))
        #expect(asked.withLock { $0 } == 1)
        #expect(try lab.store(passphrase: "correct horse").list().count == 2)
        #expect(throws: AiboxError.self) { try lab.store().list() }
        #expect(
            try lab.store(passphrase: "correct horse").secret(for: try CredentialName(Self.git))?.text == Self.canary)
        let back = EncryptedFileStore(
            path: lab.path, keyPath: lab.key, usesPassphrase: false, scrypt: FileStoreLab.scrypt
        ) {
            (_) throws(AiboxError) in try Secret("correct horse")
        }
        try back.write(try FileStoreLab.stored("mirror-token:pypi.example", "third"))
        #expect(try lab.store().list().count == 3)
        #expect(try lab.store().secret(for: try CredentialName(Self.git))?.text == Self.canary)
    }

    @Test("the state before a change is kept and can be put back; after a removal the secret is nowhere")
    func backup() throws {
        let lab = try FileStoreLab()
        try lab.store().write(try FileStoreLab.stored(Self.git, "first"))
        let first = try File.read(lab.path)
        try lab.store().write(try FileStoreLab.stored(Self.git, "second"))
        #expect(try File.read(lab.path + ".bak") == first)
        #expect(try lab.store().remove(try CredentialName(Self.git)))
        #expect(try !lab.store().remove(try CredentialName(Self.git)))
        #expect(!File.exists(lab.path + ".bak"))
        #expect(try lab.store().list().isEmpty)
    }

    @Test("writers at the same time lose nothing of each other's")
    func concurrent() async throws {
        let lab = try FileStoreLab()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<5 {
                        try lab.store().write(
                            try FileStoreLab.stored("git-token:h\(number).w\(writer).example", "\(writer) \(number)"))
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = try lab.store().list()
        #expect(all.count == 40)
        for credential in all { #expect(try lab.store().read(credential.name) != nil) }
        #expect(
            try Folder.names(Path.parent(lab.path)).sorted() == [".credentials.lock", "credentials", "credentials.bak"])
    }

    @Test("any sequence of writes and removals leaves what a dictionary would hold")
    func model() throws {
        var random = SeededGenerator(seed: 20_261_122)
        let lab = try FileStoreLab()
        var model: [String: String] = [:]
        let names = (0..<6).map { "git-token:h\($0).example" } + ["llm-api-key:openai", "llm-api-key:anthropic"]
        for step in 0..<200 {
            let name = names[Int(random.next() % UInt64(names.count))]
            if random.next() % 3 == 0 {
                #expect(try lab.store().remove(try CredentialName(name)) == (model[name] != nil))
                model[name] = nil
            } else {
                try lab.store().write(try FileStoreLab.stored(name, "value \(step)"))
                model[name] = "value \(step)"
            }
            var held: [String: String] = [:]
            for credential in try lab.store().list() {
                held[credential.name.description] = try lab.store().secret(for: credential.name)?.text
            }
            #expect(held == model)
        }
    }
}
