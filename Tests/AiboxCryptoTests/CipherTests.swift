import AiboxCrypto
import AiboxSystem
import Testing

@Suite("Encryption and signatures")
struct CipherTests {
    struct GCMVector: Sendable, CustomTestStringConvertible {
        var name: String, key: String, nonce: String, plaintext: String, header: String, sealed: String
        var testDescription: String { name }
    }

    private static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    static let vectors = [
        GCMVector(
            name: "case 13, nothing", key: String(repeating: "00", count: 32),
            nonce: String(repeating: "00", count: 12),
            plaintext: "", header: "", sealed: "530f8afbc74536b9a963b4f1c4cb738b"),
        GCMVector(
            name: "case 14, one block", key: String(repeating: "00", count: 32),
            nonce: String(repeating: "00", count: 12),
            plaintext: String(repeating: "00", count: 16), header: "",
            sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
        GCMVector(
            name: "case 16, with a header", key: key, nonce: "cafebabefacedbaddecaf888",
            plaintext:
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            header: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            sealed:
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    @Test("AES-256-GCM gives the ciphertexts of the GCM specification", arguments: vectors)
    func gcm(vector: GCMVector) throws {
        let (key, nonce) = (try bytes(vector.key), try bytes(vector.nonce))
        let (plaintext, header) = (try bytes(vector.plaintext), try bytes(vector.header))
        let sealed = try AESGCM.seal(plaintext, key: key, nonce: nonce, authenticating: header)
        #expect(Hex.encode(sealed) == vector.sealed)
        #expect(try AESGCM.open(sealed, key: key, nonce: nonce, authenticating: header) == plaintext)
    }

    @Test("one changed bit anywhere is an integrity error: ciphertext, tag, header, nonce, key")
    func changed() throws {
        let vector = Self.vectors[2]
        let (key, nonce) = (try bytes(vector.key), try bytes(vector.nonce))
        let (header, sealed) = (try bytes(vector.header), try bytes(vector.sealed))
        func refused(_ sealed: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ header: [UInt8]) -> Bool {
            do throws(AiboxError) {
                _ = try AESGCM.open(sealed, key: key, nonce: nonce, authenticating: header)
                return false
            } catch {
                return error.code == .integrity
            }
        }
        for index in sealed.indices { #expect(refused(flipped(sealed, index), key, nonce, header)) }
        for index in header.indices { #expect(refused(sealed, key, nonce, flipped(header, index))) }
        for index in nonce.indices { #expect(refused(sealed, key, flipped(nonce, index), header)) }
        for index in key.indices { #expect(refused(sealed, flipped(key, index), nonce, header)) }
        for length in 0..<sealed.count { #expect(refused(Array(sealed.prefix(length)), key, nonce, header)) }
        #expect(!refused(sealed, key, nonce, header))
    }

    @Test(
        "keys and nonces of another length are refused", arguments: [(31, 12), (33, 12), (16, 12), (32, 11), (32, 0)])
    func lengths(key: Int, nonce: Int) {
        #expect(throws: AiboxError.self) {
            try AESGCM.seal(
                [1], key: [UInt8](repeating: 0, count: key), nonce: [UInt8](repeating: 0, count: nonce))
        }
    }

    struct SignatureVector: Sendable, CustomTestStringConvertible {
        var name: String, seed: String, publicKey: String, message: String, signature: String
        var testDescription: String { name }
    }

    @Test(
        "Ed25519 gives the signatures of RFC 8032, and no changed one is valid",
        arguments: [
            SignatureVector(
                name: "test 1", seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
                signature:
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                    + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
            SignatureVector(
                name: "test 2", seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
                signature:
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
            SignatureVector(
                name: "test 3", seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
                signature:
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                    + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
        ])
    func ed25519(vector: SignatureVector) throws {
        let seed = try SecretBytes(try bytes(vector.seed))
        let (publicKey, message) = (try bytes(vector.publicKey), try bytes(vector.message))
        let signature = try bytes(vector.signature)
        #expect(try Ed25519.publicKey(seed: seed) == publicKey)
        #expect(try Ed25519.sign(message, seed: seed) == signature)
        #expect(try Ed25519.isValid(signature, of: message, publicKey: publicKey))
        for index in signature.indices {
            #expect(try !Ed25519.isValid(flipped(signature, index), of: message, publicKey: publicKey))
        }
        for index in message.indices {
            #expect(try !Ed25519.isValid(signature, of: flipped(message, index), publicKey: publicKey))
        }
        #expect(try !Ed25519.isValid(signature, of: message + [0], publicKey: publicKey))
        #expect(try !Ed25519.isValid(signature, of: message, publicKey: flipped(publicKey, 3)))
        #expect(try !Ed25519.isValid(Array(signature.dropLast()), of: message, publicKey: publicKey))
        #expect(try !Ed25519.isValid([], of: message, publicKey: []))
    }

    @Test("a signing key of another length is refused")
    func seedLength() throws {
        let short = try SecretBytes(count: 31)
        #expect(throws: AiboxError.self) { try Ed25519.sign([1], seed: short) }
    }

    @Test("comparison sees one changed bit and another length")
    func constantTime() throws {
        let value = try SHA256.digest("value")
        #expect(ConstantTime.equal(value.bytes, value.bytes))
        #expect(ConstantTime.equal(value, value))
        for index in 0..<32 {
            let other = flipped(value.bytes, index)
            #expect(!ConstantTime.equal(value.bytes, other))
            #expect(!ConstantTime.equal(value, try #require(Digest256(other))))
        }
        #expect(!ConstantTime.equal(value.bytes, Array(value.bytes.dropLast())))
    }

    @Test("random bytes differ, and a wiped secret is zero")
    func random() throws {
        #expect(try SecureRandom.bytes(32) != SecureRandom.bytes(32))
        let secret = try SecretBytes(count: 32)
        try SecureRandom.fill(secret)
        #expect(secret.readable.contains { $0 != 0 })
        secret.wipe()
        #expect(secret.readable.allSatisfy { $0 == 0 })
    }

    private func flipped(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] ^= 1
        return bytes
    }
}
