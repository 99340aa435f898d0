import Glibc

/// Whole files, read and replaced safely.
public enum File {
    /// The bytes of a file of at most `limit` bytes.
    public static func read(_ path: String, limit: Int = 64 << 20) throws(AiboxError) -> [UInt8] {
        let descriptor = Descriptor(
            try retrying("cannot read \(path)") { open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) })
        return try content(descriptor, path, limit)
    }

    /// As `read`, of a regular file alone: a pipe is not waited for, and nothing of a device is read. Links are followed.
    public static func readRegular(_ path: String, limit: Int = 64 << 20) throws(AiboxError) -> [UInt8] {
        let what = "cannot read \(path)"
        let descriptor = Descriptor(
            try retrying(what) { open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) })
        var status = stat()
        try retrying(what) { fstat(descriptor.number, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw AiboxError(.failed, what, why: "it is not an ordinary file")
        }
        return try content(descriptor, path, limit)
    }

    private static func content(_ descriptor: Descriptor, _ path: String, _ limit: Int) throws(AiboxError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try retrying("cannot read \(path)") {
                Glibc.read(descriptor.number, &chunk, chunk.count)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk.prefix(count))
            if bytes.count > limit {
                throw AiboxError(.failed, "cannot read \(path)", why: "it is larger than \(limit) bytes")
            }
        }
    }

    /// Everything that comes on a descriptor, at most `limit` bytes.
    public static func readAll(_ descriptor: Int32, limit: Int) throws(AiboxError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try retrying("cannot read") { Glibc.read(descriptor, &chunk, chunk.count) }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
            if bytes.count > limit {
                throw AiboxError(.failed, "cannot read", why: "there are more than \(limit) bytes")
            }
        }
    }

    /// The text of a file; bytes that are no UTF-8 become U+FFFD.
    public static func text(_ path: String, limit: Int = 64 << 20) throws(AiboxError) -> String {
        String(decoding: try read(path, limit: limit), as: UTF8.self)
    }

    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// False for folders, pipes, sockets and devices, and where there is nothing; links are followed.
    public static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    public static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    public static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Replaces a file as a whole: a reader sees the old or the new content, and so does the next
    /// boot. Written beside the target with a random name, synced, renamed, the folder synced.
    public static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(AiboxError) {
        try put(bytes, at: path, mode, isSynced: true)
        try synchronise(folder: Path.parent(path))
    }

    /// As `replace`, for what can be made again: nothing waits for the disk, and after a power cut the content may be any.
    public static func exchange(_ path: String, with text: String, mode: UInt32 = 0o600) throws(AiboxError) {
        try put(Array(text.utf8), at: path, mode, isSynced: false)
    }

    private static func put(_ bytes: [UInt8], at path: String, _ mode: UInt32, isSynced: Bool) throws(AiboxError) {
        let temporary = "\(Path.parent(path))/.\(Path.name(path)).\(randomName())"
        let descriptor = Descriptor(
            try retrying("cannot write \(path)") {
                open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
            })
        do throws(AiboxError) {
            try retrying("cannot write \(path)") { fchmod(descriptor.number, mode) }
            try writeAll(bytes, to: descriptor, path)
            if isSynced { try retrying("cannot write \(path)") { fsync(descriptor.number) } }
            try retrying("cannot write \(path)") { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    public static func replace(_ path: String, with text: String, mode: UInt32 = 0o600) throws(AiboxError) {
        try replace(path, with: Array(text.utf8), mode: mode)
    }

    /// Writes every byte, over as many calls as it takes.
    public static func writeAll(_ bytes: [UInt8], to descriptor: Descriptor, _ name: String) throws(AiboxError) {
        var sent = 0
        while sent < bytes.count {
            sent += try retrying("cannot write \(name)") {
                bytes.withUnsafeBytes { write(descriptor.number, $0.baseAddress.map { $0 + sent }, $0.count - sent) }
            }
        }
    }

    /// Removes a file; one that is not there is no error.
    public static func remove(_ path: String) throws(AiboxError) {
        if unlink(path) != 0, errno != ENOENT { throw .system("cannot remove \(path)", errno: errno) }
    }

    /// Returns when the names in a folder are on the disk.
    public static func synchronise(folder: String) throws(AiboxError) {
        let descriptor = Descriptor(
            try retrying("cannot open \(folder)") { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        try retrying("cannot sync \(folder)") { fsync(descriptor.number) }
    }

    private static func randomName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
