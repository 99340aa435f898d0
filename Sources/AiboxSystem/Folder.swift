import Glibc

/// Directories.
public enum Folder {
    /// Makes the folder and its missing parents; one that exists is left as it is.
    public static func make(_ path: String, mode: UInt32 = 0o755) throws(AiboxError) {
        if mkdir(path, mode) == 0 { return }
        switch errno {
        case EEXIST where File.isDirectory(path): return
        case ENOENT:
            let parent = Path.parent(path)
            guard parent != path, parent != "." else { break }
            try make(parent, mode: mode)
            if mkdir(path, mode) == 0 || errno == EEXIST { return }
        default: break
        }
        throw .system("cannot make the folder \(path)", errno: errno)
    }

    /// Makes the folder 0700 and refuses one that somebody else owns or can enter: it will hold
    /// sockets and keys.
    public static func makePrivate(_ path: String) throws(AiboxError) {
        try make(Path.parent(path))
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .system("cannot make the folder \(path)", errno: errno)
        }
        var status = stat()
        if lstat(path, &status) != 0 { throw .system("cannot look at \(path)", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
            throw AiboxError(
                .failed, "cannot use \(path)", why: "it is not a folder of this user's",
                remedy: "remove it, then run the command again")
        }
        if status.st_mode & 0o077 != 0, chmod(path, 0o700) != 0 {
            throw .system("cannot make \(path) private", errno: errno)
        }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    public static func names(_ path: String) throws(AiboxError) -> [String] {
        guard let stream = opendir(path) else { throw .system("cannot list \(path)", errno: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a folder and all below it, following no link. What is not there is no error.
    ///
    /// Refuses if anything is mounted below: a workspace shown there would be emptied.
    public static func removeTree(_ path: String) throws(AiboxError) {
        let real = Path.real(path) ?? path
        if let mount = MountTable.current.mounts.first(where: { Path.isInside($0.target, real) }) {
            throw AiboxError(.failed, "cannot remove \(path)", why: "\(mount.target) is mounted in it")
        }
        try removeUnmounted(path)
    }

    private static func removeUnmounted(_ path: String) throws(AiboxError) {
        var status = stat()
        if lstat(path, &status) != 0 { return }
        if status.st_mode & S_IFMT != S_IFDIR { return try File.remove(path) }
        // Its own owner may have closed it.
        if status.st_mode & 0o700 != 0o700 { _ = chmod(path, 0o700) }
        for name in try names(path) { try removeUnmounted(path + "/" + name) }
        if rmdir(path) != 0, errno != ENOENT { throw .system("cannot remove \(path)", errno: errno) }
    }

    /// A fresh private folder under the system's place for temporary files, or under `base`.
    public static func makeTemporary(prefix: String, in base: String? = nil) throws(AiboxError) -> String {
        let base = base ?? Environment.value("TMPDIR") ?? "/tmp"
        var template = Array("\(base)/\(prefix).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .system("cannot make a folder in \(base)", errno: errno) }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
