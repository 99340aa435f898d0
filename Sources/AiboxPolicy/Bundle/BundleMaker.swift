import AiboxCrypto
public import AiboxSystem
import AiboxWire

/// Makes signed bundles of folders: the other side of `PolicyBundle`, for those who own a policy.
public struct BundleMaker {
    private let seed: SecretBytes
    private let key: BundleKey

    /// What an Ed25519 key in PKCS #8 begins with (RFC 8410, section 7).
    private static let prefix: [UInt8] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    /// - Parameter file: an Ed25519 key in PEM, as `openssl genpkey -algorithm ed25519` makes it.
    public init(key file: String) throws(AiboxError) {
        let lines = try File.text(file, limit: 65_536).split(whereSeparator: \.isNewline)
        guard lines.first == "-----BEGIN PRIVATE KEY-----", lines.last == "-----END PRIVATE KEY-----",
            let bytes = Base64.decode(lines.dropFirst().dropLast().joined()), bytes.starts(with: Self.prefix),
            bytes.count == Self.prefix.count + Ed25519.keyCount
        else {
            throw AiboxError(
                .usage, "cannot use the key \(SafeText.escaped(file))", why: "it is no unencrypted Ed25519 key in PEM",
                remedy: "openssl genpkey -algorithm ed25519 -out KEY; openssl pkey -in KEY -pubout -out KEY.pub")
        }
        seed = try SecretBytes(Array(bytes.suffix(Ed25519.keyCount)))
        let encoded = BundleKey.ed25519 + (try Ed25519.publicKey(seed: seed))
        guard let key = try BundleKey(PublicKey(encoded: encoded)) else {
            throw AiboxError(.failed, "cannot derive a public key")
        }
        self.key = key
    }

    /// The signed bundle of a folder with `.manifest`, `policy.yaml` and, for an organisation, Rego.
    ///
    /// - Returns: the packed bundle, checked as a machine would that gets it, and what it is.
    public func make(_ folder: String, baseline: PolicyModules) throws(AiboxError) -> (
        archive: [UInt8], bundle: PulledBundle
    ) {
        let files = try BundleFolder.files(folder).filter { $0.name != BundleSignature.fileName }
        let layer: PolicyLayer
        let archive: [UInt8]
        do {
            guard let manifest = files.first(where: { $0.name == BundleManifest.fileName }) else {
                throw BundleFault("it has no \(BundleManifest.fileName)")
            }
            layer = try BundleManifest(BundleHash.parse(manifest)).layer
            archive = try BundleArchive.pack([try signature(files)] + files)
        } catch let error as AiboxError {
            throw error
        } catch let fault as BundleFault {
            throw AiboxError(
                .policyInvalid, "cannot make a bundle of \(SafeText.escaped(folder))", why: SafeText.escaped(fault.why))
        } catch {
            throw AiboxError(.policyInvalid, "cannot make a bundle of \(SafeText.escaped(folder))", why: "\(error)")
        }
        let bundle = try PolicyBundle(BundleCopy(archive: archive), keys: [key], layer: layer, from: folder)
        try bundle.requireReadable(baseline)
        if bundle.expires <= .now {
            throw AiboxError(
                .policyInvalid, "cannot make a bundle of \(SafeText.escaped(folder))",
                why: "it would expire at \(bundle.expires.rfc3339.prefix(19))Z, which has passed")
        }
        return (
            archive,
            PulledBundle(
                layer: layer, version: Int(bundle.manifest.version), revision: bundle.manifest.revision,
                digest: bundle.digest, expires: bundle.expires)
        )
    }

    private func signature(_ files: [BundleFile]) throws -> BundleFile {
        let header: JSONValue = ["alg": "EdDSA", "typ": "JWT", "kid": .string(key.fingerprint)]
        let list = try files.map { file -> JSONValue in
            [
                "name": .string(file.name), "hash": .string(try BundleHash.of(file)),
                "algorithm": .string(BundleHash.algorithm),
            ]
        }
        let payload: JSONValue = ["files": .array(list)]
        let message = Base64.encodeURL(header.bytes) + "." + Base64.encodeURL(payload.bytes)
        let token = message + "." + Base64.encodeURL(try Ed25519.sign(Array(message.utf8), seed: seed))
        let document: JSONValue = ["signatures": [.string(token)]]
        return BundleFile(name: BundleSignature.fileName, bytes: document.bytes)
    }
}
