import AiboxCrypto
import AiboxSystem
import AiboxWire

/// The encrypted file as a value: one JSON document a line, a head, the credentials, a seal over all of it.
///
/// Each secret is sealed by itself (AES-256-GCM) and bound to all that is known about it, so that no byte of name, host
/// or place can be changed under it; the last line authenticates every byte before it (HMAC-SHA-256). Both keys are
/// derived from one (HKDF-SHA-256). What only lists credentials opens no secret.
struct SealedCredentials {
    /// Where the key comes from.
    enum KeySource: Equatable {
        /// A file of random bytes.
        case file
        case passphrase(Scrypt, salt: [UInt8])
    }

    struct Entry: Equatable {
        var credential: Credential
        var nonce: [UInt8]
        var sealed: [UInt8]
    }

    var source: KeySource
    /// Sorted by name.
    var entries: [Entry]

    static let largest = 16 << 20

    init(source: KeySource, entries: [Entry] = []) {
        self.source = source
        self.entries = entries
    }

    // MARK: Reading

    /// The head alone, which tells how to come to the key. Nothing of it is to be believed before `init` succeeded.
    static func source(of bytes: [UInt8], path: String) throws(AiboxError) -> KeySource {
        guard let end = bytes.firstIndex(of: newline), let source = try? readHead(bytes[..<end]) else {
            throw damaged(path, "its first line is not that of a credential file")
        }
        return source
    }

    /// - Throws: `integrity` unless every byte is what was written under this key.
    init(_ bytes: [UInt8], key: CredentialKey, path: String) throws(AiboxError) {
        let tail = Self.sealCount
        guard bytes.count > tail, let seal = Self.seal(bytes.suffix(tail)) else {
            throw Self.damaged(path, "its last line is no seal")
        }
        let body = Array(bytes.dropLast(tail))
        guard ConstantTime.equal(try key.authenticate(body).bytes, seal) else {
            throw Self.damaged(path, "it was changed, or \(key.words) is another one")
        }
        // What is sealed was written by this program; that it does not read is a defect or another version.
        guard body.last == Self.newline else { throw Self.damaged(path, "a line has no end") }
        let lines = body.dropLast().split(separator: Self.newline, omittingEmptySubsequences: false)
        do {
            source = try Self.readHead(lines.first ?? [])
            entries = try lines.dropFirst().map { try Self.readEntry($0) }
        } catch {
            throw Self.damaged(path, "a line of it cannot be read")
        }
    }

    private static func readHead(_ line: ArraySlice<UInt8>) throws -> KeySource {
        var fields = try WireFields(try JSONParser.parse(line), in: "head")
        guard try fields.integer("aibox_credentials") as Int == 1 else { throw fields.error("another version") }
        let source: KeySource
        switch try fields.string("key") {
        case "file": source = .file
        case "passphrase":
            let scrypt = Scrypt(
                cost: try fields.integer("n"), blockSize: try fields.integer("r"),
                parallelism: try fields.integer("p"))
            // A changed head must not be able to ask for all memory of the machine, or for a cheap key.
            guard scrypt.isReasonable, let salt = Base64.decode(try fields.string("salt")), salt.count == 16 else {
                throw fields.error("no such key")
            }
            source = .passphrase(scrypt, salt: salt)
        default: throw fields.error("no such key")
        }
        try fields.finish()
        return source
    }

    private static func readEntry(_ line: ArraySlice<UInt8>) throws -> Entry {
        var fields = try WireFields(try JSONParser.parse(line), in: "credential")
        let credential = try Credential(&fields)
        guard let nonce = Base64.decode(try fields.string("nonce")), nonce.count == AESGCM.nonceCount,
            let sealed = Base64.decode(try fields.string("sealed"))
        else { throw fields.error("no Base64") }
        try fields.finish()
        return Entry(credential: credential, nonce: nonce, sealed: sealed)
    }

    private static func damaged(_ path: String, _ why: String) -> AiboxError {
        AiboxError(
            .integrity, "\(path) cannot be used", why: why,
            remedy: "\(path).bak holds the state before the last change: mv \(path).bak \(path)")
    }

    // MARK: Writing

    func bytes(key: CredentialKey) throws(AiboxError) -> [UInt8] {
        var head: JSONObject = ["aibox_credentials": 1]
        switch source {
        case .file: head["key"] = "file"
        case .passphrase(let scrypt, let salt):
            head["key"] = "passphrase"
            head["n"] = .integer(Int64(clamping: scrypt.cost))
            head["r"] = .integer(Int64(clamping: scrypt.blockSize))
            head["p"] = .integer(Int64(clamping: scrypt.parallelism))
            head["salt"] = .string(Base64.encode(salt))
        }
        var body = JSONValue.object(head).bytes + [Self.newline]
        for entry in entries {
            var line = entry.credential.json
            line["nonce"] = .string(Base64.encode(entry.nonce))
            line["sealed"] = .string(Base64.encode(entry.sealed))
            body += JSONValue.object(line).bytes + [Self.newline]
        }
        let seal = Hex.encode(try key.authenticate(body).bytes)
        body += Array((Self.sealStart + seal + Self.sealEnd).utf8)
        if body.count > Self.largest {
            throw AiboxError(.failed, "the credentials do not fit", why: "the file would be larger than 16 MiB")
        }
        return body
    }

    // MARK: Secrets

    func secret(_ entry: Entry, key: CredentialKey, path: String) throws(AiboxError) -> Secret {
        do throws(AiboxError) {
            var bytes = try AESGCM.open(
                entry.sealed, key: try key.entryKey(), nonce: entry.nonce, authenticating: Self.header(entry.credential)
            )
            defer { bytes.wipe() }
            return try Secret(bytes)
        } catch {
            throw Self.damaged(path, "the secret of \(entry.credential.name) does not open")
        }
    }

    mutating func put(_ stored: StoredCredential, key: CredentialKey) throws(AiboxError) {
        let nonce = try SecureRandom.bytes(AESGCM.nonceCount)
        var bytes = stored.secret.bytes
        defer { bytes.wipe() }
        let sealed = try AESGCM.seal(
            bytes, key: try key.entryKey(), nonce: nonce, authenticating: Self.header(stored.credential))
        entries.removeAll { $0.credential.name == stored.credential.name }
        entries.append(Entry(credential: stored.credential, nonce: nonce, sealed: sealed))
        entries.sort { $0.credential.name < $1.credential.name }
    }

    /// What a secret is bound to: type, name, hosts, user, place and times.
    private static func header(_ credential: Credential) -> [UInt8] {
        Array("aibox credential 1\n".utf8) + JSONValue.object(credential.json).bytes
    }

    // MARK: The seal

    private static let newline = UInt8(ascii: "\n")
    private static let sealStart = #"{"seal":""#
    private static let sealEnd = "\"}\n"
    private static var sealCount: Int { sealStart.utf8.count + 2 * Digest256.count + sealEnd.utf8.count }

    private static func seal(_ line: ArraySlice<UInt8>) -> [UInt8]? {
        guard line.starts(with: sealStart.utf8), line.suffix(sealEnd.utf8.count).elementsEqual(sealEnd.utf8) else {
            return nil
        }
        let digits = line.dropFirst(sealStart.utf8.count).dropLast(sealEnd.utf8.count)
        return Hex.decode(String(decoding: digits, as: UTF8.self))
    }
}
