import AiboxCrypto
import AiboxSystem
import Testing

@Suite("scrypt")
struct ScryptTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var passphrase: String, salt: String, cost: UInt64, blockSize: UInt64, parallelism: UInt64, key: String
        var testDescription: String { "N \(cost), r \(blockSize), p \(parallelism)" }
    }

    /// RFC 7914, section 12; the last one takes 1 GiB and some seconds.
    static let vectors = [
        Vector(
            passphrase: "", salt: "", cost: 16, blockSize: 1, parallelism: 1,
            key: "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"),
        Vector(
            passphrase: "password", salt: "NaCl", cost: 1024, blockSize: 8, parallelism: 16,
            key: "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"),
        Vector(
            passphrase: "pleaseletmein", salt: "SodiumChloride", cost: 16384, blockSize: 8, parallelism: 1,
            key: "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"),
        Vector(
            passphrase: "pleaseletmein", salt: "SodiumChloride", cost: 1_048_576, blockSize: 8, parallelism: 1,
            key: "2101cb9b6a511aaeaddbbe09cf70f881ec568d574a2ffd4dabe5ee9820adaa47"
                + "8e56fd8f4ba5d09ffa1c6d927c40f4c337304049e8a952fbcbf45c6fa77a41a4"),
    ]

    @Test("gives the keys of RFC 7914", arguments: vectors)
    func vector(_ vector: Vector) throws {
        let scrypt = Scrypt(cost: vector.cost, blockSize: vector.blockSize, parallelism: vector.parallelism)
        let passphrase = Array(vector.passphrase.utf8)
        let key = try passphrase.withUnsafeBytes { bytes throws in
            try scrypt.derive(bytes, salt: Array(vector.salt.utf8), count: 64)
        }
        #expect(Hex.encode(Array(key.readable)) == vector.key)
    }

    @Test("a price that is too low, or cannot be paid, is not taken from a file's head")
    func reasonable() {
        #expect(Scrypt().isReasonable && Scrypt(cost: 1 << 20).isReasonable && Scrypt(cost: 1 << 14).isReasonable)
        for scrypt in [
            Scrypt(cost: 1 << 13), Scrypt(cost: 1 << 21), Scrypt(cost: (1 << 17) + 1), Scrypt(blockSize: 1),
            Scrypt(blockSize: 16), Scrypt(parallelism: 0), Scrypt(parallelism: 5), Scrypt(cost: 0),
        ] { #expect(!scrypt.isReasonable, "\(scrypt)") }
    }
}
