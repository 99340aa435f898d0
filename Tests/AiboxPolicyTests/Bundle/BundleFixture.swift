import AiboxConfig
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire

@testable import AiboxPolicy

/// An organisation with keys of its own, and what it, or somebody else, makes of bundles.
struct BundleFixture {
    let folder: TemporaryFolder
    let privateKey: String
    let publicKey: String
    private let seed: [UInt8]

    init() throws {
        folder = try TemporaryFolder(inMemory: true)
        (privateKey, publicKey) = (folder.path + "/key.pem", folder.path + "/key.pub")
        let runner = SystemCommandRunner()
        try runner.require(
            Command("openssl", ["genpkey", "-algorithm", "ed25519", "-out", privateKey]), "openssl makes no key")
        try runner.require(
            Command("openssl", ["pkey", "-in", privateKey, "-pubout", "-out", publicKey]), "openssl makes no key")
        let lines = try File.text(privateKey).split(separator: "\n").dropFirst().dropLast()
        seed = (Base64.decode(lines.joined()) ?? []).suffix(32)
    }

    var keys: [BundleKey] { get throws { try BundleKey.read([publicKey]) } }

    static func manifest(
        layer: String = "org", version: Int64 = 1, expires: String = "2099-01-01T00:00:00Z", revision: String = "r1",
        more: String = ""
    ) -> BundleFile {
        let text = """
            {"revision": "\(revision)", "roots": ["aibox/org"]\(more),
             "metadata": {"aibox": {"layer": "\(layer)", "version": \(version), "expires": "\(expires)"}}}
            """
        return BundleFile(name: ".manifest", bytes: Array(text.utf8))
    }

    static func policy(_ text: String = "runtime: {engine: gvisor}") -> BundleFile {
        BundleFile(name: "policy.yaml", bytes: Array("version: 1\n\(text)\n".utf8))
    }

    static let rego = BundleFile(
        name: "rules/night.rego",
        bytes: Array(
            "package aibox.org\n\ndeny contains {\"rule\": \"night\", \"reason\": \"never\"} if input.action == \"night\"\n"
                .utf8))

    static func payload(_ files: [BundleFile]) throws -> JSONObject {
        [
            "files": .array(
                try files.map {
                    [
                        "name": .string($0.name), "hash": .string(try BundleHash.of($0)),
                        "algorithm": "SHA-256",
                    ]
                })
        ]
    }

    /// A token over a payload; by default as the organisation would make it.
    func token(
        _ payload: JSONObject, header: JSONValue = ["alg": "EdDSA"], sign: (([UInt8]) throws -> [UInt8])? = nil
    ) throws -> String {
        let message = Base64.encodeURL(header.bytes) + "." + Base64.encodeURL(JSONValue.object(payload).bytes)
        let bytes = Array(message.utf8)
        let signature = try sign.map { try $0(bytes) } ?? Ed25519.sign(bytes, seed: SecretBytes(seed))
        return message + "." + Base64.encodeURL(signature)
    }

    static func signatures(_ tokens: String...) -> BundleFile {
        let json: JSONValue = ["signatures": .array(tokens.map { .string($0) })]
        return BundleFile(name: ".signatures.json", bytes: json.bytes)
    }

    /// A bundle that the organisation signed.
    func signed(_ files: [BundleFile]) throws -> [UInt8] {
        try BundleArchive.pack([Self.signatures(try token(Self.payload(files)))] + files)
    }

    func signed(
        _ version: Int64, expires: String = "2099-01-01T00:00:00Z", policy: String = "runtime: {engine: gvisor}"
    )
        throws -> [UInt8]
    {
        try signed([Self.manifest(version: version, expires: expires), Self.policy(policy)])
    }

    func open(_ archive: [UInt8], signature: [UInt8]? = nil, keys: [BundleKey]? = nil, layer: PolicyLayer = .org)
        throws -> PolicyBundle
    {
        try PolicyBundle(
            BundleCopy(archive: archive, signature: signature), keys: try keys ?? self.keys, layer: layer, from: "test")
    }

    /// Why a bundle is refused.
    func fault(_ archive: [UInt8], signature: [UInt8]? = nil, keys: [BundleKey]? = nil, layer: PolicyLayer = .org)
        -> String
    {
        do {
            _ = try open(archive, signature: signature, keys: keys, layer: layer)
            return "accepted"
        } catch let error as AiboxError {
            return error.code == .policyInvalid ? error.why ?? "" : "\(error)"
        } catch {
            return "\(error)"
        }
    }
}

extension BundleFixture {
    /// A store for a source, at a moment in 2030 unless the clock says otherwise.
    func store(
        _ source: String, layer: PolicyLayer = .org, keys: [String]? = nil, authorities: String? = nil,
        clock: @escaping @Sendable () -> Timestamp = { moment(0) }
    ) throws -> BundleStore {
        try BundleStore(
            layer: layer, source: source, keys: keys ?? [publicKey], authorities: authorities,
            root: folder.path + "/state/bundles", clock: clock)
    }

    /// Seconds after 2030-01-01T00:00:00Z.
    static func moment(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_893_456_000 + seconds) }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = folder.path + "/" + name
        try Folder.make(Path.parent(path))
        try File.replace(path, with: bytes)
        return path
    }

    func pull(_ store: BundleStore, patience: Duration = .seconds(20)) throws -> PulledBundle {
        try store.pull(PolicyModules([]), patience: patience) { (_) throws(AiboxError) in }
    }

    /// Why a fetch fails, with its code.
    func refusal(_ store: BundleStore, patience: Duration = .seconds(20)) -> String {
        do {
            _ = try pull(store, patience: patience)
            return "accepted"
        } catch let error as AiboxError {
            return "\(error.code) \(error.reason)"
        } catch {
            return "\(error)"
        }
    }
}

func moment(_ seconds: Int64) -> Timestamp { BundleFixture.moment(seconds) }
