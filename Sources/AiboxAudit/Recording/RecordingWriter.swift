import AiboxCrypto
public import AiboxSystem
import Glibc

/// Writes a recording: chunks of text go in, only ciphertext reaches the disk.
///
///     HEADER, a line of JSON
///     { length of the sealed chunk, 4 bytes, most significant first; its top bit marks the last chunk } sealed chunk ...
public final class RecordingWriter {
    public let header: RecordingHeader
    public let path: String
    /// Bytes on the disk so far.
    public private(set) var size: UInt64
    private let file: Descriptor
    private let cipher: RecordingCipher
    private let hash: SHA256
    private var isFinished = false

    static let suffix = ".aiboxrec"
    static let lastMark: UInt32 = 1 << 31
    /// Bytes of plain text in a chunk at most.
    static let largestChunk = 1 << 20

    /// Makes the file `ID.aiboxrec` in a folder of 0700.
    public init(
        folder: String, _ header: RecordingHeader, for recipient: RecordingRecipient
    ) throws(AiboxError) {
        try Folder.makePrivate(folder)
        var header = header
        cipher = try RecordingCipher(&header, for: recipient)
        self.header = header
        let path = folder + "/" + header.id + Self.suffix
        self.path = path
        let file = Descriptor(
            try retrying("cannot make the recording \(path)") {
                open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
            })
        // For as long as it is written (RecordingFolder); gone with the process, however that ends.
        try retrying("cannot lock the recording \(path)") { flock(file.number, LOCK_EX) }
        self.file = file
        hash = try SHA256()
        try hash.start()
        size = 0
        try put(header.line + [0x0a])
        try retrying("cannot sync the recording \(path)") { fsync(file.number) }
        try File.synchronise(folder: folder)
    }

    /// Encrypts and writes a chunk.
    public func write(_ text: [UInt8]) throws(AiboxError) {
        for start in stride(from: 0, to: text.count, by: Self.largestChunk) {
            let end = min(start + Self.largestChunk, text.count)
            let part = end - start == text.count ? text : Array(text[start..<end])
            try put(try cipher.seal(part, isLast: false), isLast: false)
        }
    }

    /// Writes the mark of an orderly end and syncs.
    ///
    /// - Returns: the SHA-256 of the whole file, in hexadecimal.
    public func finish() throws(AiboxError) -> String {
        if isFinished { throw AiboxError(.failed, "the recording \(path) is finished already") }
        isFinished = true
        try put(try cipher.seal([], isLast: true), isLast: true)
        try retrying("cannot sync the recording \(path)") { fsync(file.number) }
        flock(file.number, LOCK_UN)
        return try hash.finish().hex
    }

    /// A crash between the two is a torn end like any other.
    private func put(_ sealed: [UInt8], isLast: Bool) throws(AiboxError) {
        try put(Self.frame(of: sealed.count, isLast: isLast))
        try put(sealed)
    }

    /// What stands before a sealed chunk.
    static func frame(of count: Int, isLast: Bool) -> [UInt8] {
        let mark = UInt32(count) | (isLast ? lastMark : 0)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: mark >> $0) }
    }

    private func put(_ bytes: [UInt8]) throws(AiboxError) {
        try File.writeAll(bytes, to: file, "the recording \(path)")
        try hash.update(bytes)
        size += UInt64(bytes.count)
    }
}
