import AiboxCrypto
public import AiboxSystem
import Glibc

/// Reads a recording chunk by chunk; no chunk is handed out that was not checked.
public final class RecordingReader {
    public let header: RecordingHeader
    /// True once the mark of an orderly end was read, with nothing after it.
    public private(set) var isComplete = false

    private let path: String
    private let file: Descriptor
    private let line: [UInt8]
    private var cipher: RecordingCipher?
    private var offset: UInt64
    private let length: UInt64
    private let hash: SHA256

    /// - Throws: `integrity` if the file does not begin as a recording does.
    public init(_ path: String, key: RecordingKey?) throws(AiboxError) {
        self.path = path
        file = try LogWriter.open(path, O_RDONLY)
        length = try FileBytes.length(file, path)
        let start = try FileBytes.read(file, from: 0, to: min(length, UInt64(RecordingHeader.largest)), path)
        guard let end = start.firstIndex(of: 0x0a), let header = RecordingHeader(line: Array(start[..<end])) else {
            throw AiboxError(.integrity, "cannot read the recording \(path)", why: "its header is damaged")
        }
        self.header = header
        line = Array(start[..<end])
        offset = UInt64(end) + 1
        hash = try SHA256()
        try hash.start()
        try hash.update(Array(start[...end]))
        if let key { cipher = try RecordingCipher(header, line: line, key) }
    }

    /// The next chunk: its text, empty without a key. nil at the end.
    ///
    /// - Throws: `integrity` if it was changed, moved, or taken from another recording.
    public func next() throws(AiboxError) -> [UInt8]? {
        if isComplete || offset == length { return nil }
        guard length - offset >= 4 else { throw damaged("it was cut in the middle of a chunk") }
        let mark = try FileBytes.read(file, from: offset, to: offset + 4, path)
        let number = mark.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let isLast = number & RecordingWriter.lastMark != 0
        let count = UInt64(number & ~RecordingWriter.lastMark)
        guard count >= UInt64(AESGCM.tagCount), count <= UInt64(RecordingWriter.largestChunk + AESGCM.tagCount) else {
            throw damaged("the length of a chunk is none")
        }
        guard length - offset - 4 >= count else { throw damaged("it was cut in the middle of a chunk") }
        let sealed = try FileBytes.read(file, from: offset + 4, to: offset + 4 + count, path)
        try hash.update(mark + sealed)
        offset += 4 + count
        var text: [UInt8] = []
        if let cipher {
            do throws(AiboxError) {
                text = try cipher.open(sealed, isLast: isLast)
            } catch {
                throw damaged("a chunk was changed, moved or taken from elsewhere")
            }
        }
        if isLast {
            guard offset == length else { throw damaged("something follows its end") }
            isComplete = true
        }
        return text
    }

    /// The SHA-256 of the file; once all was read.
    public func digest() throws(AiboxError) -> String { try hash.finish().hex }

    private func damaged(_ why: String) -> AiboxError {
        AiboxError(
            .integrity, "the recording \(header.id) is not as it was written", why: why + " (\(path), byte \(offset))")
    }
}
