import AiboxCrypto
public import AiboxSystem
import Glibc

/// The files of a folder of recordings as they lie there, whoever writes them: which may go, and which have lost their writer.
///
/// A recording that is being written is locked (`RecordingWriter`), so that processes tell by the kernel's word alone which
/// are under way.
public struct RecordingFolder: Sendable {
    struct Entry: Equatable {
        /// The recording's id.
        var id: String
        var size: Int
        /// When it was last written, in seconds since 1970.
        var written: Int64
        /// Its mode's bits.
        var mode: UInt32
    }

    /// What goes: nobody writes it, and nobody else removes it.
    public struct Expiry: Sendable {
        /// Oldest first.
        public var ids: [String] = []
        public var bytes = 0
        /// Whether nothing more has to go.
        public var isAll: Bool { ids.count < RecordingFolder.batch }
        fileprivate var lock: FileLock?
    }

    public let path: String
    private static let lockName = ".expiry"
    /// Files that go at once; what is more goes with the next one.
    public static let batch = 500

    public init(_ path: String) { self.path = path }

    private func path(of id: String) -> String { path + "/" + id + RecordingWriter.suffix }

    /// Oldest first: ids begin with the time.
    func files() throws(AiboxError) -> [Entry] {
        var files: [Entry] = []
        for name in try Folder.names(path) where name.hasSuffix(RecordingWriter.suffix) {
            var facts = stat()
            guard lstat(path + "/" + name, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { continue }
            files.append(
                Entry(
                    id: String(name.dropLast(RecordingWriter.suffix.count)), size: Int(facts.st_size),
                    written: Int64(facts.st_mtim.tv_sec), mode: facts.st_mode & 0o777))
        }
        return files
    }

    /// A file that nobody writes, held; nil for one that somebody does. An empty one is just being made.
    private func hold(_ id: String) -> Descriptor? {
        let file = Descriptor(open(path(of: id), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK))
        guard file.isOpen, flock(file.number, LOCK_EX | LOCK_NB) == 0, let size = try? FileBytes.length(file, path),
            size > 0
        else { return nil }
        return file
    }

    // MARK: What goes

    /// What has to go now. Nobody else removes anything here until it is removed or dropped.
    ///
    /// - Returns: nil if nothing has to, or somebody else is about it.
    public func expiry(_ bound: RecordingBound, now: Int64) throws(AiboxError) -> Expiry? {
        guard !bound.isOpen, File.isDirectory(path),
            let lock = try FileLock.take(path + "/" + Self.lockName)
        else {
            return nil
        }
        var isFull = false
        var expiry = Expiry(lock: lock)
        let files = bound.excess(try files(), now: now) { file in
            if isFull || hold(file.id) == nil { return false }
            expiry.ids.append(file.id)
            isFull = expiry.ids.count == Self.batch
            return true
        }
        expiry.bytes = files.reduce(0) { $0 + $1.size }
        return expiry.ids.isEmpty ? nil : expiry
    }

    /// Removes it. To be called once the audit log has it.
    public func remove(_ expiry: Expiry) throws(AiboxError) {
        defer { expiry.lock?.release() }
        for id in expiry.ids { try File.remove(path(of: id)) }
        try File.synchronise(folder: path)
    }

    // MARK: What has lost its writer

    /// Recordings without an end that nobody writes any more, and that nobody has told of yet.
    ///
    /// - Returns: their ids, as far as a batch goes; the rest is for another look.
    public func abandoned() throws(AiboxError) -> [String] {
        var ids: [String] = []
        for file in File.isDirectory(path) ? try files() : []
        where file.mode & 0o200 != 0 && ids.count < Self.batch {
            if let held = hold(file.id), try !hasEnd(held, file.id) { ids.append(file.id) }
        }
        return ids
    }

    /// Closes them to writing (0400), which says that the audit log has them.
    public func told(_ ids: [String]) throws(AiboxError) {
        for id in ids {
            // Whom another process removed meanwhile is told of too.
            guard let held = hold(id) else { continue }
            try retrying("cannot close the recording \(id)") { fchmod(held.number, 0o400) }
        }
    }

    /// Whether the last chunk is there: it is empty, and marked (`RecordingWriter.finish`).
    private func hasEnd(_ file: Descriptor, _ id: String) throws(AiboxError) -> Bool {
        let length = try FileBytes.length(file, path(of: id))
        let mark = RecordingWriter.frame(of: AESGCM.tagCount, isLast: true)
        let count = UInt64(mark.count + AESGCM.tagCount)
        if length < count { return false }
        return try FileBytes.read(file, from: length - count, to: length, path(of: id)).starts(with: mark)
    }
}
