import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("Signed bundles")
struct PolicyBundleTests {
    private let fixture: BundleFixture
    private let files = [BundleFixture.manifest(version: 7), BundleFixture.policy(), BundleFixture.rego]

    init() throws { fixture = try BundleFixture() }

    @Test("a bundle that holds is read, and its documents are named by it")
    func holds() throws {
        let bundle = try fixture.open(fixture.signed(files))
        #expect(bundle.name == "bundle org v7")
        #expect(bundle.source.file == "bundle org v7: policy.yaml" && bundle.source.layer == .org)
        #expect(bundle.modules.map(\.name) == ["bundle org v7: rules/night.rego"] && bundle.modules[0].isOwn)
        #expect(bundle.manifest.revision == "r1" && bundle.expires.rfc3339.hasPrefix("2099-01-01T00:00:00"))
        #expect(bundle.fingerprint == (try fixture.keys[0].fingerprint))
    }

    @Test("one bit changed anywhere, packed or unpacked, is refused or changes nothing")
    func flipped() throws {
        let packed = try fixture.signed([BundleFixture.manifest(), BundleFixture.policy()])
        let whole = try fixture.open(packed)
        let tar = try Gzip.expand(packed, limit: 1 << 20)
        for (bytes, repack) in [(packed, false), (tar, true)] {
            for index in bytes.indices {
                var other = bytes
                other[index] ^= 1 << UInt8(index % 8)
                let archive = repack ? try Gzip.compress(other) : other
                guard let bundle = try? fixture.open(archive) else { continue }
                #expect(bundle.digest == whole.digest && bundle.source == whole.source, "byte \(index)")
                #expect(bundle.manifest == whole.manifest && bundle.fingerprint == whole.fingerprint, "byte \(index)")
            }
        }
    }

    @Test("a file added, taken away, renamed, exchanged or signed twice is refused")
    func fileSets() throws {
        let signature = BundleFixture.signatures(try fixture.token(BundleFixture.payload(files)))
        func fault(_ files: [BundleFile]) throws -> String {
            fixture.fault(try BundleArchive.pack([signature] + files))
        }
        #expect(try fault(files) == "accepted")
        #expect(
            try fault(files + [BundleFile(name: "rules/b.rego", bytes: [])])
                == "rules/b.rego is not among what was signed")
        #expect(try fault(Array(files.dropLast())) == "rules/night.rego was signed and is missing")
        #expect(try fault(Array(files.dropFirst())) == ".manifest was signed and is missing")
        var renamed = files
        renamed[2].name = "rules/other.rego"
        #expect(try fault(renamed) == "rules/other.rego is not among what was signed")
        var exchanged = files
        exchanged[1] = BundleFixture.policy("runtime: {engine: crun}")
        #expect(try fault(exchanged) == "policy.yaml is not what was signed")
        let twice = BundleFixture.signatures(try fixture.token(BundleFixture.payload(files + [files[1]])))
        #expect(fixture.fault(try BundleArchive.pack([twice] + files)) == "its signature names a file twice")
        // White space and the order of keys of a structured file are none of the signature's business, as in OPA.
        var respaced = files
        respaced[0].bytes = try BundleHash.canonical(BundleHash.parse(files[0]))
        #expect(try fault(respaced) == "accepted")
        var doubled = files
        doubled[0].bytes = Array(#"{"revision":"a","revision":"b"}"#.utf8)
        #expect(try fault(doubled).contains(".manifest is no JSON"))
    }

    @Test("no algorithm but the key's own is taken")
    func algorithms() throws {
        let payload = try BundleFixture.payload(files)
        let publicText = try File.read(fixture.publicKey)
        let raw = try fixture.keys[0].key.encoded
        func fault(_ header: JSONValue, _ sign: (([UInt8]) throws -> [UInt8])? = nil) throws -> String {
            let token = try fixture.token(payload, header: header, sign: sign)
            return fixture.fault(try BundleArchive.pack([BundleFixture.signatures(token)] + files))
        }
        #expect(try fault(["alg": "EdDSA", "typ": "JWT", "kid": "any"]) == "accepted")
        for name in ["none", "None", "NONE", "", "HS256", "RS256", "ES384", "eddsa", "Ed25519", "EdDSA\n"] {
            #expect(try fault(["alg": .string(name)], { _ in [] }).contains("not EdDSA or ES256"), "\(name)")
            #expect(try fault(["alg": .string(name)]).contains("not EdDSA or ES256"), "\(name)")
        }
        // The public key as the secret of an HMAC, in the forms that libraries were fooled with.
        for secret in [publicText, raw, Array(raw.suffix(32))] {
            let sign = { (bytes: [UInt8]) throws -> [UInt8] in try HMACSHA256.authenticate(bytes, key: secret).bytes }
            #expect(try fault(["alg": "HS256"], sign).contains("not EdDSA or ES256"))
            #expect(try fault(["alg": "EdDSA"], sign) == "none of the configured keys has signed it")
        }
        #expect(try fault(["alg": "ES256"]) == "none of the configured keys has signed it")
        #expect(try fault(["alg": "EdDSA"], { _ in [] }) == "none of the configured keys has signed it")
        #expect(try fault(["alg": "EdDSA", "crit": ["exp"]]).contains("crit"))
        #expect(try fault(["typ": "JWT"]).contains("made with nothing"))
        #expect(try fault(["alg": ["EdDSA"]]).contains("made with nothing"))
        // A key that the header brings along is nobody's.
        let jwk: JSONValue = ["kty": "OKP", "crv": "Ed25519", "x": "AAAA"]
        let other = try BundleFixture()
        let foreign = try other.token(payload, header: ["alg": "EdDSA", "jwk": jwk])
        let archive = try BundleArchive.pack([BundleFixture.signatures(foreign)] + files)
        #expect(fixture.fault(archive) == "none of the configured keys has signed it")
        #expect(fixture.fault(try other.signed(files)) == "none of the configured keys has signed it")
        #expect(fixture.fault(try other.signed(files), keys: try fixture.keys + other.keys) == "accepted")
        #expect(fixture.fault(try fixture.signed(files), keys: []) == "none of the configured keys has signed it")
    }

    @Test("a signature file of another form is refused")
    func signatureFiles() throws {
        let token = try fixture.token(BundleFixture.payload(files))
        let parts = token.split(separator: ".").map(String.init)
        func fault(_ text: String) throws -> String {
            let file = BundleFile(name: ".signatures.json", bytes: Array(text.utf8))
            return fixture.fault(try BundleArchive.pack([file] + files))
        }
        #expect(try fault(#"{"signatures":["\#(token)"],"plugin":"_default"}"#) == "accepted")
        for text in [
            "", "[]", "{}", #"{"signatures":[]}"#, #"{"signatures":["\#(token)","\#(token)"]}"#,
            #"{"signatures":"\#(token)"}"#, #"{"signatures":[1]}"#, #"{"signatures":["\#(token)"],"plugin":"x"}"#,
            #"{"signatures":["\#(token)"],"more":1}"#, #"{"signatures":["\#(parts[0]).\#(parts[1])"]}"#,
            #"{"signatures":["\#(token)."]}"#, #"{"signatures":["\#(token)="]}"#, #"{"signatures":[" \#(token)"]}"#,
            #"{"signatures":["\#(parts[0]).\#(parts[1])."]}"#, #"{"signatures":["..\#(parts[2])"]}"#,
            #"{"signatures":["\#(parts[0])..\#(parts[2])"]}"#,
        ] { #expect(try fault(text) != "accepted", "\(text)") }
        // Without any there has to be one beside it.
        #expect(fixture.fault(try BundleArchive.pack(files)) == "it is not signed")
        // In a folder of its own it is no signature but a file that nobody signed.
        let hidden = BundleFile(name: "x/.signatures.json", bytes: BundleFixture.signatures(token).bytes)
        #expect(fixture.fault(try BundleArchive.pack([hidden] + files)) == "it is not signed")
    }

    @Test("the payload: scope, weak hashes, missing parts, and an end of its own")
    func payloads() throws {
        func fault(_ change: (inout JSONObject) -> Void) throws -> String {
            var payload = try BundleFixture.payload(files)
            change(&payload)
            return fixture.fault(try BundleArchive.pack([BundleFixture.signatures(try fixture.token(payload))] + files))
        }
        #expect(try fault { $0["scope"] = "org" } == "accepted")
        #expect(try fault { $0["scope"] = "team" }.contains("scope"))
        #expect(try fault { $0["scope"] = 1 }.contains("scope"))
        #expect(try fault { $0["files"] = nil } == "its signature names no files")
        #expect(try fault { $0["files"] = [] }.contains("not among what was signed"))
        #expect(try fault { $0["exp"] = "soon" }.contains("exp"))
        for weak in ["MD5", "SHA-1", "SHA-512", "sha-256", ""] {
            #expect(
                try fault {
                    $0["files"] = [["name": "policy.yaml", "hash": "00", "algorithm": .string(weak)]]
                }.contains("by another hash than SHA-256"))
        }
        var payload = try BundleFixture.payload(files)
        payload["exp"] = 1_900_000_000
        let signature = BundleFixture.signatures(try fixture.token(payload))
        #expect(try fixture.open(try BundleArchive.pack([signature] + files)).expires.seconds == 1_900_000_000)
    }

    @Test("a manifest without what aibox asks for, or with more than it knows, is refused")
    func manifests() throws {
        func fault(_ manifest: BundleFile, _ more: [BundleFile] = []) throws -> String {
            fixture.fault(try fixture.signed([manifest, BundleFixture.policy()] + more))
        }
        func text(_ text: String) -> BundleFile { BundleFile(name: ".manifest", bytes: Array(text.utf8)) }
        #expect(try fault(BundleFixture.manifest(layer: "team")) == "it is for the layer team, not org")
        #expect(try fault(BundleFixture.manifest(layer: "project")).contains("neither org nor team"))
        for version: Int64 in [0, -1, .max] {
            #expect(try fault(BundleFixture.manifest(version: version)).contains("version"))
        }
        for expires in ["", "never", "2099-01-01", "2099-13-01T00:00:00Z", "4070908800"] {
            #expect(try fault(BundleFixture.manifest(expires: expires)).contains("expires"))
        }
        #expect(try fault(BundleFixture.manifest(more: #", "wasm": []"#)).contains("does not know: wasm"))
        #expect(try fault(BundleFixture.manifest(more: #", "rego_version": 0"#)).contains("Rego"))
        #expect(try fault(BundleFixture.manifest(more: #", "rego_version": 1"#)) == "accepted")
        #expect(try fault(text("[]")) == "its manifest is no object")
        #expect(try fault(text(#"{"metadata": {}}"#)).contains("metadata.aibox"))
        #expect(fixture.fault(try fixture.signed([BundleFixture.manifest()])) == "it has no policy.yaml")
        #expect(fixture.fault(try fixture.signed([BundleFixture.policy()])) == "it has no .manifest")
    }

    @Test("files that nothing reads, and Rego outside of its package, its roots or its layer, are refused")
    func contents() throws {
        func fault(_ file: BundleFile, layer: PolicyLayer = .org) throws -> String {
            fixture.fault(
                try fixture.signed([BundleFixture.manifest(layer: layer.rawValue), BundleFixture.policy(), file]),
                layer: layer)
        }
        func rego(_ package: String) -> BundleFile {
            BundleFile(name: "a.rego", bytes: Array("package \(package)\n".utf8))
        }
        #expect(try fault(rego("aibox.org")) == "accepted")
        #expect(try fault(rego("aibox.org.x")) == "accepted")
        for package in ["aibox", "aibox.verdict", "aibox.organ", "other", "aibox.org[\"x\"]", ""] {
            #expect(try fault(rego(package)).contains("not aibox.org"), "\(package)")
        }
        #expect(try fault(rego("aibox.org"), layer: .team).contains("the organisation's alone"))
        #expect(try fault(BundleFile(name: "data.json", bytes: Array("{}".utf8))) == "accepted")
        #expect(try fault(BundleFile(name: "data.json", bytes: Array(#"{"a":1}"#.utf8))).contains("nothing reads"))
        #expect(try fault(BundleFile(name: "Policy.yaml", bytes: [])).contains("nothing reads"))
        #expect(try fault(BundleFile(name: "x/policy.yaml", bytes: [])).contains("nothing reads"))
        let rooted = BundleFile(
            name: ".manifest",
            bytes: Array(
                String(decoding: BundleFixture.manifest().bytes, as: UTF8.self).replacing(
                    "aibox/org", with: "aibox/org/a"
                ).utf8))
        let outside = try fixture.signed([rooted, BundleFixture.policy(), rego("aibox.org.ab")])
        #expect(fixture.fault(outside).contains("outside of the roots"))
        #expect(
            fixture.fault(try fixture.signed([rooted, BundleFixture.policy(), rego("aibox.org.a.b")])) == "accepted")
    }

    @Test("the canonical form of structured files is OPA's")
    func canonical() throws {
        let text = #"{"b": [1, true, null, "<é>\u2028\u0001\"\\"], "a": {"z": -5, "B": ""}, "aa": []}"#
        let form = try BundleHash.canonical(try JSONParser.parse(Array(text.utf8)))
        #expect(
            String(decoding: form, as: UTF8.self)
                == #"{"a":{"B":"","z":-5},"aa":[],"b":[1,true,null,"<é>\u2028\u0001\"\\"]}"#)
        let pi = BundleFile(name: ".manifest", bytes: Array("[3.14]".utf8))
        #expect(throws: BundleFault.self) { try BundleHash.of(pi) }
        #expect(try BundleHash.of(BundleFile(name: "x.json", bytes: pi.bytes)) == SHA256.digest(pi.bytes).hex)
        // What `opa sign --help` shows for bar/data.json; its content was found by its hash.
        let published = BundleFile(name: "bar/data.json", bytes: Array("{\n  \"hello\" : \"world\" }\n".utf8))
        #expect(
            try BundleHash.of(published) == "93a23971a914e5eacbf0a8d25154cda309c3c1c72fbb9914d47c60f3cb681588")
    }

    @Test("keys: of another kind, private, broken or none are errors")
    func keyFiles() throws {
        let runner = SystemCommandRunner()
        for arguments in [
            ["genpkey", "-algorithm", "rsa"], ["genpkey", "-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
            ["genpkey", "-algorithm", "ed448"],
        ] {
            let key = try runner.require(Command("openssl", arguments), "openssl makes no key").output
            let pem = try runner.require(Command("openssl", ["pkey", "-pubout"], input: key), "no public key").output
            let path = try fixture.write("other.pub", pem)
            let error = #expect(throws: AiboxError.self) { try BundleKey.read([path]) }
            #expect(error?.why == "it is neither an Ed25519 nor a P-256 key")
        }
        #expect(throws: AiboxError.self) { try BundleKey.read([fixture.privateKey]) }
        #expect(throws: AiboxError.self) { try BundleKey.read([fixture.write("empty.pub", [])]) }
        #expect(throws: AiboxError.self) { try BundleKey.read([fixture.folder.path + "/none.pub"]) }
    }

    @Test("the maker's bundles hold, and a folder that would make none is told why")
    func maker() throws {
        let folder = fixture.folder.path + "/b"
        for file in files { try fixture.write("b/" + file.name, file.bytes) }
        let maker = try BundleMaker(key: fixture.privateKey)
        let (archive, made) = try maker.make(folder, baseline: PolicyModules([]))
        let bundle = try fixture.open(archive)
        #expect(bundle.digest == made.digest && made.version == 7 && bundle.modules.count == 1)
        #expect(try maker.make(folder, baseline: PolicyModules([])).archive == archive)
        try fixture.write("b/policy.yaml", Array("version: 1\nbogus: 1\n".utf8))
        let error = #expect(throws: AiboxError.self) { _ = try maker.make(folder, baseline: PolicyModules([])) }
        #expect("\(error as Any)".contains("bundle org v7: policy.yaml:2:1: "))
        #expect(throws: AiboxError.self) { try BundleMaker(key: fixture.publicKey) }
    }
}
