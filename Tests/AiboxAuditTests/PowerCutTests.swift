import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Synchronization
import Testing

@testable import AiboxAudit

/// What a power cut leaves of what no sync had reached: any of it, in any order, or nothing.
@Suite("Power cuts")
struct PowerCutTests {
    @Test("no acknowledged event is lost, whatever of the unsynced a power cut leaves", arguments: 0..<48)
    func cuts(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let fixture = try LogFixture()
        try fixture.write(0..<1)
        let disk = PowerCutDisk()
        var options = fixture.options(segmentBytes: seed.isMultiple(of: 3) ? 200_000 : 64 << 20)
        options.checkpointEvents = 1 << 30
        var acknowledged: [EventID] = []
        for boot in 0..<4 {
            // Two processes.
            let writers = try (0..<2).map { _ in
                try LogWriter(fixture.files, options, LogFixture.context, disk) {
                    Moment(time: .now, monotonic: 1, boot: "boot \(boot)")
                }
            }
            for _ in 0..<Int.random(in: 1...24, using: &chance) {
                let writer = writers[Int.random(in: 0...1, using: &chance)]
                let bodies = try (0..<Int.random(in: 1...4, using: &chance)).map { number in
                    var event = LogFixture.event(number)
                    // Some so long that the journal is full after a while.
                    if Int.random(in: 0..<3, using: &chance) == 0 {
                        for part in 0..<3 {
                            event.details["long\(part)"] = .string(String(repeating: "x", count: 60_000))
                        }
                    }
                    return try EventBody(event, in: LogFixture.context, at: .now)
                }
                acknowledged += try writer.append(bodies)
                switch Int.random(in: 0..<12, using: &chance) {
                case 0: try writer.checkpoint()
                case 1: try writer.settle()
                default: break
                }
            }
            if boot == 2 { for writer in writers { try writer.settle() } }
            try disk.cut(&chance)
            // Who looks first may be the verifier, and then a writer.
            if boot.isMultiple(of: 2) { #expect(try fixture.verify().finding == nil, "boot \(boot)") }
        }
        try fixture.write(0..<1)
        #expect(try fixture.verify().finding == nil)
        var logged: Set<String> = []
        for first in try fixture.files.segments() {
            for line in try fixture.lines(first) {
                logged.insert(try #require(try JSONParser.parse(line)["id"]?.stringValue))
            }
        }
        #expect(acknowledged.allSatisfy { logged.contains($0.description) })
    }

    @Test("lines that were changed are not put right from the journal: they are evidence")
    func evidence() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        for number in 0..<4 { try log.append(LogFixture.event(number)) }
        let journal = try #require(try LogJournal(existing: fixture.files))
        let record = try #require(try journal.records().last)
        var bytes = try fixture.bytes()
        #expect(Array(bytes[Int(record.offset)...].prefix(record.lines.count)) == record.lines)
        bytes[Int(record.offset) + 40] ^= 1
        try fixture.set(bytes)
        try LogJournal.restore(fixture.files, boot: "another", SystemLogDisk())
        #expect(try fixture.bytes() == bytes)
        #expect(try fixture.verify().finding != nil)
        withExtendedLifetime(log) {}
    }

    @Test("a file that ends early, or in zeros, is made whole; without another boot nothing is touched")
    func restored() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        for number in 0..<6 { try log.append(LogFixture.event(number)) }
        let whole = try fixture.bytes()
        let journal = try #require(try LogJournal(existing: fixture.files))
        let kept = try journal.records()
        #expect(kept.count == 6, "all but what the process wrote first")
        let first = Int(try #require(kept.first).offset)
        let copy = try File.read(fixture.files.journal)
        for length in stride(from: first, through: whole.count, by: 97) {
            for padding in [0, whole.count - length] {
                try File.replace(fixture.files.journal, with: copy)
                let left = Array(whole.prefix(length)) + [UInt8](repeating: 0, count: padding)
                try fixture.set(left)
                try LogJournal.restore(fixture.files, boot: Moment.now.boot, SystemLogDisk())
                #expect(try fixture.bytes() == left)
                try LogJournal.restore(fixture.files, boot: "another", SystemLogDisk())
                #expect(try fixture.bytes() == whole, "\(length) and \(padding)")
            }
        }
        withExtendedLifetime(log) {}
    }

    @Test("a journal that is damaged anywhere restores whole lines or none")
    func damaged() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        for number in 0..<3 { try log.append(LogFixture.event(number)) }
        let whole = try fixture.bytes()
        let copy = try File.read(fixture.files.journal)
        let journal = try #require(try LogJournal(existing: fixture.files))
        let kept = try journal.records()
        let first = Int(try #require(kept.first).offset)
        let ends = [first] + kept.map { Int($0.offset) + $0.lines.count }
        for position in stride(from: 0, to: kept.reduce(0) { $0 + $1.paddedLength }, by: 13) {
            var bytes = copy
            bytes[position] ^= 0x55
            try File.replace(fixture.files.journal, with: bytes)
            try fixture.set(Array(whole.prefix(first)))
            try LogJournal.restore(fixture.files, boot: "another", SystemLogDisk())
            let restored = try fixture.bytes()
            #expect(ends.contains(restored.count) && whole.starts(with: restored), "\(position)")
        }
        withExtendedLifetime(log) {}
    }

    @Test("a journal that is removed, or for which there is no room, costs time only")
    func removed() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        for number in 0..<4 {
            try log.append(LogFixture.event(number))
            if number == 2 { try File.remove(fixture.files.journal) }
        }
        try log.close()
        // Something that cannot be a journal stands in its place.
        try? File.remove(fixture.files.journal)
        try Folder.make(fixture.files.journal, mode: 0o700)
        try fixture.write(4..<8)
        #expect(try fixture.verify().finding == nil)
        #expect(try fixture.verify().events == 9)
    }

    @Test("a log that is closed needs no journal")
    func settled() throws {
        let fixture = try LogFixture()
        try fixture.write(0..<5)
        let file = try LogWriter.open(fixture.files.state, O_RDONLY)
        #expect(try KeyState.read(file, fixture.files.state).journalPosition == 0)
    }
}

/// A disk with a cache that a power cut empties; a sector is written as a whole or not at all.
private final class PowerCutDisk: LogDisk {
    private struct Change {
        var path: String
        var offset: Int
        var old: [UInt8]
        var new: [UInt8]
    }

    private let pending = Mutex<[Change]>([])
    private let disk = SystemLogDisk()
    private static let sector = 512

    func append(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ path: String) throws(AiboxError) {
        let offset = Int(try FileBytes.length(file, path))
        try disk.append(bytes, to: file, path)
        pending.withLock { $0.append(Change(path: path, offset: offset, old: [], new: Array(bytes))) }
    }

    func overwrite(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, of file: Descriptor, _ path: String
    ) throws(AiboxError) {
        let end = min(Int(try FileBytes.length(file, path)), offset + bytes.count)
        let old = try FileBytes.read(file, from: UInt64(offset), to: UInt64(max(offset, end)), path)
        try disk.overwrite(bytes, at: offset, of: file, path)
        pending.withLock { $0.append(Change(path: path, offset: offset, old: old, new: Array(bytes))) }
    }

    func synchronise(_ file: Descriptor, _ path: String) throws(AiboxError) {
        pending.withLock { $0.removeAll { $0.path == path } }
    }

    func truncate(_ file: Descriptor, to length: UInt64, _ path: String) throws(AiboxError) {
        try disk.truncate(file, to: length, path)
        pending.withLock { $0.removeAll { $0.path == path } }
    }

    /// Of what was not synced, leaves some sectors as they were, some as they were to be, and of what grew any length.
    func cut(_ chance: inout SeededGenerator) throws(AiboxError) {
        let changes = pending.withLock { pending in
            defer { pending = [] }
            return pending
        }
        for path in Set(changes.map(\.path)) where File.exists(path) {
            let own = changes.filter { $0.path == path }
            var bytes = try File.read(path, limit: 1 << 30)
            let full = bytes.count
            for change in own.reversed() {
                let end = change.offset + change.old.count
                if end < change.offset + change.new.count { bytes.removeSubrange(min(end, bytes.count)...) }
                if !change.old.isEmpty { bytes.replaceSubrange(change.offset..<end, with: change.old) }
            }
            let before = bytes.count
            bytes += [UInt8](repeating: 0, count: full - before)
            for change in own {
                var position = change.offset
                while position < change.offset + change.new.count {
                    let next = min(change.offset + change.new.count, (position / Self.sector + 1) * Self.sector)
                    if Bool.random(using: &chance) {
                        bytes.replaceSubrange(
                            position..<next, with: change.new[(position - change.offset)..<(next - change.offset)])
                    }
                    position = next
                }
            }
            if full > before { bytes.removeLast(Int.random(in: 0...(full - before), using: &chance)) }
            let file = try LogWriter.open(path, O_RDWR)
            try disk.truncate(file, to: UInt64(bytes.count), path)
            try bytes.borrowed { (bytes) throws(AiboxError) in try disk.overwrite(bytes, at: 0, of: file, path) }
        }
    }
}
