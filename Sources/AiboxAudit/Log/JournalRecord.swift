import AiboxCrypto
import AiboxSystem

/// Lines of one file of events, with where they belong, as `LogJournal` keeps them.
struct JournalRecord: Equatable {
    /// Grows each time that the journal begins anew.
    var epoch: UInt64
    /// SHA-256 of the kernel's id of the boot.
    var boot: Digest256
    /// The file of events, and where in it.
    var segment: UInt64
    var offset: UInt64
    var lines: [UInt8]

    // Its zero stands in no line: what somebody writes into an event is never taken for a record.
    private static let magic: [UInt8] = [0] + Array("aiboxJ1".utf8)
    private static let sealed = magic.count + 2 * Digest256.count
    static let headLength = sealed + Digest256.count

    /// Up to the next record.
    var paddedLength: Int {
        (Self.headLength + lines.count + LogJournal.sector - 1) / LogJournal.sector * LogJournal.sector
    }

    static func digest(boot: String) throws(AiboxError) -> Digest256 { try SHA256.digest(boot) }

    /// Magic, boot, epoch, segment, offset and count (64 bits, little-endian), SHA-256 of these and the lines, the lines, zeros.
    func bytes() throws(AiboxError) -> [UInt8] {
        var bytes = Self.magic + boot.bytes
        for number in [epoch, segment, offset, UInt64(lines.count)] {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        let digest = try Self.digest(bytes[...], lines[...])
        bytes.reserveCapacity(paddedLength)
        bytes += digest.bytes
        bytes += lines
        bytes += repeatElement(0, count: paddedLength - bytes.count)
        return bytes
    }

    /// The record that begins these bytes; nil if none does, or not all of it is there.
    static func read(_ bytes: ArraySlice<UInt8>) throws(AiboxError) -> JournalRecord? {
        guard let (head, count, seal) = head(bytes) else { return nil }
        var record = head
        record.lines = Array(bytes.dropFirst(headLength).prefix(count))
        let found = try digest(bytes.prefix(sealed), record.lines[...])
        return record.lines.count == count && found == seal ? record : nil
    }

    /// What the head alone says: the record without its lines, how many bytes these have, and their seal.
    static func head(_ bytes: ArraySlice<UInt8>) -> (record: JournalRecord, count: Int, seal: Digest256)? {
        guard bytes.count >= headLength, bytes.starts(with: magic) else { return nil }
        var rest = bytes.dropFirst(magic.count)
        func take(_ count: Int) -> ArraySlice<UInt8> {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func number() -> UInt64 { take(8).reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        let boot = Digest256(take(Digest256.count))
        let (epoch, segment, offset, count) = (number(), number(), number(), number())
        guard let boot, let seal = Digest256(take(Digest256.count)), count <= LogJournal.size,
            offset <= UInt64(Int64.max) - count
        else { return nil }
        let record = JournalRecord(epoch: epoch, boot: boot, segment: segment, offset: offset, lines: [])
        return (record, Int(count), seal)
    }

    private static func digest(_ head: ArraySlice<UInt8>, _ lines: ArraySlice<UInt8>) throws(AiboxError) -> Digest256 {
        let hash = try SHA256()
        try Array(head).borrowed { (bytes) throws(AiboxError) in try hash.update(bytes) }
        try Array(lines).borrowed { (bytes) throws(AiboxError) in try hash.update(bytes) }
        return try hash.finish()
    }
}
