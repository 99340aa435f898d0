import AiboxSystem

/// Turns the archive of an installed file system into the image's one layer: the same input gives the same bytes.
struct RootfsLayer {
    let recipe: ImageRecipe
    let rules: RootfsRules
    let user: ImageUser

    init(recipe: ImageRecipe, epoch: Int, user: ImageUser = ImageRecipe.user) {
        self.recipe = recipe
        self.user = user
        rules = RootfsRules(epoch: epoch, omitted: recipe.omitted)
    }

    /// What was found on the way.
    struct Content: Sendable, Equatable {
        /// Installed packages and their versions.
        var versions: [String: String] = [:]
        /// Bytes of all files.
        var size = 0
        var entries = 0
    }

    /// Writes all entries; the caller finishes the archive.
    func write(from reader: TarReader, to writer: TarWriter) throws(AiboxError) -> Content {
        var content = Content()
        var tree = Tree()
        var missing = Set(AccountFiles.paths + ["var/lib/dpkg/status"])
        var home: [String: [UInt8]] = [:]
        for (path, bytes) in recipe.overlay where path.hasPrefix(Self.skeleton) { home[homePath(path)] = bytes }
        while let found = try reader.next() {
            if recipe.overlay[found.path] != nil { continue }
            guard case .keep(let entry) = rules.verdict(found) else {
                tree.leftOut.insert(found.path)
                continue
            }
            if case .hardLink(let target) = entry.kind, tree.leftOut.contains(target) || recipe.overlay[target] != nil {
                throw .badArchive("\(entry.path) is another name of \(target), which the image leaves out")
            }
            content.entries += 1
            content.size += entry.size
            tree.add(entry)
            if missing.remove(entry.path) != nil || entry.path.hasPrefix(Self.skeleton) && entry.kind == .file {
                var bytes = try reader.readContent()
                if AccountFiles.paths.contains(entry.path) {
                    bytes = try AccountFiles.adding(user, to: entry.path, bytes)
                } else if entry.path == "var/lib/dpkg/status" {
                    content.versions = DpkgStatus.versions(bytes)
                } else {
                    home[homePath(entry.path)] = bytes
                }
                try writer.add(entry, bytes)
            } else if entry.path == JavaKeystore.path, entry.kind == .file {
                try writer.add(entry, try JavaKeystore.normalised(try reader.readContent(), seconds: rules.epoch))
            } else {
                try writer.begin(entry)
                try reader.forEachChunk(writer.append)
                try writer.end(entry)
            }
        }
        if let path = missing.sorted().first { throw .badArchive("it has no \(path), so nothing was installed") }
        try lay(files: home.merging(recipe.ownFiles) { _, new in new }, into: &tree, writer, &content)
        return content
    }

    /// What a new account's home begins with.
    private static let skeleton = "etc/skel/"

    private func homePath(_ path: String) -> String {
        String(user.home.dropFirst()) + "/" + path.dropFirst(Self.skeleton.count)
    }

    /// Paths that the layer has so far.
    private struct Tree {
        var folders: Set<String> = [""]
        var links: Set<String> = []
        var leftOut: Set<String> = []

        mutating func add(_ entry: TarEntry) {
            switch entry.kind {
            case .folder: folders.insert(entry.path)
            case .symbolicLink: links.insert(entry.path)
            default: break
            }
        }
    }
}

// MARK: - The recipe's own files

extension RootfsLayer {
    private func lay(
        files: [String: [UInt8]], into tree: inout Tree, _ writer: TarWriter, _ content: inout Content
    ) throws(AiboxError) {
        for folder in ([user.home] + recipe.folders).sorted() {
            try make(String(folder.dropFirst()), own: true, in: &tree, writer, &content)
        }
        for (path, target) in recipe.links.sorted(by: { $0.key < $1.key }) {
            let path = String(path.dropFirst())
            try make(Path.parent(path), own: false, in: &tree, writer, &content)
            var entry = entry(path, .symbolicLink(target: target), own: true)
            entry.mode = 0o777
            try writer.add(entry)
            tree.links.insert(path)
            content.entries += 1
        }
        for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
            if let slash = path.lastIndex(of: "/") {
                try make(String(path[..<slash]), own: false, in: &tree, writer, &content)
            }
            var entry = entry(path, .file, own: false)
            entry.mode = Self.isProgram(path, bytes) ? 0o755 : 0o644
            try writer.add(entry, bytes)
            content.entries += 1
            content.size += bytes.count
        }
    }

    /// Makes a folder with its parents. `own`: it belongs to the image's user, wherever it lies.
    private func make(
        _ path: String, own: Bool, in tree: inout Tree, _ writer: TarWriter, _ content: inout Content
    ) throws(AiboxError) {
        if tree.folders.contains(path) { return }
        if tree.links.contains(path) {
            throw AiboxError(
                .failed, "cannot build the image \(recipe.name)",
                why: "/\(path) is a symbolic link in the distribution; the recipe has to name what it points at")
        }
        if let slash = path.lastIndex(of: "/") {
            try make(String(path[..<slash]), own: false, in: &tree, writer, &content)
        }
        try writer.add(entry(path, .folder, own: own))
        tree.folders.insert(path)
        content.entries += 1
    }

    private func entry(_ path: String, _ kind: TarEntry.Kind, own: Bool) -> TarEntry {
        let home = String(user.home.dropFirst())
        let owner = own || path == home || path.hasPrefix(home + "/") ? user.id : 0
        return TarEntry(path: path, kind: kind, mode: 0o755, uid: owner, gid: owner, size: 0, modified: rules.epoch)
    }

    /// A recipe's checkout may have lost its modes: what starts with `#!` or lies in a folder of programs is one.
    private static func isProgram(_ path: String, _ bytes: [UInt8]) -> Bool {
        bytes.starts(with: "#!".utf8) || ["usr/bin/", "usr/local/bin/"].contains { path.hasPrefix($0) }
    }
}
