import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Other people's signatures")
struct PublicKeyTests {
    private let runner = SystemCommandRunner()

    @Test(
        "a signature by the openssl command is valid for its message and key alone",
        arguments: [
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["-algorithm", "ED25519"],
        ])
    func valid(_ algorithm: [String]) throws {
        let folder = try TemporaryFolder()
        let message = Array("the message".utf8)
        let file = try folder.write("message", "the message")
        var keys: [PublicKey] = []
        var signatures: [[UInt8]] = []
        for name in ["a", "b"] {
            let secret = folder.path + "/" + name
            try runner.require(Command("openssl", ["genpkey", "-out", secret] + algorithm), "openssl failed")
            let pem = try runner.require(Command("openssl", ["pkey", "-in", secret, "-pubout"]), "openssl failed").text
            keys += try PublicKey.all(pem: "a comment\n" + pem + "\n")
            let digest = algorithm.contains("ED25519") ? ["-rawin"] : ["-rawin", "-digest", "sha256"]
            signatures.append(
                try runner.require(
                    Command("openssl", ["pkeyutl", "-sign", "-inkey", secret, "-in", file] + digest), "openssl failed"
                ).output)
        }
        #expect(keys.count == 2)
        #expect(try keys[0].isValid(signatures[0], of: message))
        #expect(try keys[1].isValid(signatures[1], of: message))
        #expect(try !keys[0].isValid(signatures[1], of: message))
        #expect(try !keys[0].isValid(signatures[0], of: message + [0]))
        #expect(try !keys[0].isValid([], of: message))
        for place in signatures[0].indices.shuffled().prefix(40) {
            var changed = signatures[0]
            changed[place] ^= 1
            #expect(try !keys[0].isValid(changed, of: message), "byte \(place)")
        }
    }

    @Test("several keys in one text, none in another")
    func several() throws {
        let folder = try TemporaryFolder()
        try runner.require(
            Command("openssl", ["genpkey", "-algorithm", "ED25519", "-out", folder.path + "/k"]), "openssl")
        let pem = try runner.require(Command("openssl", ["pkey", "-in", folder.path + "/k", "-pubout"]), "openssl").text
        #expect(try PublicKey.all(pem: pem + "\n" + pem).count == 2)
        #expect(try PublicKey.all(pem: pem.replacing("\n", with: "\r\n")).count == 1)
        #expect(try PublicKey.all(pem: "nothing").isEmpty)
    }

    @Test(
        "what only looks like a key is an error",
        arguments: [
            "-----BEGIN PUBLIC KEY-----\n", "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        ])
    func broken(_ text: String) { #expect(throws: AiboxError.self) { try PublicKey.all(pem: text) } }
}
