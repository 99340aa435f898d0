import AiboxCrypto
import AiboxSystem
import Glibc

/// Where the log stands and the keys it goes on with: one sector of 512 bytes, overwritten in place.
///
/// One sector, because a disk writes a sector as a whole or not at all; in place, because a copy would keep the old
/// keys. It is written after the lines it speaks of are on the disk, so it is never ahead of the log; after a crash
/// it may be behind, and the lines in between prove themselves with its keys.
final class KeyState {
    static let length = 512
    private static let magic = Array("AIBOXKS1".utf8)
    private static let checksumOffset = 480

    private let sector: SecretBytes

    /// Grows with each write; tells a process that another one wrote.
    var generation: UInt64 {
        get { number(8) }
        set { setNumber(8, newValue) }
    }
    /// The last line's number; 0 before the first.
    var sequence: UInt64 {
        get { number(16) }
        set { setNumber(16, newValue) }
    }
    /// The first number of the file being written: its name.
    var segment: UInt64 {
        get { number(24) }
        set { setNumber(24, newValue) }
    }
    /// Its length in bytes.
    var length: UInt64 {
        get { number(32) }
        set { setNumber(32, newValue) }
    }
    /// Checkpoints written.
    var checkpoints: UInt64 {
        get { number(40) }
        set { setNumber(40, newValue) }
    }
    /// Bytes of the checkpoint file.
    var checkpointsLength: UInt64 {
        get { number(48) }
        set { setNumber(48, newValue) }
    }
    /// Events under the last checkpoint.
    var checkpointSize: UInt64 {
        get { number(56) }
        set { setNumber(56, newValue) }
    }
    var lastID: EventID {
        get { EventID(bytes: bytes(64, 16)) }
        set { set(64, newValue.bytes) }
    }
    /// The leaf hash of the last line; the anchor before the first.
    var head: Digest256 {
        get { digest(80) }
        set { set(80, newValue.bytes) }
    }
    /// SHA-256 of `log.pub`.
    var anchor: Digest256 {
        get { digest(208) }
        set { set(208, newValue.bytes) }
    }

    /// Events that could not be written and that no event tells of yet.
    var lost: UInt64 {
        get { number(240) }
        set { setNumber(240, newValue) }
    }
    /// When the first of them was to be written, seconds since 1970.
    var lostSince: UInt64 {
        get { number(248) }
        set { setNumber(248, newValue) }
    }

    /// Grows each time that the journal begins anew (`LogJournal`).
    var journalEpoch: UInt64 {
        get { number(256) }
        set { setNumber(256, newValue) }
    }
    /// Where its next record goes; 0 while every line is on the disk in its own file.
    var journalPosition: UInt64 {
        get { number(264) }
        set { setNumber(264, newValue) }
    }
    /// A sync has failed: what the file of events shows may not be on the disk. The kernel tells that once, and to one
    /// process (fsync(2)); this tells the others. The boot in which it was: after another one, what is read is on the disk,
    /// and this state may be an older one. Zeros: none.
    var doubtful: Digest256 {
        get { digest(272) }
        set { set(272, newValue.bytes) }
    }
    /// Every line is on the disk in its own file: the journal begins anew.
    func settle() {
        if journalPosition == 0 { return }
        journalEpoch += 1
        journalPosition = 0
    }

    /// The MAC key of the next line.
    func makeRatchet() throws(AiboxError) -> MACRatchet { try MACRatchet(SecretBytes(copying: sector, 112..<144)) }
    func setRatchet(_ ratchet: MACRatchet) { sector.replace(at: 112, with: ratchet.key) }
    /// The one-time key of the next checkpoint.
    func makeOneTimeKeys() throws(AiboxError) -> OneTimeKeys {
        OneTimeKeys(try SecretBytes(copying: sector, 144..<176))
    }
    func setOneTimeKeys(_ keys: OneTimeKeys) { sector.replace(at: 144, with: keys.seed) }
    /// The log's own signing key.
    func makeLogKey() throws(AiboxError) -> SecretBytes { try SecretBytes(copying: sector, 176..<208) }
    func setLogKey(_ seed: SecretBytes) { sector.replace(at: 176, with: seed) }

    init() throws(AiboxError) {
        sector = try SecretBytes(count: Self.length)
        set(0, Self.magic)
    }

    func copy() throws(AiboxError) -> KeyState {
        let copy = try KeyState()
        copy.sector.replace(with: sector)
        return copy
    }

    /// Reads the sector.
    ///
    /// - Throws: `integrity` if it is not 512 bytes with the right checksum.
    static func read(_ file: Descriptor, _ path: String) throws(AiboxError) -> KeyState {
        let state = try KeyState()
        let count = try retrying("cannot read \(path)") {
            pread(file.number, state.sector.bytes.baseAddress, Self.length, 0)
        }
        let checksum = try state.checksum()
        let valid = count == Self.length && state.bytes(0, 8) == magic && checksum == state.digest(checksumOffset)
        if !valid {
            throw AiboxError(
                .integrity, "cannot continue the audit log", why: "its key state \(path) is damaged",
                remedy: "aibox audit verify; then move the whole audit folder away as evidence")
        }
        return state
    }

    /// Overwrites the sector in place.
    func write(_ file: Descriptor, _ path: String, _ disk: any LogDisk) throws(AiboxError) {
        generation += 1
        set(Self.checksumOffset, try checksum().bytes)
        try disk.overwrite(sector.readable, at: 0, of: file, path)
    }

    private func checksum() throws(AiboxError) -> Digest256 {
        let hash = try SHA256()
        try hash.update(UnsafeRawBufferPointer(rebasing: sector.readable[..<Self.checksumOffset]))
        return try hash.finish()
    }

    private func bytes(_ offset: Int, _ count: Int) -> [UInt8] { Array(sector.readable[offset..<offset + count]) }
    private func digest(_ offset: Int) -> Digest256 { Digest256(bytes(offset, 32)) ?? Digest256() }
    private func number(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: sector.readable.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    private func setNumber(_ offset: Int, _ value: UInt64) {
        sector.bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
    }
    private func set(_ offset: Int, _ value: some Collection<UInt8>) {
        for (index, byte) in value.enumerated() { sector.bytes[offset + index] = byte }
    }
}
