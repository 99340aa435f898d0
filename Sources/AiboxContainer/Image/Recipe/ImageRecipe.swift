/// What an image is made of: the content of `aibox-images/<name>/`, with that of the recipes it extends folded in.
///
/// A value: the same recipe with the same package versions gives the same image, bit for bit.
public struct ImageRecipe: Sendable, Equatable {
    /// The recipe's folder: lower-case letters, digits and hyphens.
    public var name: String
    /// Grows with every change that a user should notice; part of the image's tag.
    public var version: Int
    /// One line for `aibox image list`.
    public var description: String
    /// The recipes folded in, the furthest ancestor first.
    public var ancestors: [String] = []
    /// Package names, sorted, each once.
    public var packages: [String] = []
    /// Patterns (fnmatch(3), a star crosses no slash) of files left out, relative to the root.
    public var omitted: [String] = []
    /// Folders made for the user `dev`, absolute.
    public var folders: [String] = []
    /// Symbolic links made for the user `dev`: target by path, both absolute.
    public var links: [String: String] = [:]
    /// Package sources beside the distribution's own.
    public var sources: [AptSource] = []
    /// Variables of the image, sorted by name.
    public var environment: [String: String] = [:]
    /// Files laid over the packages' own, by path relative to the root.
    public var overlay: [String: [UInt8]] = [:]

    /// The name in local storage: `localhost/aibox/base:1`.
    public var reference: String { "localhost/aibox/\(name):\(version)" }

    /// The image's variables for SSH sessions, which inherit none of the container's: one line of sshd_config(5).
    var sessionEnvironment: (path: String, content: [UInt8]) {
        let variables = environment.filter { $0.key != "HOME" }.sorted { $0.key < $1.key }
        let line = (["SetEnv"] + variables.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
        return ("etc/aibox/environment.conf", Array((variables.isEmpty ? "" : line + "\n").utf8))
    }

    /// Every file that the recipe itself brings, with its content.
    var ownFiles: [String: [UInt8]] {
        var files = overlay
        files[sessionEnvironment.path] = sessionEnvironment.content
        return files
    }

    /// The account that everything in a sandbox runs as.
    public static let user = ImageUser(name: "dev", id: 1000, home: "/home/dev", shell: "/bin/bash")
}

/// An account of the image.
public struct ImageUser: Sendable, Equatable {
    public var name: String
    /// User and group id.
    public var id: Int
    public var home: String
    public var shell: String
}

extension ImageRecipe {
    /// Everything that decides the image's content, as bytes to take the digest of. Two recipes have the same text
    /// exactly if they build the same image from the same packages.
    var canonicalText: [UInt8] {
        var text: [UInt8] = []
        func add(_ key: String, _ value: some Sequence<UInt8>) {
            let value = Array(value)
            text += Array("\(key) \(value.count)\n".utf8) + value + [UInt8(ascii: "\n")]
        }
        add("rules", String(RootfsRules.revision).utf8)
        add("name", name.utf8)
        add("version", String(version).utf8)
        add("description", description.utf8)
        for package in packages { add("package", package.utf8) }
        for pattern in omitted { add("omit", pattern.utf8) }
        for folder in folders { add("folder", folder.utf8) }
        for (path, target) in links.sorted(by: { $0.key < $1.key }) { add("link", "\(path) -> \(target)".utf8) }
        for source in sources { add("source", source.line.utf8) }
        for (key, value) in environment.sorted(by: { $0.key < $1.key }) { add("env", "\(key)=\(value)".utf8) }
        for (path, bytes) in overlay.sorted(by: { $0.key < $1.key }) {
            add("file", path.utf8)
            add("content", bytes)
        }
        return text
    }

    /// This recipe on top of `base`: lists are joined, files and variables of the same name replaced.
    func extending(_ base: ImageRecipe) -> ImageRecipe {
        var result = self
        result.ancestors = Self.joined(base.ancestors + [base.name], ancestors)
        result.packages = Set(base.packages + packages).sorted()
        result.omitted = Self.joined(base.omitted, omitted)
        result.folders = Self.joined(base.folders, folders)
        result.links = base.links.merging(links) { _, new in new }
        result.sources = base.sources + sources.filter { !base.sources.contains($0) }
        result.environment = base.environment.merging(environment) { _, new in new }
        result.overlay = base.overlay.merging(overlay) { _, new in new }
        return result
    }

    private static func joined(_ first: [String], _ second: [String]) -> [String] {
        first + second.filter { !first.contains($0) }
    }
}
