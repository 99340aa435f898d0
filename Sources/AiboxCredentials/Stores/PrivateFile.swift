import AiboxCrypto
import AiboxSystem
import Glibc

/// A file that only its owner may have touched or read.
enum PrivateFile {
    /// - Returns: nil if there is none.
    /// - Throws: `integrity` for a link, another owner, or a mode that lets others in.
    static func read(_ path: String, limit: Int) throws(AiboxError) -> [UInt8]? {
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK)
        if number < 0 {
            if errno == ENOENT { return nil }
            if errno == ELOOP { throw unfit(path, "it is a symbolic link", "put the file itself there") }
            throw .system("cannot read \(path)", errno: errno)
        }
        let descriptor = Descriptor(number)
        var status = stat()
        if fstat(number, &status) != 0 { throw .system("cannot look at \(path)", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw unfit(path, "it is no regular file", "remove it") }
        guard status.st_uid == geteuid() else {
            throw unfit(path, "it belongs to user \(status.st_uid)", "find out who put it there")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw unfit(path, "others may touch it (mode \(mode))", "chmod 600 \(path), and replace what it protects")
        }
        guard status.st_size <= limit else { throw unfit(path, "it is larger than \(limit) bytes", "find out why") }
        // Room for what there is, and for one byte that shows that it grew: who replaces it puts another file there.
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var count = 0
        while count < bytes.count {
            let got = try retrying("cannot read \(path)") {
                bytes.withUnsafeMutableBytes {
                    Glibc.read(descriptor.number, $0.baseAddress.map { $0 + count }, $0.count - count)
                }
            }
            if got == 0 { break }
            count += got
        }
        defer { bytes.wipe() }
        if count == bytes.count { throw unfit(path, "it grew while it was read", "find out who writes to it") }
        return Array(bytes.prefix(count))
    }

    private static func unfit(_ path: String, _ why: String, _ remedy: String) -> AiboxError {
        AiboxError(.integrity, "\(path) cannot be trusted", why: why, remedy: remedy)
    }
}
