import AiboxSystem
import Testing

@testable import AiboxCrypto

/// Bytes from hexadecimal; a typing error in a vector fails the test that uses it.
func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

@Suite("Digests, MACs and derived keys")
struct HashTests {
    @Test(
        "SHA-256 gives the digests of FIPS 180-4's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func sha256(message: String, digest: String) throws {
        #expect(try SHA256.digest(message).hex == digest)
    }

    @Test("a hasher used again starts afresh, also after an unfinished message")
    func again() throws {
        let hasher = try SHA256()
        try hasher.update(Array("dropped".utf8))
        for _ in 1...2 {
            try hasher.start()
            try hasher.update(Array("ab".utf8))
            try hasher.update(Array("c".utf8))
            #expect(try hasher.finish() == SHA256.digest("abc"))
        }
    }

    @Test("the hashes of a line, computed side by side, are those of the library, for lines of every length")
    func line() throws {
        let label = Array("aibox-audit-ratchet-v1".utf8)
        let isBuilt = OpenSSL.hashesItself && LineDigests.isAvailable
        for count in Array(0..<400) + [1023, 1024, 4096, 65_537] {
            let line = try SecureRandom.bytes(count)
            let key = try SecureRandom.bytes(32)
            let covered = count == 0 ? 0 : Int.random(in: 0...count)
            let successor = try SecretBytes(count: 32)
            let secret = try SecretBytes(key)
            let digests = line.withUnsafeBytes {
                LineDigests.compute($0, authenticating: covered, key: secret, label: label, successor: successor)
            }
            // Where the processor cannot, nothing is computed, and nobody asks.
            #expect((digests != nil) == isBuilt)
            guard let digests else { continue }
            #expect(try digests.leaf == SHA256.digest([0] + line), "\(count)")
            #expect(try digests.mac == HMACSHA256.authenticate(Array(line.prefix(covered)), key: key), "\(count)")
            #expect(try Array(successor.readable) == SHA256.digest(label + key).bytes, "\(count)")
        }
    }

    struct MACVector: Sendable, CustomTestStringConvertible {
        var name: String, key: String, message: String, mac: String
        var testDescription: String { name }
    }

    @Test(
        "HMAC-SHA-256 gives the MACs of RFC 4231",
        arguments: [
            MACVector(
                name: "case 1", key: String(repeating: "0b", count: 20), message: "4869205468657265",
                mac: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            MACVector(
                name: "case 2, a key shorter than the digest", key: "4a656665",
                message: "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
                mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            MACVector(
                name: "case 3, more than a block", key: String(repeating: "aa", count: 20),
                message: String(repeating: "dd", count: 50),
                mac: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            MACVector(
                name: "case 4", key: "0102030405060708090a0b0c0d0e0f10111213141516171819",
                message: String(repeating: "cd", count: 50),
                mac: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            MACVector(
                name: "case 6, a key longer than a block", key: String(repeating: "aa", count: 131),
                message:
                    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
                mac: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        ])
    func hmac(vector: MACVector) throws {
        let mac = try HMACSHA256.authenticate(try bytes(vector.message), key: try bytes(vector.key))
        #expect(mac.hex == vector.mac)
    }

    struct DerivationVector: Sendable, CustomTestStringConvertible {
        var name: String, secret: String, salt: String, info: String, output: String
        var testDescription: String { name }
    }

    @Test(
        "HKDF-SHA-256 gives the keys of RFC 5869",
        arguments: [
            DerivationVector(
                name: "A.1", secret: String(repeating: "0b", count: 22), salt: "000102030405060708090a0b0c",
                info: "f0f1f2f3f4f5f6f7f8f9",
                output: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
            DerivationVector(
                name: "A.3, neither salt nor info", secret: String(repeating: "0b", count: 22), salt: "", info: "",
                output: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
        ])
    func hkdf(vector: DerivationVector) throws {
        let key = try HKDF.derive(
            secret: try bytes(vector.secret), salt: try bytes(vector.salt), info: try bytes(vector.info), count: 42)
        #expect(Hex.encode(key) == vector.output)
    }

    @Test("HKDF refuses more than RFC 5869 allows")
    func hkdfLimit() {
        #expect(throws: AiboxError.self) { try HKDF.derive(secret: [1], info: [], count: 8161) }
    }

    @Test("hexadecimal has one spelling", arguments: ["0", "0g", "AB", "zz", "0x", " 0"])
    func badHex(text: String) {
        #expect(Hex.decode(text) == nil)
        #expect(Digest256(hex: String(repeating: "00", count: 31) + text) == nil)
    }

    @Test("all bytes survive hexadecimal and base64")
    func roundTrip() {
        let all = (0...255).map(UInt8.init)
        #expect(Hex.decode(Hex.encode(all)) == all)
        for length in 0...5 {
            #expect(Base64.decode(Base64.encode(Array(all.suffix(length)))) == Array(all.suffix(length)))
        }
        #expect(Base64.decode(Base64.encode(all)) == all)
    }

    @Test("one byte that is no lower-case digit is found at every place of every length")
    func badDigit() {
        for count in 1...20 {
            let right = [UInt8](repeating: UInt8(ascii: "7"), count: 2 * count)
            for place in right.indices {
                for byte in UInt8.min ... .max {
                    var text = right
                    text[place] = byte
                    let isDigit =
                        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
                    var bytes = [UInt8](repeating: 0, count: count)
                    let isRight = text.withUnsafeBytes { text in
                        bytes.withUnsafeMutableBytes { Hex.decode(text, into: $0) }
                    }
                    #expect(isRight == isDigit)
                    if isRight { #expect(Array(Hex.encode(bytes).utf8) == text) }
                }
            }
        }
    }

    @Test(
        "base64 gives RFC 4648's examples",
        arguments: [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test(
        "base64 has one spelling",
        arguments: ["Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm 9v", "Zm9\u{e9}"])
    func badBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
