import AiboxCrypto
import AiboxSystem

/// A branch of a git repository. For each log it holds `ID.pub` and `ID.checkpoint`, the newest; the history holds the
/// ones before. Nothing is ever pushed by force: a server that refuses such pushes (receive.denyNonFastForwards) keeps
/// what it was given whoever asks.
struct GitPlace: CheckpointPlace {
    let url: String
    let branch: String
    /// A bare repository of our own with what was pushed last; may be removed at will.
    let cache: String

    private var name: String { "\(url) (\(branch))" }
    private var ref: String { "refs/heads/" + branch }
    /// Files that are looked at; ours have some hundred bytes.
    private static let largestBlob = 65_536
    private static let timeout = Duration.seconds(60)

    func recall(_ log: PlacedLog, isAudit: Bool) throws(AiboxError) -> PlaceMemory? {
        var memory = PlaceMemory(name)
        guard let tip = try remoteTip() else { return memory }
        // What lies in the folder of the log proves nothing against who holds that folder.
        let folder = isAudit ? try Folder.makeTemporary(prefix: "aibox-place") : cache
        defer { if isAudit { try? Folder.removeTree(folder) } }
        try prepare(folder)
        try fetch(into: folder)
        let list = isAudit ? ["rev-list", "--objects", tip] : ["ls-tree", tip]
        let objects = try git(list, in: folder, "cannot read \(name)").text.split(separator: "\n").compactMap { line in
            isAudit ? line.split(separator: " ").first.map(String.init) : Self.blob(of: line, log)
        }
        for blob in try blobs(objects, in: folder) {
            if let checkpoint = Checkpoint(source: blob) {
                try memory.look(at: checkpoint, log)
            } else if let other = try? LogIdentity(blob, from: name) {
                memory.look(at: other, log)
            }
        }
        return memory
    }

    func add(_ log: PlacedLog) throws(AiboxError) {
        guard let newest = log.newest else { return }
        try prepare(cache)
        for attempt in 1...5 {
            let tip = try remoteTip()
            if tip != nil { try fetch(into: cache) }
            guard let commit = try commit(newest, log, on: tip) else { return }
            let push = try program.run(["push", "--quiet", "--no-verify", url, "\(commit):\(ref)"], in: cache)
            if push.succeeded { return }
            // Another log of the same repository may have been faster.
            let now = try remoteTip()
            if attempt == 5 || now == tip {
                throw AiboxError(.failed, "cannot push to \(name)", why: GitProgram.words(push))
            }
        }
    }

    /// A commit with the newest checkpoint on top of the branch; nil if the branch has it.
    private func commit(_ newest: Checkpoint, _ log: PlacedLog, on tip: String?) throws(AiboxError) -> String? {
        let what = "cannot prepare a commit for \(name)"
        let index = cache + "/aibox-index"
        if File.exists(index) { try File.remove(index) }
        let environment = ["GIT_INDEX_FILE": index]
        if let tip { try git(["read-tree", tip], in: cache, environment: environment, what) }
        let files = [
            (log.identity.fileName + ".pub", try log.identity.text()),
            (log.identity.fileName + ".checkpoint", newest.note.source),
        ]
        for (file, text) in files {
            let object = try git(
                ["hash-object", "-w", "--no-filters", "--stdin"], in: cache, input: Array(text.utf8), what
            ).text
            try git(
                ["update-index", "--add", "--cacheinfo", "100644,\(object),\(file)"], in: cache,
                environment: environment, what)
        }
        let tree = try git(["write-tree"], in: cache, environment: environment, what).text
        if let tip, try git(["rev-parse", tip + "^{tree}"], in: cache, what).text == tree { return nil }
        let message = "\(log.identity.origin): \(newest.size) events at \(newest.time)\n"
        let parents = tip.map { ["-p", $0] } ?? []
        return try git(["commit-tree", tree] + parents, in: cache, input: Array(message.utf8), what).text
    }

    /// The files that bear on a log: its own, and those of logs that were made at the same place.
    private static func blob(of line: Substring, _ log: PlacedLog) -> String? {
        // `100644 blob OBJECT<tab>NAME`
        let halves = line.split(separator: "\t", maxSplits: 1)
        let words = halves.first?.split(separator: " ") ?? []
        guard halves.count == 2, words.count == 3, words[1] == "blob",
            halves[1].hasPrefix(log.identity.fileName.prefix(16))
        else { return nil }
        return String(words[2])
    }

    /// The texts of those objects that are files of ours in size.
    private func blobs(_ objects: [String], in folder: String) throws(AiboxError) -> [String] {
        func input(_ objects: some Sequence<String>) -> [UInt8] {
            Array(objects.map { $0 + "\n" }.joined().utf8)
        }
        let what = "cannot read \(name)"
        let sizes = try git(
            ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"], in: folder, input: input(objects),
            what
        ).text
        let wanted = sizes.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard words.count == 3, words[1] == "blob", let size = Int(words[2]), size <= Self.largestBlob else {
                return nil
            }
            return String(words[0])
        }
        let bytes = try git(["cat-file", "--batch"], in: folder, input: input(wanted), what).output
        var texts: [String] = []
        var position = 0
        // `OBJECT blob SIZE`, the content, a newline.
        while position < bytes.count, let end = bytes[position...].firstIndex(of: 0x0a) {
            let words = String(decoding: bytes[position..<end], as: UTF8.self).split(separator: " ")
            guard words.count == 3, let size = Int(words[2]), size >= 0, end + 1 + size < bytes.count else {
                throw AiboxError(.failed, what, why: "git cat-file answers otherwise than expected")
            }
            texts.append(String(decoding: bytes[(end + 1)..<(end + 1 + size)], as: UTF8.self))
            position = end + size + 2
        }
        return texts
    }

    // MARK: git

    private func remoteTip() throws(AiboxError) -> String? {
        let answer = try git(["ls-remote", url, ref], in: nil, "cannot reach \(name)").text
        let tip = answer.split(separator: "\t").first.map(String.init)
        guard let tip, tip.allSatisfy(\.isHexDigit) else { return nil }
        return tip
    }

    private func prepare(_ folder: String) throws(AiboxError) {
        if File.exists(folder + "/HEAD") { return }
        try git(["init", "--quiet", "--bare", folder], in: nil, "cannot make \(folder)")
    }

    private func fetch(into folder: String) throws(AiboxError) {
        try git(
            ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", url, "+\(ref):\(ref)"], in: folder,
            "cannot fetch from \(name)")
    }

    @discardableResult
    private func git(
        _ arguments: [String], in folder: String?, environment: [String: String] = [:], input: [UInt8] = [],
        _ what: @autoclosure () -> String
    ) throws(AiboxError) -> CommandResult {
        try program.require(arguments, in: folder, environment: environment, input: input, what())
    }

    private var program: GitProgram {
        GitProgram(
            timeout: Self.timeout,
            variables: [
                "GIT_AUTHOR_NAME": "aibox-audit", "GIT_AUTHOR_EMAIL": "aibox-audit@localhost",
                "GIT_COMMITTER_NAME": "aibox-audit", "GIT_COMMITTER_EMAIL": "aibox-audit@localhost",
            ])
    }
}
