import AiboxSystem
import Glibc

/// Ranges of open files.
enum FileBytes {
    static func length(_ file: Descriptor, _ path: String) throws(AiboxError) -> UInt64 {
        var status = stat()
        try retrying("cannot look at \(path)") { fstat(file.number, &status) }
        return UInt64(status.st_size)
    }

    /// Exactly the bytes of a range.
    static func read(_ file: Descriptor, from start: UInt64, to end: UInt64, _ path: String) throws(AiboxError)
        -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: Int(end - start))
        var got = 0
        while got < bytes.count {
            let count = try retrying("cannot read \(path)") {
                bytes.withUnsafeMutableBytes {
                    pread(file.number, $0.baseAddress.map { $0 + got }, $0.count - got, off_t(start) + off_t(got))
                }
            }
            if count == 0 { throw AiboxError(.integrity, "cannot read \(path)", why: "it is shorter than it was") }
            got += count
        }
        return bytes
    }
}

extension Array where Element == UInt8 {
    /// `withUnsafeBytes` for bodies that throw the error of this project.
    func borrowed<Value>(_ body: (UnsafeRawBufferPointer) throws(AiboxError) -> Value) throws(AiboxError) -> Value {
        let result = withUnsafeBytes { bytes in Result { () throws(AiboxError) in try body(bytes) } }
        return try result.get()
    }
}
