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
    /// Up to where this process asked for room.
    private var reserved: UInt64 = 0

    /// How much room is asked for at once.
    private static let room: UInt64 = 1 << 20

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

    /// Asks for room on the disk beyond the file's end so that a sync of what is
    /// appended has fewer blocks to write. The file is the same without it: that a disk has no room is for the write to say.
    mutating func reserve(upTo length: UInt64) {
        if length <= reserved { return }
        _ = aibox_reserve(file.number, off_t(length), off_t(Self.room))
        reserved = length + Self.room
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
