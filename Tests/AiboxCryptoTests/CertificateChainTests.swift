import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Certificates and their keys")
struct CertificateChainTests {
    @Test("a certificate says what it is, comes from its authority, and from no other")
    func leaf() throws {
        let authority = try CertificateAuthority.make(name: "an authority", days: 1)
        let trusted = try CertificateChain(pem: authority.certificate)
        let own = try trusted.leaf()
        #expect(own.isAuthority && own.isKeyUsageCritical && own.uris.isEmpty && own.subject == "/CN=an authority")
        #expect(own.keyUsage == [.certificateSign, .revocationSign])
        #expect(own.notBefore < .now && own.notAfter > .now)
        // What signs certificates only is no client.
        #expect(throws: AiboxError.self) { try trusted.verify(authorities: trusted, at: .now) }

        let folder = try TemporaryFolder()
        try folder.write("ca.crt", String(decoding: authority.certificate, as: UTF8.self))
        try folder.write("ca.key", String(decoding: authority.key, as: UTF8.self))
        try folder.write(
            "ext",
            "subjectAltName=URI:urn:a,DNS:x.test,URI:urn:b\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n")
        let script = """
            cd "$1"
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$(printf 'a\\033[1m')" -keyout k -out csr
            openssl x509 -req -days 2 -in csr -CA ca.crt -CAkey ca.key -extfile ext -out crt
            """
        try SystemCommandRunner().require(Command("sh", ["-ec", script, "sh", folder.path]), "openssl")
        let chain = try CertificateChain(pem: Array(try File.text(folder.path + "/crt").utf8))
        let leaf = try chain.leaf()
        #expect(leaf.uris == ["urn:a", "urn:b"] && leaf.isForClients && !leaf.isForServers && !leaf.isAuthority)
        #expect(leaf.keyUsage == .digitalSignature && !leaf.isKeyUsageCritical && !leaf.subject.contains("\u{1b}"))
        try chain.verify(authorities: trusted, at: .now)
        let other = try CertificateChain(pem: try CertificateAuthority.make(name: "an authority", days: 1).certificate)
        #expect(throws: AiboxError.self) { try chain.verify(authorities: other, at: .now) }
        for seconds in [leaf.notBefore.seconds - 1, leaf.notAfter.seconds + 1] {
            #expect(throws: AiboxError.self) { try chain.verify(authorities: trusted, at: Timestamp(seconds: seconds)) }
        }
    }

    @Test("certificates are told apart from what is none, and are not without number")
    func reading() throws {
        let authority = try CertificateAuthority.make(name: "a", days: 1)
        let one = try CertificateChain(pem: authority.certificate).certificates[0]
        #expect(try CertificateChain(concatenated: one + one).certificates == [one, one])
        #expect(try CertificateChain(pem: authority.certificate + authority.certificate).certificates.count == 2)
        let most = Array(repeating: one, count: CertificateChain.longest).flatMap { $0 }
        #expect(try CertificateChain(concatenated: most).certificates.count == CertificateChain.longest)
        for bytes in [[], [0], one + [0], Array(one.dropLast()), [0x30] + one, most + one] {
            #expect(throws: AiboxError.self) { try CertificateChain(concatenated: bytes) }
        }
        #expect(throws: AiboxError.self) { try CertificateChain(pem: authority.key) }
    }

    @Test("an identity is a certificate with the key that fits it")
    func identity() throws {
        let (one, two) = (
            try CertificateAuthority.make(name: "a", days: 1), try CertificateAuthority.make(name: "a", days: 1)
        )
        #expect(try TLSClientIdentity(pem: one.certificate + one.key).chain.certificates.count == 1)
        #expect(try TLSClientIdentity(pem: one.key + one.certificate + two.certificate).chain.certificates.count == 2)
        for text in [one.certificate + two.key, one.certificate, one.key, Array("text".utf8), []] {
            #expect(throws: AiboxError.self) { try TLSClientIdentity(pem: text) }
        }
        let chain = try CertificateChain(pem: one.certificate)
        for bytes: [UInt8] in [[], [0x30], Array("key".utf8), [0x30, 0x80, 0, 0]] {
            #expect(throws: AiboxError.self) { try TLSClientIdentity(chain: chain, key: try SecretBytes(bytes)) }
        }
    }

    @Test("damaged certificates are read or not, never worse", arguments: 0..<10 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let honest = try CertificateChain(pem: try CertificateAuthority.make(name: "a", days: 1).certificate)
        for _ in 0..<300 {
            var bytes = honest.certificates[0]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard bytes != honest.certificates[0], let chain = try? CertificateChain(concatenated: bytes) else {
                continue
            }
            _ = try? chain.leaf()
            #expect(throws: AiboxError.self) { try chain.verify(authorities: honest, at: .now) }
        }
    }

    @Test("signatures of the wrong shape, and keys of the wrong kind, are just not valid")
    func signatures() throws {
        let runner = SystemCommandRunner()
        let folder = try TemporaryFolder()
        func key(_ words: [String]) throws -> PublicKey {
            try runner.require(Command("openssl", ["genpkey", "-out", folder.path + "/k"] + words), "openssl")
            let pem = try runner.require(Command("openssl", ["pkey", "-in", folder.path + "/k", "-pubout"]), "openssl")
            return try PublicKey.all(pem: pem.text)[0]
        }
        let keys = [
            try key(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            try key(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
            try key(["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), try key(["-algorithm", "ED25519"]),
        ]
        for key in keys {
            for algorithm in JWSAlgorithm.allCases {
                for count in [0, 1, 63, 64, 65, 96, 132, 256] {
                    for byte: UInt8 in [0, 1, 0x80, 0xff] {
                        let signature = [UInt8](repeating: byte, count: count)
                        #expect(try !key.isValid(signature, of: [1, 2, 3], algorithm: algorithm))
                    }
                }
            }
        }
        // Points that are on no curve, and numbers that make no key.
        for (x, y) in [([UInt8](repeating: 1, count: 32), [UInt8](repeating: 1, count: 32)), ([], []), ([1], [1])] {
            #expect(throws: AiboxError.self) { try PublicKey(curve: "P-256", x: x, y: y) }
        }
        #expect(throws: AiboxError.self) {
            try PublicKey(curve: "secp256k1", x: [UInt8](repeating: 1, count: 32), y: [UInt8](repeating: 1, count: 32))
        }
        #expect(throws: AiboxError.self) {
            try PublicKey(rsaModulus: [UInt8](repeating: 1, count: 5000), exponent: [3])
        }
    }
}
