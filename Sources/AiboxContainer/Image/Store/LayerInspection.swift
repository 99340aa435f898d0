import AiboxCrypto
import AiboxSystem
import Glibc

/// What a layer's archive holds, as far as an image promises something about it.
struct LayerInspection {
    let digest: ImageDigest
    private(set) var versions: [String: String] = [:]
    private(set) var findings: [ImageVerification.Finding] = []

    private var privileged: [String] = []
    private var attributes: [String] = []
    private var special: [String] = []
    private var hostKeys: [String] = []
    private var left: [String] = []
    private var accounts: [String: [UInt8]] = [:]
    private var overlay: [String: [UInt8]] = [:]

    init(path: String, recipe: ImageRecipe, user: ImageUser = ImageRecipe.user) throws(AiboxError) {
        let file = Descriptor(try retrying("cannot read \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
        let hash = try SHA256()
        let reader = TarReader(file) { (bytes: UnsafeRawBufferPointer) throws(AiboxError) in try hash.update(bytes) }
        let rules = RootfsRules(epoch: .max, omitted: recipe.omitted)
        let own = recipe.ownFiles
        while let entry = try reader.next() {
            if entry.kind != .folder, entry.mode & 0o6000 != 0 { privileged.append(entry.path) }
            if entry.hasAttributes { attributes.append(entry.path) }
            if case .special = entry.kind { special.append(entry.path) }
            if RootfsRules.matches(entry.path, "etc/ssh/ssh_host_*") { hostKeys.append(entry.path) }
            if own[entry.path] == nil, rules.leavesOut(entry.path) { left.append(entry.path) }
            if AccountFiles.paths.contains(entry.path) { accounts[entry.path] = try reader.readContent() }
            if own[entry.path] != nil { overlay[entry.path] = try reader.readContent() }
            if entry.path == "var/lib/dpkg/status" {
                versions = DpkgStatus.versions(try reader.readContent())
            }
        }
        try reader.drain()
        digest = ImageDigest(try hash.finish())
        let changed = own.filter { overlay[$0.key] != $0.value }.keys.sorted()
        findings = [
            Self.finding("no setuid or setgid program", privileged),
            Self.finding("no file capability or other attribute", attributes),
            Self.finding("no device", special),
            Self.finding("no SSH host key", hostKeys),
            Self.finding("nothing of the building machine, no log, no cache", left),
            Self.finding("the recipe's own files are unchanged", changed),
            Self.account(user, accounts),
        ]
    }

    private static func finding(_ check: String, _ paths: [String]) -> ImageVerification.Finding {
        let more = paths.count > 3 ? " and \(paths.count - 3) more" : ""
        return ImageVerification.Finding(
            check: check,
            problem: paths.isEmpty
                ? nil : paths.prefix(3).map { "/" + SafeText.escaped($0) }.joined(separator: ", ") + more)
    }

    /// The user is there, with the right numbers and no password, and is the only one beside the system's.
    private static func account(_ user: ImageUser, _ files: [String: [UInt8]]) -> ImageVerification.Finding {
        func lines(_ path: String) -> [[String]] {
            String(decoding: files[path] ?? [], as: UTF8.self).split(separator: "\n").map {
                $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            }
        }
        let number = String(user.id)
        let check = "the user \(user.name) has the number \(number) and no password"
        let found = lines("etc/passwd").first { $0.first == user.name }
        guard let found, found.count >= 7, found[2] == number, found[3] == number, found[5] == user.home,
            lines("etc/shadow").contains(where: { $0.count > 1 && $0[0] == user.name && $0[1] == "*" })
        else { return ImageVerification.Finding(check: check, problem: "its account is missing or different") }
        let open = lines("etc/shadow").filter { $0.count > 1 && !($0[1].hasPrefix("*") || $0[1].hasPrefix("!")) }
        let root = lines("etc/passwd").filter { $0.count > 2 && $0[2] == "0" && $0[0] != "root" }
        let wrong = (open + root).compactMap(\.first)
        return ImageVerification.Finding(
            check: check, problem: wrong.isEmpty ? nil : "these accounts are open: \(wrong.joined(separator: ", "))")
    }
}
