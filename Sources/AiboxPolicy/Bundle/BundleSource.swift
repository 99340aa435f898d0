import AiboxCrypto
import AiboxSystem

/// Fetches a bundle as it is; nothing of it is believed yet.
struct BundleSource {
    let address: BundleAddress
    /// Certificates to trust instead of the system's.
    let authorities: String?
    /// For all of it.
    let patience: Duration

    static let cosignSuffix = ".sig"
    private static let largestSignature = 65_536

    func fetch() throws(AiboxError) -> BundleCopy {
        switch address {
        case .path(let path): return try fetch(path: path)
        case .git(let url, let ref, let path):
            return try GitBundle(url: url, ref: ref, path: path, patience: patience).fetch()
        case .https(let host, let port, let path, let query):
            let exchange = HTTPSExchange(
                host: host, port: port, authorities: authorities, timeout: min(patience, .seconds(10)),
                deadline: .now + patience, largestAnswer: BundleArchive.largest + 65_536)
            let archive = try get(exchange, path + query)
            if Self.isSelfSigned(archive) { return BundleCopy(archive: archive) }
            return BundleCopy(archive: archive, signature: try get(exchange, path + Self.cosignSuffix + query))
        }
    }

    /// Whether the archive holds its signature. One that cannot be read is refused later, with the reason.
    static func isSelfSigned(_ archive: [UInt8]) -> Bool {
        guard let files = try? BundleArchive.files(archive) else { return true }
        return files.contains { $0.name == BundleSignature.fileName }
    }

    /// A redirect is not followed: the place that is configured is the place.
    private func get(_ exchange: HTTPSExchange, _ target: String) throws(AiboxError) -> [UInt8] {
        let answer = try exchange.send("GET", target, headers: [("User-Agent", "aibox-policy"), ("Accept", "*/*")])
        if answer.status == 200 { return answer.body }
        let why =
            (300..<400).contains(answer.status) ? "it redirects, which is not followed" : "status \(answer.status)"
        throw AiboxError(
            .failed, "cannot fetch https://\(exchange.authority)\(SafeText.escaped(target))",
            why: why)
    }

    private func fetch(path: String) throws(AiboxError) -> BundleCopy {
        if File.isDirectory(path) { return BundleCopy(archive: try Self.packed(try BundleFolder.files(path), path)) }
        if File.exists(path), !File.isRegular(path) {
            throw AiboxError(
                .failed, "cannot fetch \(SafeText.escaped(path))", why: "it is neither a file nor a folder")
        }
        let archive = try File.read(path, limit: BundleArchive.largest)
        if Self.isSelfSigned(archive) { return BundleCopy(archive: archive) }
        let signature = path + Self.cosignSuffix
        guard File.exists(signature) else { return BundleCopy(archive: archive) }
        return BundleCopy(archive: archive, signature: try File.read(signature, limit: Self.largestSignature))
    }

    static func packed(_ files: [BundleFile], _ source: String) throws(AiboxError) -> [UInt8] {
        do throws(BundleFault) { return try BundleArchive.pack(files) } catch {
            throw AiboxError(.policyInvalid, "cannot use the bundle \(SafeText.escaped(source))", why: error.why)
        }
    }
}
