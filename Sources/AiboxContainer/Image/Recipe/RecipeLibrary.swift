import AiboxConfig
public import AiboxSystem
import Glibc

/// The recipes of `aibox-images`, from a folder or from the copy that is part of aibox itself.
public struct RecipeLibrary: Sendable {
    /// Content by path below `aibox-images`: `base/image.yaml`, `base/rootfs/etc/pip.conf`.
    private let files: [String: [UInt8]]
    /// The folder they were read from; nil for the embedded ones.
    public let folder: String?

    /// Recipes that are part of the program.
    public init(embedded files: [String: [UInt8]]) {
        self.files = files
        folder = nil
    }

    /// Recipes from a folder laid out like `aibox-images`.
    public init(folder: String) throws(AiboxError) {
        var files: [String: [UInt8]] = [:]
        try Self.read(folder, "", into: &files)
        self.files = files
        self.folder = folder
        if names.isEmpty {
            throw AiboxError(
                .usage, "there are no image recipes in \(folder)",
                why: "a recipe is a folder with an image.yaml in it")
        }
    }

    /// The recipes' names, sorted.
    public var names: [String] {
        files.keys.compactMap { path in
            path.hasSuffix("/image.yaml") && path.utf8.filter { $0 == UInt8(ascii: "/") }.count == 1
                ? String(path.dropLast("/image.yaml".count)) : nil
        }.sorted()
    }

    /// A recipe with those it extends folded in.
    public func recipe(_ name: String) throws(AiboxError) -> ImageRecipe {
        try recipe(name, chain: [])
    }

    /// The locks beside a recipe, by identity (`bookworm-amd64`).
    public func locks(_ name: String) throws(AiboxError) -> [String: PackageLock] {
        var locks: [String: PackageLock] = [:]
        for (path, bytes) in files where path.hasPrefix("\(name)/packages.") && path.hasSuffix(".lock") {
            let lock = try PackageLock(String(decoding: bytes, as: UTF8.self), file: path)
            locks[lock.identity] = lock
        }
        return locks
    }

    private func recipe(_ name: String, chain: [String]) throws(AiboxError) -> ImageRecipe {
        guard let bytes = files["\(name)/image.yaml"] else {
            let hint = NearestName.hint(name, among: names)
            throw AiboxError(
                .usage, "there is no image recipe \"\(SafeText.escaped(name))\"",
                why: "the recipes are \(names.joined(separator: ", "))\(hint)")
        }
        if chain.contains(name) {
            throw AiboxError(
                .failed, "cannot use the image recipe \(name)",
                why: "it extends itself: " + (chain + [name]).joined(separator: " -> "))
        }
        let reader = try RecipeReader(bytes, name: name, file: "\(folder.map { $0 + "/" } ?? "")\(name)/image.yaml")
        var recipe = reader.recipe
        let root = "\(name)/rootfs/"
        for (path, content) in files where path.hasPrefix(root) {
            recipe.overlay[String(path.dropFirst(root.count))] = content
        }
        for parent in reader.parents.reversed() {
            recipe = recipe.extending(try self.recipe(parent, chain: chain + [name]))
        }
        return recipe
    }

    /// Reads files of moderate size, following no link.
    private static func read(_ folder: String, _ below: String, into files: inout [String: [UInt8]]) throws(AiboxError)
    {
        for name in try Folder.names(below.isEmpty ? folder : "\(folder)/\(below)") {
            let path = below.isEmpty ? name : "\(below)/\(name)"
            var status = stat()
            guard lstat("\(folder)/\(path)", &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try read(folder, path, into: &files)
            case S_IFREG: files[path] = try File.read("\(folder)/\(path)", limit: 1 << 20)
            default:
                throw AiboxError(
                    .failed, "cannot use the image recipes in \(folder)", why: "\(path) is neither a file nor a folder")
            }
        }
    }
}
