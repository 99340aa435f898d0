import AiboxCrypto
import AiboxSystem
import Glibc

/// The lines written last, once more, in a file that never grows (docs/audit-log.md, "Writing").
///
/// A sync of a file that grew waits for its data, for its length and for the disk; one of blocks that were written before
/// has only the data to wait for, half the time. So a batch is on the disk once it is here, and the file of events is synced
/// when this one is full. A power cut between the two loses nothing: who opens the log after another boot writes back what is missing.
///
/// Records follow each other from the beginning, each at the start of a sector. The first one of an epoch is written only
/// after every line before it was synced in its own file.
struct LogJournal {
    static let size = 4 << 20
    static let sector = 512

    let path: String
    private let file: Descriptor
    private let device: UInt
    private let inode: UInt

    /// Opens the journal; makes it if there is none. A file of another size is not one.
    init(_ folder: LogFolder) throws(AiboxError) {
        if File.exists(folder.journal) {
            // Who made it may have died before its name was on the disk.
            try File.synchronise(folder: folder.path)
        } else {
            try File.replace(folder.journal, with: [UInt8](repeating: 0, count: Self.size))
        }
        guard let journal = try LogJournal(existing: folder) else {
            throw AiboxError(.failed, "cannot use \(folder.journal)", why: "it is no journal", remedy: "remove it")
        }
        self = journal
    }

    /// nil: there is none.
    init?(existing folder: LogFolder) throws(AiboxError) {
        path = folder.journal
        if !File.isRegular(path) { return nil }
        file = try LogWriter.open(path, O_RDWR)
        var status = stat()
        let descriptor = file.number
        try retrying("cannot look at \(path)") { fstat(descriptor, &status) }
        if Int(status.st_size) != Self.size { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }

    /// True if the name stands for another file by now, or for none: what is written here would not be found.
    var wasReplaced: Bool {
        var status = stat()
        return lstat(path, &status) != 0 || UInt(status.st_dev) != device || UInt(status.st_ino) != inode
    }

    /// True if it is whole and begins with a record of this epoch and boot; nil: whatever it begins with.
    func holds(_ beginning: (epoch: UInt64, boot: Digest256)?) throws(AiboxError) -> Bool {
        guard try FileBytes.length(file, path) == UInt64(Self.size) else { return false }
        guard let beginning else { return true }
        let head = try head()
        return head?.epoch == beginning.epoch && head?.boot == beginning.boot
    }

    /// Puts a record on the disk.
    ///
    /// - Returns: where the next one goes; nil if there is no room for this one.
    func add(_ record: JournalRecord, at position: UInt64, _ disk: any LogDisk) throws(AiboxError) -> UInt64? {
        let length = record.paddedLength
        guard position <= UInt64(Self.size), length <= Self.size - Int(position) else { return nil }
        try record.bytes().borrowed { (bytes) throws(AiboxError) in
            try disk.overwrite(bytes, at: Int(position), of: file, path)
        }
        try disk.synchronise(file, path)
        return position + UInt64(length)
    }

    /// The first record, without its lines.
    func head() throws(AiboxError) -> JournalRecord? {
        JournalRecord.head(try FileBytes.read(file, from: 0, to: UInt64(JournalRecord.headLength), path)[...])?.record
    }

    /// The records of the epoch that was begun last, as far as they are whole.
    func records() throws(AiboxError) -> [JournalRecord] {
        let bytes = try FileBytes.read(file, from: 0, to: UInt64(Self.size), path)
        var records: [JournalRecord] = []
        var position = 0
        while let record = try JournalRecord.read(bytes[position...]),
            records.first.map({ $0.epoch == record.epoch && $0.boot == record.boot }) ?? true
        {
            records.append(record)
            position += record.paddedLength
            if position >= bytes.count { break }
        }
        return records
    }

    /// Writes back into the files of events what is missing there, and syncs them.
    ///
    /// Only what is not there, or zeros in its place: the traces that a power cut leaves. Other bytes are evidence.
    ///
    /// - Parameter end: lines behind this place of the newest file do not count; nil: all do.
    /// - Returns: false if something else stands where a line belongs.
    @discardableResult
    func restore(in folder: LogFolder, upTo end: (segment: UInt64, length: UInt64)?, _ disk: any LogDisk)
        throws(AiboxError) -> Bool
    {
        var isWhole = true
        var open: (segment: UInt64, file: Descriptor)?
        for record in try records() {
            let path = folder.path(segment: record.segment)
            let last = record.offset + UInt64(record.lines.count)
            if let end, record.segment > end.segment || (record.segment == end.segment && last > end.length) { break }
            // One that was removed after its retention.
            guard File.exists(path) else { continue }
            if open?.segment != record.segment {
                if let open { try disk.synchronise(open.file, folder.path(segment: open.segment)) }
                open = (record.segment, try LogWriter.open(path, O_RDWR))
            }
            guard let file = open?.file else { continue }
            let length = try FileBytes.length(file, path)
            // A hole would be no line.
            if length < record.offset { break }
            let there = try FileBytes.read(file, from: record.offset, to: min(length, last), path)
            guard zip(there, record.lines).allSatisfy({ $0 == $1 || $0 == 0 }) else {
                isWhole = false
                break
            }
            try record.lines.borrowed { (bytes) throws(AiboxError) in
                try disk.overwrite(bytes, at: Int(record.offset), of: file, path)
            }
        }
        if let open { try disk.synchronise(open.file, folder.path(segment: open.segment)) }
        return isWhole
    }

    /// Makes that no record counts any more. The files of events have to be on the disk.
    func clear(_ disk: any LogDisk) throws(AiboxError) {
        try [UInt8](repeating: 0, count: Self.sector).borrowed { (bytes) throws(AiboxError) in
            try disk.overwrite(bytes, at: 0, of: file, path)
        }
        try disk.synchronise(file, path)
    }

    /// After another boot: writes back what the power cut took. Under the lock.
    static func restore(_ folder: LogFolder, boot: String, _ disk: any LogDisk) throws(AiboxError) {
        guard let journal = try LogJournal(existing: folder), let head = try journal.head(),
            try head.boot != JournalRecord.digest(boot: boot)
        else { return }
        if try journal.restore(in: folder, upTo: nil, disk) {
            try journal.clear(disk)
        } else {
            // It says what the lines were.
            let aside = folder.torn(after: head.segment)
            try retrying("cannot move \(journal.path)") { rename(journal.path, aside) }
            try File.synchronise(folder: folder.path)
        }
    }
}
