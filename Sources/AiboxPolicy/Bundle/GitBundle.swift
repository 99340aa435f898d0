import AiboxSystem

/// A bundle in a git repository: a packed file, or the files of one in a folder.
struct GitBundle {
    let url: String
    let ref: String
    let path: String
    let patience: Duration

    private static let target = "refs/aibox/bundle"
    private var what: String { "cannot fetch the bundle from \(SafeText.escaped(url))" }
    private var program: GitProgram { GitProgram(timeout: patience) }

    func fetch() throws(AiboxError) -> BundleCopy {
        let folder = try Folder.makeTemporary(prefix: "aibox-bundle")
        defer { try? Folder.removeTree(folder) }
        let repository = folder + "/repository"
        try program.require(["init", "--quiet", "--bare", repository], in: nil, what)
        try program.require(
            [
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--", url,
                "+\(ref):\(Self.target)",
            ],
            in: repository, what)
        let name = Self.target + ":" + path
        let kind = try program.run(["cat-file", "-t", name], in: repository)
        switch kind.text {
        case "tree": return BundleCopy(archive: try BundleSource.packed(try files(name, repository), url))
        case "blob": break
        default: throw AiboxError(.failed, what, why: "\(ref) has no \(SafeText.escaped(path))")
        }
        let archive = try blob(name, repository, limit: BundleArchive.largest)
        if BundleSource.isSelfSigned(archive) { return BundleCopy(archive: archive) }
        let signature = name + BundleSource.cosignSuffix
        guard try program.run(["cat-file", "-t", signature], in: repository).text == "blob" else {
            return BundleCopy(archive: archive)
        }
        return BundleCopy(archive: archive, signature: try blob(signature, repository, limit: 65_536))
    }

    private func blob(_ name: String, _ repository: String, limit: Int) throws(AiboxError) -> [UInt8] {
        guard let size = Int(try program.require(["cat-file", "-s", name], in: repository, what).text), size <= limit
        else { throw AiboxError(.failed, what, why: "a file of it is larger than \(limit) bytes") }
        return try program.require(["cat-file", "blob", name], in: repository, what).output
    }

    /// Every file of a tree as it was committed, without what attributes of the repository would make of it.
    private func files(_ tree: String, _ repository: String) throws(AiboxError) -> [BundleFile] {
        // `MODE TYPE OBJECT SIZE<tab>NAME`, each ended by a zero byte.
        let list = try program.require(["ls-tree", "-r", "-l", "-z", tree], in: repository, what).output
        var files: [BundleFile] = []
        var room = BundleArchive.largestUnpacked
        for entry in list.split(separator: 0) {
            let halves = entry.split(separator: UInt8(ascii: "\t"), maxSplits: 1)
            let words = String(decoding: halves.first ?? [], as: UTF8.self).split(separator: " ")
            guard halves.count == 2, words.count == 4, let name = String(validating: halves[1], as: UTF8.self) else {
                throw AiboxError(.failed, what, why: "git ls-tree answers otherwise than expected")
            }
            guard words[0] == "100644" || words[0] == "100755", let size = Int(words[3]) else {
                throw AiboxError(
                    .policyInvalid, what, why: "\(SafeText.escaped(name)) is neither a file nor a folder")
            }
            room -= size
            guard room >= 0, files.count < BundleTar.largestCount else {
                throw AiboxError(.policyInvalid, what, why: "it is too large, or has too many files")
            }
            let bytes = try program.require(["cat-file", "blob", String(words[2])], in: repository, what).output
            files.append(BundleFile(name: name, bytes: bytes))
        }
        return files
    }
}
