import AiboxSystem
import Glibc

/// The calls that change the log on the disk: the seam at which tests make a disk fail.
protocol LogDisk: Sendable {
    /// Appends to a file that was opened with O_APPEND.
    func append(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ path: String) throws(AiboxError)
    func overwrite(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, of file: Descriptor, _ path: String) throws(AiboxError)
    /// Returns when the content is on the disk (fdatasync(2)).
    func synchronise(_ file: Descriptor, _ path: String) throws(AiboxError)
    func truncate(_ file: Descriptor, to length: UInt64, _ path: String) throws(AiboxError)
}

struct SystemLogDisk: LogDisk {
    func append(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ path: String) throws(AiboxError) {
        var sent = 0
        while sent < bytes.count {
            sent += try retrying("cannot write \(path)") {
                write(file.number, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
        }
    }

    func overwrite(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, of file: Descriptor, _ path: String
    ) throws(AiboxError) {
        let count = try retrying("cannot write \(path)") {
            pwrite(file.number, bytes.baseAddress, bytes.count, off_t(offset))
        }
        if count != bytes.count { throw AiboxError(.failed, "cannot write \(path)", why: "only a part was written") }
    }

    func synchronise(_ file: Descriptor, _ path: String) throws(AiboxError) {
        try retrying("cannot sync \(path)") { fdatasync(file.number) }
    }

    func truncate(_ file: Descriptor, to length: UInt64, _ path: String) throws(AiboxError) {
        try retrying("cannot cut \(path)") { ftruncate(file.number, off_t(length)) }
    }
}
