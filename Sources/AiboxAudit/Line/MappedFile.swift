import AiboxSystem
import Glibc

/// A file in memory by mmap(2), read line by line without copies.
///
/// The bytes are only looked at. Should somebody cut the file meanwhile, the kernel ends the process by SIGBUS;
/// nothing wrong is ever reported.
final class MappedFile {
    let bytes: UnsafeRawBufferPointer
    private let mapping: UnsafeMutableRawPointer?

    /// - Parameter limit: bytes of the file to look at; nil for all.
    init(_ path: String, limit: Int? = nil) throws(AiboxError) {
        let file = try LogWriter.open(path, O_RDONLY)
        let length = Int(try FileBytes.length(file, path))
        if let limit, limit > length {
            throw AiboxError(.integrity, "cannot read \(path)", why: "it has \(length) bytes of \(limit)")
        }
        let count = limit ?? length
        if count == 0 {
            mapping = nil
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = withExtendedLifetime(file) { mmap(nil, count, PROT_READ, MAP_SHARED, file.number, 0) }
        guard let address, address != MAP_FAILED else { throw .system("cannot read \(path)", errno: errno) }
        madvise(address, count, MADV_SEQUENTIAL)
        mapping = address
        bytes = UnsafeRawBufferPointer(start: address, count: count)
    }

    deinit {
        if let mapping { munmap(mapping, bytes.count) }
    }

    /// The line that begins at `offset`, without its newline; nil at the end or if it has none.
    func line(from offset: Int) -> UnsafeRawBufferPointer? {
        guard offset < bytes.count, let base = bytes.baseAddress,
            let newline = memchr(base + offset, 0x0a, bytes.count - offset)
        else { return nil }
        return UnsafeRawBufferPointer(start: base + offset, count: UnsafeRawPointer(newline) - (base + offset))
    }
}
