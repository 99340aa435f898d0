import AiboxConfig
import AiboxCrypto
import AiboxSystem
import AiboxWire

/// A bundle as it was fetched: the packed files and, where those hold no signature of their own, the one beside them.
struct BundleCopy: Sendable, Equatable {
    var archive: [UInt8]
    /// As cosign writes it: base64 over the archive's bytes.
    var signature: [UInt8]?
}

/// A bundle whose signature holds: the policy of the organisation or of a team, with a version and an end.
struct PolicyBundle: Sendable, Equatable {
    let manifest: BundleManifest
    /// When it can no longer be used: the manifest's moment, or that of the signature where that is earlier.
    let expires: Timestamp
    /// When the signature begins to hold (`nbf`).
    let starts: Timestamp?
    /// SHA-256 over names and contents, whatever they are packed in and whoever signed.
    let digest: String
    /// Of the key that signed it.
    let fingerprint: String
    private let policy: [UInt8]
    private let rego: [BundleFile]

    static let policyFile = "policy.yaml"

    /// In messages: `bundle org v7`.
    var name: String { "bundle \(manifest.layer.rawValue) v\(manifest.version)" }

    /// Checks everything that does not depend on the time.
    ///
    /// - Throws: `policyInvalid` with the reason.
    init(_ copy: BundleCopy, keys: [BundleKey], layer: PolicyLayer, from source: String) throws(AiboxError) {
        do {
            try self.init(checking: copy, keys: keys, layer: layer)
        } catch let fault as BundleFault {
            throw AiboxError(
                .policyInvalid, "cannot use the bundle \(SafeText.escaped(source))", why: SafeText.escaped(fault.why))
        } catch let error as AiboxError {
            throw error
        } catch {
            throw AiboxError(.policyInvalid, "cannot use the bundle \(SafeText.escaped(source))", why: "\(error)")
        }
    }

    private init(checking copy: BundleCopy, keys: [BundleKey], layer: PolicyLayer) throws {
        let files = try BundleArchive.files(copy.archive)
        var end: Timestamp?
        var start: Timestamp?
        if let file = files.first(where: { $0.name == BundleSignature.fileName }) {
            let signature = try BundleSignature(file, keys: keys, layer: layer)
            try signature.check(files)
            fingerprint = signature.key.fingerprint
            (start, end) = (signature.notBefore, signature.expires)
        } else {
            fingerprint = try Self.signer(of: copy, keys).fingerprint
        }
        let contents = files.filter { $0.name != BundleSignature.fileName }
        guard let file = contents.first(where: { $0.name == BundleManifest.fileName }) else {
            throw BundleFault("it has no \(BundleManifest.fileName)")
        }
        manifest = try BundleManifest(BundleHash.parse(file))
        guard manifest.layer == layer else {
            throw BundleFault("it is for the layer \(manifest.layer.rawValue), not \(layer.rawValue)")
        }
        starts = start
        expires = min(manifest.expires, end ?? manifest.expires)
        var policy: [UInt8]?
        var rego: [BundleFile] = []
        for file in contents {
            switch file.name {
            case BundleManifest.fileName: break
            case Self.policyFile: policy = file.bytes
            // opa build adds it to every bundle.
            case "data.json" where try BundleHash.parse(file) == [:]: break
            case let name where name.hasSuffix(".rego"): rego.append(file)
            default: throw BundleFault("it holds \(file.name), which nothing reads")
            }
        }
        guard let policy else { throw BundleFault("it has no \(Self.policyFile)") }
        if layer == .team, let file = rego.first {
            throw BundleFault("it holds \(file.name), and Rego is the organisation's alone")
        }
        self.policy = policy
        self.rego = rego.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        digest = try Self.digest(contents)
        for file in self.rego { try check(package: file) }
    }

    private static func signer(of copy: BundleCopy, _ keys: [BundleKey]) throws -> BundleKey {
        guard let text = copy.signature else { throw BundleFault("it is not signed") }
        guard let signature = Base64.decode(String(decoding: text, as: UTF8.self).filter { !$0.isWhitespace }) else {
            throw BundleFault("the signature beside it is no base64")
        }
        for key in keys where try key.key.isValid(signature, of: copy.archive) { return key }
        throw BundleFault("none of the configured keys has signed it")
    }

    private static func digest(_ files: [BundleFile]) throws(AiboxError) -> String {
        var lines = ""
        for file in files.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            lines += "\(try SHA256.digest(file.bytes).hex)  \(file.name)\n"
        }
        return try SHA256.digest(Array(lines.utf8)).hex
    }

    private func check(package file: BundleFile) throws(BundleFault) {
        guard let package = PolicyModules.packageName(file.bytes), PolicyModules.isOwn(package: package) else {
            throw BundleFault("the package of \(file.name) is not aibox.org, nor one below it")
        }
        guard manifest.owns(package: package) else {
            throw BundleFault("the package of \(file.name) lies outside of the roots in its manifest")
        }
    }
}

extension PolicyBundle {
    var source: PolicySet.Source {
        PolicySet.Source(layer: manifest.layer, file: "\(name): \(Self.policyFile)", bytes: policy)
    }

    /// Its Rego but tests.
    var modules: [PolicyModules.Source] {
        rego.filter { !$0.name.hasSuffix("_test.rego") }.map {
            PolicyModules.Source(name: "\(name): \($0.name)", text: $0.bytes, isOwn: true)
        }
    }

    /// Refuses one whose documents cannot be read, so that it does not take the place of one that can.
    func requireReadable(_ baseline: PolicyModules) throws(AiboxError) {
        let read = PolicyDocument.read(policy, layer: manifest.layer, file: source.file)
        if let error = AiboxError(.policyInvalid, "cannot use \(name)", problems: read.problems) { throw error }
        if !modules.isEmpty { _ = try PolicyEngine(PolicyModules(baseline.sources + modules)) }
    }
}
