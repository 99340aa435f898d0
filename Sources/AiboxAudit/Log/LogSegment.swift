import AiboxCrypto
import AiboxSystem
import CLinux
import Glibc

/// One file of events, open for appending.
struct LogSegment {
    let first: UInt64
    let path: String
    let file: Descriptor
    private let device: UInt
    private let inode: UInt
    /// Up to where this process had the disk begin.
    private var begun: UInt64 = 0

    /// How much may wait for the disk in one piece.
    private static let piece: UInt64 = 128 << 10

    /// Opens a file that must be there.
    init(_ folder: LogFolder, _ first: UInt64) throws(AiboxError) {
        let path = folder.path(segment: first)
        guard File.exists(path) else {
            throw AiboxError(
                .integrity, "cannot continue the audit log", why: "its newest file \(path) was removed",
                remedy: "aibox audit verify; then move the whole audit folder away as evidence")
        }
        try self.init(path, first, try LogWriter.open(path, O_RDWR | O_APPEND))
    }

    /// Makes a file that must not be there.
    init(creating folder: LogFolder, _ first: UInt64) throws(AiboxError) {
        let path = folder.path(segment: first)
        try self.init(path, first, try LogWriter.open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL))
    }

    private init(_ path: String, _ first: UInt64, _ file: Descriptor) throws(AiboxError) {
        self.first = first
        self.path = path
        self.file = file
        var status = stat()
        try retrying("cannot look at \(path)") { fstat(file.number, &status) }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }

    /// Has the disk begin with what the journal keeps meanwhile, so that little is left to wait for at the next sync. The
    /// file is the same without it.
    mutating func begin(upTo length: UInt64) {
        if begun > length || begun == 0 { begun = length }
        if length - begun < Self.piece { return }
        _ = aibox_begin_writing(file.number, off_t(begun), off_t(length - begun))
        begun = length
    }

    /// True if the name stands for another file by now, or for none.
    var wasReplaced: Bool {
        var status = stat()
        return lstat(path, &status) != 0 || UInt(status.st_dev) != device || UInt(status.st_ino) != inode
    }

    /// Makes sure that the line which ends at `length` is the one that the key state knows.
    func checkHead(_ head: Digest256, length: UInt64, _ hasher: MerkleHasher) throws(AiboxError) {
        if length == 0 { return }
        var start = length
        var bytes: [UInt8] = []
        while start > 0 {
            start -= min(start, 65_536)
            bytes = try FileBytes.read(file, from: start, to: length, path)
            if bytes.dropLast().contains(UInt8(ascii: "\n")) { break }
        }
        let line = bytes.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).last ?? []
        let found = try Array(line).borrowed { (bytes) throws(AiboxError) in try hasher.leaf(bytes) }
        if bytes.last == UInt8(ascii: "\n"), found == head { return }
        throw AiboxError(
            .integrity, "cannot continue the audit log", why: "the last event in \(path) was changed",
            remedy: "aibox audit verify; then move the whole audit folder away as evidence")
    }
}
