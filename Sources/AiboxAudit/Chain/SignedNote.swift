import AiboxCrypto
import AiboxSystem

/// A text with signatures (c2sp.org/signed-note), Ed25519 only.
struct SignedNote: Sendable, Equatable {
    /// Lines, each with its newline; no empty one.
    var text: String
    var signatures: [Signature]

    struct Signature: Sendable, Equatable {
        var name: String
        /// The first four bytes of the key's id.
        var keyID: [UInt8]
        var bytes: [UInt8]
    }

    private static let dash = "\u{2014} "

    init(text: String) {
        self.text = text
        signatures = []
    }

    /// From the exact bytes of one note; nil if they are no note, or a signature has not the length of Ed25519's.
    init?(_ source: String) {
        guard source.hasSuffix("\n"), source.utf8.allSatisfy({ $0 >= 0x20 || $0 == 0x0a }) else { return nil }
        var lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        lines.removeLast()
        guard let blank = lines.lastIndex(of: ""), blank > 0, !lines[..<blank].contains("") else { return nil }
        text = lines[..<blank].joined(separator: "\n") + "\n"
        signatures = []
        for line in lines[(blank + 1)...] {
            guard line.hasPrefix(Self.dash) else { return nil }
            let parts = line.dropFirst(Self.dash.count).split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let blob = Base64.decode(parts[1]), blob.count == 4 + 64 else {
                return nil
            }
            signatures.append(
                Signature(name: String(parts[0]), keyID: Array(blob.prefix(4)), bytes: Array(blob.dropFirst(4))))
        }
        if signatures.isEmpty || signatures.count > 16 { return nil }
    }

    /// The exact bytes of the note.
    var source: String {
        text + "\n"
            + signatures.map { Self.dash + $0.name + " " + Base64.encode($0.keyID + $0.bytes) + "\n" }.joined()
    }

    mutating func sign(as key: NoteKey, seed: SecretBytes) throws(AiboxError) {
        signatures.append(
            Signature(name: key.name, keyID: try key.id(), bytes: try Ed25519.sign(Array(text.utf8), seed: seed)))
    }

    /// True if the note carries a valid signature of this key, and none in its name that is not valid.
    func isSigned(by key: NoteKey) throws(AiboxError) -> Bool {
        let id = try key.id()
        let mine = signatures.filter { $0.name == key.name && $0.keyID == id }
        for signature in mine {
            let valid = try Ed25519.isValid(signature.bytes, of: Array(text.utf8), publicKey: key.publicKey)
            if !valid { return false }
        }
        return !mine.isEmpty
    }
}

/// A public key with the name that it signs notes under.
struct NoteKey: Sendable, Equatable {
    var name: String
    var publicKey: [UInt8]

    private static let ed25519: UInt8 = 1

    /// The first four bytes of SHA-256(name || newline || type || key).
    func id() throws(AiboxError) -> [UInt8] {
        let digest = try SHA256.digest(Array(name.utf8) + [0x0a, Self.ed25519] + publicKey)
        return Array(digest.bytes.prefix(4))
    }

    /// `name+id+base64`: the form in which verifier keys of notes are written down.
    func text() throws(AiboxError) -> String {
        name + "+" + Hex.encode(try id()) + "+" + Base64.encode([Self.ed25519] + publicKey)
    }

    init(name: String, publicKey: [UInt8]) {
        self.name = name
        self.publicKey = publicKey
    }

    /// From the written form; nil unless its id is that of name and key.
    init?(_ text: some StringProtocol) throws(AiboxError) {
        // Base64 may itself contain a plus: only the first two separate.
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let blob = Base64.decode(parts[2]), blob.count == 33, blob[0] == Self.ed25519 else {
            return nil
        }
        self.init(name: String(parts[0]), publicKey: Array(blob.dropFirst()))
        if Hex.encode(try id()) != parts[1] { return nil }
    }
}
