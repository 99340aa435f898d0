import AiboxSystem
import Glibc

/// The files of a bundle in a folder.
enum BundleFolder {
    /// Every file below a folder, by name. A link or a device is an error: a bundle has none.
    static func files(_ folder: String) throws(AiboxError) -> [BundleFile] {
        var files: [BundleFile] = []
        var room = BundleArchive.largestUnpacked
        try collect(folder, "", into: &files, &room)
        return files
    }

    private static func collect(
        _ folder: String, _ prefix: String, into files: inout [BundleFile], _ room: inout Int
    ) throws(AiboxError) {
        func refused(_ name: String, _ why: String) -> AiboxError {
            AiboxError(
                .policyInvalid, "cannot use the bundle \(SafeText.escaped(folder))",
                why: "\(SafeText.escaped(prefix + name)) \(why)")
        }
        guard prefix.utf8.count <= 255 else { throw refused("", "lies too deep") }
        for name in try Folder.names(folder) {
            let path = folder + "/" + name
            var status = stat()
            if lstat(path, &status) != 0 { throw .system("cannot look at \(SafeText.escaped(path))", errno: errno) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try collect(path, prefix + name + "/", into: &files, &room)
            case S_IFREG:
                let bytes = try File.read(path, limit: room)
                room -= bytes.count
                files.append(BundleFile(name: prefix + name, bytes: bytes))
                if files.count > BundleTar.largestCount { throw refused(name, "is one file too many") }
            default: throw refused(name, "is neither a file nor a folder")
            }
        }
    }
}
