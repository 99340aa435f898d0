import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxPolicy

/// With cosign and openssl themselves.
@Suite("Bundles that other tools signed")
struct BundleCosignTests {
    private let fixture: BundleFixture
    private let files = [BundleFixture.manifest(), BundleFixture.policy()]

    init() throws { fixture = try BundleFixture() }

    private static var cosign: String {
        let own = "/usr/local/libexec/aibox/cosign"
        return File.exists(own) ? own : "cosign"
    }

    private func cosign(_ arguments: [String]) throws {
        try SystemCommandRunner().require(
            Command(Self.cosign, arguments, environment: ["COSIGN_PASSWORD": ""], directory: fixture.folder.path),
            "cosign fails", remedy: "scripts/deps")
    }

    @Test("cosign sign-blob beside the archive: it holds, and for these bytes only")
    func signBlob() throws {
        try cosign(["generate-key-pair"])
        let archive = try fixture.write("bundle.tar.gz", try BundleArchive.pack(files))
        try cosign([
            "sign-blob", "--yes", "--key", "cosign.key", "--tlog-upload=false", "--output-signature", archive + ".sig",
            archive,
        ])
        let key = fixture.folder.path + "/cosign.pub"
        let store = try fixture.store(archive, keys: [key])
        #expect(try fixture.pull(store).version == 1)
        #expect(try store.bundle().fingerprint == BundleKey.read([key])[0].fingerprint)
        // Under the organisation's other key it is nothing.
        #expect(fixture.refusal(try fixture.store(archive)).contains("none of the configured keys has signed it"))
        let bytes = try File.read(archive)
        let signature = try File.read(archive + ".sig")
        for index in stride(from: 0, to: bytes.count, by: 3) {
            var other = bytes
            other[index] ^= 0x40
            #expect(
                fixture.fault(other, signature: signature, keys: try BundleKey.read([key])) != "accepted", "\(index)")
        }
        for other in [[], Array("????".utf8), Array("AAAA".utf8), Array(signature.dropLast(4))] {
            #expect(fixture.fault(bytes, signature: other, keys: try BundleKey.read([key])) != "accepted")
        }
        // A signature within that does not hold is not made good by one beside it.
        let token = try BundleFixture().token(BundleFixture.payload(files))
        let mixed = try fixture.write("mixed.tar.gz", BundleArchive.pack([BundleFixture.signatures(token)] + files))
        try cosign([
            "sign-blob", "--yes", "--key", "cosign.key", "--tlog-upload=false", "--output-signature", mixed + ".sig",
            mixed,
        ])
        #expect(fixture.refusal(try fixture.store(mixed, keys: [key])).contains("none of the configured keys"))
    }

    @Test("a P-256 key signs the JSON Web Signature with ES256, as opa sign does")
    func es256() throws {
        let runner = SystemCommandRunner()
        let key = fixture.folder.path + "/p256.pem"
        try runner.require(
            Command("openssl", ["genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key]),
            "openssl makes no key")
        try runner.require(
            Command("openssl", ["pkey", "-in", key, "-pubout", "-out", key + ".pub"]), "openssl makes no key")
        let keys = try BundleKey.read([key + ".pub"])
        // Numbers of 31 bytes come up once in some hundred signatures.
        for round in 0..<40 {
            let sign = { (message: [UInt8]) throws -> [UInt8] in
                let der = try runner.require(
                    Command("openssl", ["dgst", "-sha256", "-sign", key], input: message), "openssl does not sign"
                ).output
                return Self.pair(der)
            }
            let token = try fixture.token(BundleFixture.payload(files), header: ["alg": "ES256"], sign: sign)
            let archive = try BundleArchive.pack([BundleFixture.signatures(token)] + files)
            #expect(fixture.fault(archive, keys: keys) == "accepted", "\(round)")
            #expect(fixture.fault(archive) == "none of the configured keys has signed it")
        }
        for odd in [
            [], [UInt8](repeating: 0, count: 64), [UInt8](repeating: 255, count: 64), [UInt8](repeating: 1, count: 65),
        ] {
            let token = try fixture.token(BundleFixture.payload(files), header: ["alg": "ES256"]) { _ in odd }
            let archive = try BundleArchive.pack([BundleFixture.signatures(token)] + files)
            #expect(fixture.fault(archive, keys: keys) == "none of the configured keys has signed it")
        }
    }

    /// Two numbers of 32 bytes of an ASN.1 sequence.
    private static func pair(_ der: [UInt8]) -> [UInt8] {
        var rest = der.dropFirst(2)
        var pair: [UInt8] = []
        for _ in 0..<2 {
            let count = Int(rest[rest.startIndex + 1])
            let digits = rest.dropFirst(2).prefix(count).drop { $0 == 0 }
            pair += [UInt8](repeating: 0, count: 32 - digits.count) + digits
            rest = rest.dropFirst(2 + count)
        }
        return pair
    }
}
