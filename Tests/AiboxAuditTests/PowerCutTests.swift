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
    @Test(
        "no acknowledged event is lost, whatever of the unsynced a power cut leaves, and whatever failed before",
        arguments: 0..<96)
    func cuts(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let fixture = try LogFixture()
        try fixture.write(0..<1)
        let disk = PowerCutDisk(seed: seed)
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
                // What is refused is not promised.
                disk.fails = seed.isMultiple(of: 2)
                acknowledged += (try? writer.append(bodies)) ?? []
                switch Int.random(in: 0..<12, using: &chance) {
                case 0: try? writer.checkpoint()
                case 1: try? writer.settle()
                default: break
                }
                disk.fails = false
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

    @Test("a journal that another process finds gone, emptied or cut is not written behind its beginning")
    func gone() throws {
        for damage in 0..<3 {
            let fixture = try LogFixture()
            try fixture.write(0..<1)
            let logs = try (0..<2).map { _ in try fixture.open() }
            try logs[1].append(LogFixture.event(1))
            for number in 2..<6 { try logs[0].append(LogFixture.event(number)) }
            switch damage {
            case 0: try File.remove(fixture.files.journal)
            case 1: try LogJournal.restore(fixture.files, boot: "another", SystemLogDisk())
            default: truncate(fixture.files.journal, 1 << 20)
            }
            for number in 6..<9 { try logs[1].append(LogFixture.event(number)) }
            // What is not in the file for sure can be brought back.
            let journal = try LogJournal(existing: fixture.files)
            let file = try LogWriter.open(fixture.files.state, O_RDONLY)
            let position = try KeyState.read(file, fixture.files.state).journalPosition
            let kept = try journal?.records() ?? []
            #expect(kept.reduce(0) { $0 + UInt64($1.paddedLength) } == position, "\(damage)")
            withExtendedLifetime(logs) {}
        }
    }

    @Test("a rotation that was interrupted leaves nothing of the old file to the journal alone")
    func rotation() throws {
        let fixture = try LogFixture()
        let disk = PowerCutDisk(seed: 1)
        var chance = SeededGenerator(seed: 1)
        func writer(_ boot: String, _ segmentBytes: Int = 64 << 20, on disk: any LogDisk) throws -> LogWriter {
            try LogWriter(fixture.files, fixture.options(segmentBytes: segmentBytes), LogFixture.context, disk) {
                Moment(time: .now, monotonic: 1, boot: boot)
            }
        }
        func body(_ number: Int) throws -> EventBody {
            try EventBody(LogFixture.event(number), in: LogFixture.context, at: .now)
        }
        let first = try writer("one", on: disk)
        for number in 0..<6 { _ = try first.append([try body(number)]) }
        // The next file is there, and who made it died before it synced anything.
        try fixture.copy(to: "before")
        // Its syncs do not count.
        let other = try writer("one", 100, on: SystemLogDisk())
        _ = try other.append([try body(6)])
        let next = try #require(try fixture.files.segments().last)
        let bytes = try fixture.bytes(next)
        for name in ["state", "journal", LogFolder.name(segment: 1)] {
            let old = try File.read(fixture.folder.path + "/before/" + name, limit: 8 << 20)
            let file = try LogWriter.open(fixture.log + "/" + name, O_RDWR)
            try old.borrowed { (old) throws(AiboxError) in
                try SystemLogDisk().overwrite(old, at: 0, of: file, name)
            }
        }
        try fixture.set(bytes, segment: next)
        let second = try writer("one", on: disk)
        for number in 7..<10 { _ = try second.append([try body(number)]) }
        try disk.cut(&chance)
        #expect(try fixture.verify().finding == nil)
        let last = try writer("two", on: disk)
        _ = try last.append([try body(10)])
        #expect(try fixture.verify().finding == nil)
    }

    @Test("a log that is closed needs no journal")
    func settled() throws {
        let fixture = try LogFixture()
        try fixture.write(0..<5)
        let file = try LogWriter.open(fixture.files.state, O_RDONLY)
        #expect(try KeyState.read(file, fixture.files.state).journalPosition == 0)
    }
}

/// A disk with a cache that a power cut empties; a sector is written as a whole or not at all. Now and then it has no room, or
/// loses what it was to sync and says so once.
private final class PowerCutDisk: LogDisk {
    /// Bytes at a place of a file, or its end at this place.
    private struct Change {
        var path: String
        var offset: Int
        var old: [UInt8]
        var new: [UInt8]
        var isTruncation = false
        /// The sync of it failed: it will not be written.
        var isLost = false

        func meets(_ other: Change) -> Bool {
            isTruncation
                ? offset <= other.offset : offset < other.offset + other.new.count && other.offset < offset + new.count
        }
    }

    private struct State {
        var changes: [Change] = []
        var chance: SeededGenerator
        var fails = false
    }

    private let state: Mutex<State>
    private let disk = SystemLogDisk()
    private static let sector = 512

    init(seed: UInt64) { state = Mutex(State(chance: SeededGenerator(seed: seed ^ 0xd15c))) }

    var fails: Bool {
        get { state.withLock { $0.fails } }
        set { state.withLock { $0.fails = newValue } }
    }

    private func happens(oneIn count: Int) -> Bool {
        state.withLock { $0.fails && Int.random(in: 0..<count, using: &$0.chance) == 0 }
    }

    private func remember(_ change: Change) { state.withLock { $0.changes.append(change) } }

    func append(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ path: String) throws(AiboxError) {
        let offset = Int(try FileBytes.length(file, path))
        let isFull = happens(oneIn: 9)
        let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(isFull ? bytes.count * 2 / 3 : bytes.count))
        try disk.append(part, to: file, path)
        remember(Change(path: path, offset: offset, old: [], new: Array(part)))
        if isFull { throw .system("cannot write \(path)", errno: ENOSPC) }
    }

    func overwrite(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, of file: Descriptor, _ path: String
    ) throws(AiboxError) {
        let end = min(Int(try FileBytes.length(file, path)), offset + bytes.count)
        let old = try FileBytes.read(file, from: UInt64(offset), to: UInt64(max(offset, end)), path)
        try disk.overwrite(bytes, at: offset, of: file, path)
        remember(Change(path: path, offset: offset, old: old, new: Array(bytes)))
    }

    func synchronise(_ file: Descriptor, _ path: String) throws(AiboxError) {
        let isFailing = path.contains("/events-") && happens(oneIn: 12)
        state.withLock { state in
            if isFailing {
                for index in state.changes.indices where state.changes[index].path == path {
                    state.changes[index].isLost = true
                }
                return
            }
            // A page that is written again is written as a whole, and a length for good.
            let written = state.changes.filter { $0.path == path && !$0.isLost }
            state.changes.removeAll { change in
                change.path == path
                    && (!change.isLost || change.isTruncation || written.contains { $0.meets(change) })
            }
        }
        if isFailing { throw .system("cannot sync \(path)", errno: EIO) }
    }

    func truncate(_ file: Descriptor, to length: UInt64, _ path: String) throws(AiboxError) {
        let end = try FileBytes.length(file, path)
        let old = try FileBytes.read(file, from: min(length, end), to: end, path)
        try disk.truncate(file, to: length, path)
        remember(Change(path: path, offset: Int(length), old: old, new: [], isTruncation: true))
    }

    /// Of what was not synced, leaves some sectors as they were, some as they were to be, and of what grew any length.
    func cut(_ chance: inout SeededGenerator) throws(AiboxError) {
        let changes = state.withLock { state in
            defer { state.changes = [] }
            return state.changes
        }
        for path in Set(changes.map(\.path)) where File.exists(path) {
            let own = changes.filter { $0.path == path }
            var bytes = try File.read(path, limit: 1 << 30)
            for change in own.reversed() { Self.undo(change, &bytes) }
            let before = bytes.count
            for change in own where !change.isLost {
                if change.isTruncation {
                    if Bool.random(using: &chance) { bytes = Array(bytes.prefix(change.offset)) }
                    continue
                }
                var position = change.offset
                while position < change.offset + change.new.count {
                    let next = min(change.offset + change.new.count, (position / Self.sector + 1) * Self.sector)
                    if Bool.random(using: &chance) {
                        if bytes.count < next { bytes += [UInt8](repeating: 0, count: next - bytes.count) }
                        bytes.replaceSubrange(
                            position..<next, with: change.new[(position - change.offset)..<(next - change.offset)])
                    }
                    position = next
                }
            }
            if bytes.count > before, !own.contains(where: \.isTruncation) {
                bytes.removeLast(Int.random(in: 0...(bytes.count - before), using: &chance))
            }
            let file = try LogWriter.open(path, O_RDWR)
            try disk.truncate(file, to: UInt64(bytes.count), path)
            try bytes.borrowed { (bytes) throws(AiboxError) in try disk.overwrite(bytes, at: 0, of: file, path) }
        }
    }

    private static func undo(_ change: Change, _ bytes: inout [UInt8]) {
        if change.isTruncation {
            if bytes.count == change.offset { bytes += change.old }
            return
        }
        let end = min(bytes.count, change.offset + change.new.count)
        guard change.offset < end else { return }
        if end == bytes.count, change.old.count < change.new.count {
            bytes.removeSubrange(min(change.offset + change.old.count, end)...)
        } else {
            // Something that is on the disk stands behind it.
            let zeros = [UInt8](repeating: 0, count: end - change.offset - min(change.old.count, end - change.offset))
            bytes.replaceSubrange(change.offset..<end, with: change.old.prefix(end - change.offset) + zeros)
        }
        if change.offset + change.old.count <= bytes.count {
            bytes.replaceSubrange(change.offset..<(change.offset + change.old.count), with: change.old)
        }
    }
}
