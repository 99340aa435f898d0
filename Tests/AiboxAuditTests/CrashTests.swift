import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Synchronization
import Testing

@testable import AiboxAudit

/// What a crash, a full disk or a wrong clock leaves behind: nothing that was acknowledged is lost, nothing that was
/// refused is there by half, and the chain is never begun anew.
@Suite("Crashes, full disks and clocks")
struct CrashTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    @Test("a crash that left any part of the next lines is recovered from, and what was left is kept and told of")
    func tornAtEveryByte() throws {
        try fixture.write(0..<2)
        try fixture.copy(to: "before")
        let before = try fixture.bytes()
        // Two more lines that reached the disk, but not the key state.
        let log = try fixture.open()
        try log.append((2..<4).map(LogFixture.event))
        let after = try fixture.bytes()
        try log.close()
        let first = before.count + (try #require(after[before.count...].firstIndex(of: 0x0a)) - before.count) + 1
        for length in before.count...after.count {
            try fixture.restore(from: "before")
            try fixture.set(Array(after.prefix(length)))
            #expect(try fixture.verify().finding == nil, "\(length)")
            try fixture.write(4..<5)
            let result = try fixture.verify()
            #expect(result.finding == nil, "\(length)")
            let whole: UInt64 = length == after.count ? 2 : length >= first ? 1 : 0
            let isTorn = ![before.count, first, after.count].contains(length)
            #expect(result.events == 3 + whole + (isTorn ? 1 : 0) + 1, "\(length)")
            let torn = try Folder.names(fixture.log).filter { $0.hasPrefix("torn-") }
            #expect(torn.count == (isTorn ? 1 : 0))
            if let name = torn.first {
                let start = length > first ? first : before.count
                #expect(try File.read(fixture.log + "/" + name) == Array(after[start..<length]))
            }
        }
    }

    @Test("blocks of zeros after a power cut are set aside")
    func zeros() throws {
        try fixture.write(0..<2)
        try fixture.set(try fixture.bytes() + [UInt8](repeating: 0, count: 4096))
        try fixture.write(2..<3)
        #expect(try fixture.verify().finding == nil)
        let recovered = try fixture.lines().map { try JSONParser.parse($0) }.first {
            $0["type"]?.stringValue == "audit.recover"
        }
        #expect(recovered?["details"]?["bytes"]?.wholeNumber == 4096)
        #expect(recovered?["details"]?["lines"]?.wholeNumber == 0)
    }

    @Test("a checkpoint that a crash tore at any byte, or that only the key state does not know, is recovered from")
    func tornCheckpoint() throws {
        try fixture.write(0..<1, fixture.options(place: true))
        let log = try fixture.open(fixture.options(place: true))
        try log.append(LogFixture.event(1))
        try fixture.copy(to: "before")
        try log.close()
        let before = try File.read(fixture.folder.path + "/before/checkpoints")
        let after = try File.read(fixture.files.checkpoints)
        let place = try #require(try Folder.names(fixture.place).first { $0.hasSuffix(".checkpoints") })
        for length in before.count...after.count {
            try fixture.restore(from: "before")
            try File.replace(fixture.place + "/" + place, with: before)
            try File.replace(fixture.files.checkpoints, with: Array(after.prefix(length)))
            #expect(try fixture.verify(place: true).finding == nil, "\(length)")
            try fixture.write(2..<3, fixture.options(place: true))
            #expect(try fixture.verify(place: true).finding == nil, "\(length)")
            let isTorn = length > before.count && length < after.count
            #expect(try Folder.names(fixture.log).contains { $0.hasPrefix("torn-") } == isTorn, "\(length)")
        }
    }

    @Test("a crash while a second place was written is made up for")
    func tornPlace() throws {
        for round in 0..<2 { try fixture.write(round..<round + 1, fixture.options(place: true)) }
        let name = try #require(try Folder.names(fixture.place).first { $0.hasSuffix(".checkpoints") })
        let path = fixture.place + "/" + name
        let whole = try File.read(path)
        for length in stride(from: 0, to: whole.count, by: 7) {
            try File.replace(path, with: Array(whole.prefix(length)))
            #expect(try fixture.verify(place: true).finding == nil)
            try fixture.open(fixture.options(place: true)).close()
            #expect(try File.read(path) == whole)
        }
    }

    @Test("a crash at any step of changing to the next file is recovered from", arguments: [0, 1, 100, 10_000])
    func tornRotation(kept: Int) throws {
        try fixture.write(0..<5)
        try fixture.copy(to: "before")
        // Makes the next event begin a new file.
        let options = fixture.options(segmentBytes: 2000)
        try fixture.write(5..<7, options)
        let segments = try fixture.files.segments()
        #expect(segments.count == 2)
        let next = try fixture.bytes(segments[1])
        try fixture.restore(from: "before")
        // The new file got this far, and the key state does not know of it.
        try fixture.set(Array(next.prefix(kept)), segment: segments[1])
        try fixture.write(5..<7, options)
        let result = try fixture.verify()
        #expect(result.finding == nil)
        #expect(result.events >= 8)
    }

    @Test("a creation that was interrupted is done again, a finished one never")
    func creation() throws {
        try fixture.write(0..<1)
        try File.remove(fixture.files.identity)
        #expect(throws: AiboxError.self) { _ = try fixture.open() }
        try fixture.set([UInt8]())
        try fixture.write(0..<1)
        #expect(try fixture.verify().finding == nil)
    }

    @Test("a clock that is set back changes neither order nor ids, and is told of")
    func clock() throws {
        let writer = try LogWriter(fixture.files, fixture.options(), LogFixture.context, SystemLogDisk())
        var ids: [EventID] = []
        for seconds in [2_000_000_000, 2_000_000_010, 1_000_000_000, 1_000_000_001, 2_000_000_020] as [Int64] {
            let moment = Moment(time: Timestamp(seconds: seconds), monotonic: 1, boot: "b")
            ids += try writer.append([try EventBody(LogFixture.event(1), in: LogFixture.context, at: moment)])
        }
        try writer.checkpoint()
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == 5)
        let result = try fixture.verify()
        #expect(result.finding == nil)
        #expect(result.notices == ["the clock went back 1 times; events are in the order of their numbers"])
    }

    // MARK: Full disks

    @Test(
        "a disk that is full at any write or sync refuses, loses nothing acknowledged, and the log goes on afterwards")
    func failingDisk() throws {
        for failure in FailingDisk.Failure.allCases {
            for position in 0..<24 {
                let fixture = try LogFixture()
                try fixture.write(0..<1, fixture.options(place: true))
                var options = fixture.options(place: true, segmentBytes: 3000)
                options.checkpointEvents = 3
                let disk = FailingDisk(failure, at: position)
                var acknowledged: [EventID] = []
                var failures = 0
                for round in 0..<2 {
                    do throws(AiboxError) {
                        let log = try AuditLog.open(
                            folder: fixture.log, context: LogFixture.context, options: options, disk: disk)
                        for number in 0..<6 {
                            do throws(AiboxError) {
                                acknowledged.append(try log.append(LogFixture.event(round * 10 + number)))
                            } catch {
                                failures += 1
                            }
                        }
                        do throws(AiboxError) { try log.close() } catch { failures += 1 }
                    } catch {
                        failures += 1
                    }
                }
                let what: Comment = "\(failure) at \(position)"
                // A checkpoint that could not be written is tried again with the next event.
                #expect(failures > 0 || !(disk.failedPath ?? "").contains("/events-"), what)
                // Space is back: the log goes on.
                try fixture.write(30..<31, fixture.options(place: true))
                let result = try fixture.verify(place: true)
                #expect(result.finding == nil, what)
                var logged: Set<String> = []
                for first in try fixture.files.segments() {
                    for line in try fixture.lines(first) {
                        logged.insert(try #require(try JSONParser.parse(line)["id"]?.stringValue))
                    }
                }
                for id in acknowledged { #expect(logged.contains(id.description), what) }
            }
        }
    }

    /// Fails once, at one of its calls, in the way that a full or dying disk does.
    private final class FailingDisk: LogDisk {
        enum Failure: CaseIterable { case nothingWritten, halfWritten, notSynced }
        private let failure: Failure
        private let position: Int
        private let calls = Mutex<(count: Int, failed: String?)>((0, nil))
        private let disk = SystemLogDisk()

        init(_ failure: Failure, at position: Int) {
            self.failure = failure
            self.position = position
        }

        var failedPath: String? { calls.withLock { $0.failed } }

        private func fails(_ path: String) -> Bool {
            calls.withLock { calls in
                defer { calls.count += 1 }
                if calls.count == position { calls.failed = path }
                return calls.count == position
            }
        }

        func append(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ path: String) throws(AiboxError) {
            if failure != .notSynced, fails(path) {
                if failure == .halfWritten {
                    try disk.append(UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2)), to: file, path)
                }
                throw .system("cannot write \(path)", errno: ENOSPC)
            }
            try disk.append(bytes, to: file, path)
        }

        func overwrite(
            _ bytes: UnsafeRawBufferPointer, at offset: Int, of file: Descriptor, _ path: String
        ) throws(AiboxError) {
            if failure == .nothingWritten, fails(path) { throw .system("cannot write \(path)", errno: ENOSPC) }
            try disk.overwrite(bytes, at: offset, of: file, path)
        }

        func synchronise(_ file: Descriptor, _ path: String) throws(AiboxError) {
            if failure == .notSynced, fails(path) { throw .system("cannot sync \(path)", errno: EIO) }
            try disk.synchronise(file, path)
        }

        func truncate(_ file: Descriptor, to length: UInt64, _ path: String) throws(AiboxError) {
            try disk.truncate(file, to: length, path)
        }
    }

    @Test("under the rule to go on, actions go on, and the log says how many events are missing and since when")
    func gap() throws {
        var options = fixture.options(place: true)
        options.onFailure = .markGap
        try fixture.write(0..<2, options)
        let disk = FullDisk()
        let log = try AuditLog.open(
            folder: fixture.log, context: LogFixture.context, options: options, disk: disk)
        disk.isFull = true
        var ids: Set<EventID> = []
        for number in 2..<9 { ids.insert(try log.append(LogFixture.event(number))) }
        #expect(ids.count >= 1)
        #expect(try fixture.verify(place: true).finding == nil)
        // Another process goes on while the disk is still full, and ends: the count outlives it.
        let other = try AuditLog.open(
            folder: fixture.log, context: LogFixture.context, options: options, disk: disk)
        try other.append([LogFixture.event(20), LogFixture.event(21)])
        try? other.close()
        disk.isFull = false
        try log.append(LogFixture.event(9))
        try log.append(LogFixture.event(10))
        try log.close()
        let result = try fixture.verify(place: true)
        #expect(result.finding == nil)
        let events = try fixture.lines().map { try JSONParser.parse($0) }
        let gaps = events.filter { $0["type"]?.stringValue == "audit.gap" }
        #expect(gaps.count == 1)
        #expect(gaps.first?["details"]?["events"]?.wholeNumber == 9)
        #expect(gaps.first?["problems"] == nil)
        #expect(gaps.first?["severity"]?.stringValue == "critical")
        #expect(
            events.suffix(2).compactMap { $0["subject"]?.stringValue } == ["host9.example:443", "host10.example:443"])
    }

    @Test(
        "a full disk stops actions by default, and a log that was refused goes on in the same process once there is room"
    )
    func fullDisk() throws {
        try fixture.write(0..<2)
        let disk = FullDisk()
        let log = try AuditLog.open(
            folder: fixture.log, context: LogFixture.context, options: fixture.options(), disk: disk)
        for failsAtSync in [false, true] {
            disk.isFull = !failsAtSync
            disk.failsToSync = failsAtSync
            for number in 2..<5 { #expect(throws: AiboxError.self) { try log.append(LogFixture.event(number)) } }
            disk.isFull = false
            disk.failsToSync = false
            try log.append(LogFixture.event(failsAtSync ? 31 : 30))
        }
        try log.close()
        #expect(try fixture.verify().finding == nil)
        let subjects = try fixture.lines().compactMap { try JSONParser.parse($0)["subject"]?.stringValue }
        #expect(subjects.suffix(2) == ["host30.example:443", "host31.example:443"])
        #expect(subjects.count == 5)
    }

    @Test("evidence of tampering stops actions under every rule")
    func tamperedUnderGapRule() throws {
        var options = fixture.options()
        options.onFailure = .markGap
        try fixture.write(0..<2, options)
        let log = try fixture.open(options)
        try fixture.set(Array(try fixture.bytes().dropLast(10)))
        #expect(throws: AiboxError.self) { try log.append(LogFixture.event(3)) }
    }

    /// A disk without room while the test says so; what overwrites still works, as it does on a real one.
    private final class FullDisk: LogDisk {
        private let switches = Mutex<(full: Bool, sync: Bool)>((false, false))
        private let disk = SystemLogDisk()

        var isFull: Bool {
            get { switches.withLock { $0.full } }
            set { switches.withLock { $0.full = newValue } }
        }
        var failsToSync: Bool {
            get { switches.withLock { $0.sync } }
            set { switches.withLock { $0.sync = newValue } }
        }

        func append(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ path: String) throws(AiboxError) {
            if isFull {
                try disk.append(UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 3)), to: file, path)
                throw .system("cannot write \(path)", errno: ENOSPC)
            }
            try disk.append(bytes, to: file, path)
        }
        func overwrite(
            _ bytes: UnsafeRawBufferPointer, at offset: Int, of file: Descriptor, _ path: String
        ) throws(AiboxError) { try disk.overwrite(bytes, at: offset, of: file, path) }
        func synchronise(_ file: Descriptor, _ path: String) throws(AiboxError) {
            if failsToSync { throw .system("cannot sync \(path)", errno: EIO) }
            try disk.synchronise(file, path)
        }
        func truncate(_ file: Descriptor, to length: UInt64, _ path: String) throws(AiboxError) {
            try disk.truncate(file, to: length, path)
        }
    }

    // MARK: Killed writers

    @Test("two writers at once, killed at 200 random moments, lose nothing they acknowledged, and the chain goes on")
    func killed() throws {
        let rounds = 100
        var acknowledged: Set<String> = []
        for round in 0..<rounds {
            let writers = try (0..<2).map { _ in try WriterProcess(fixture) }
            // Enough for some to be killed while they open the log, and others while they write.
            usleep(UInt32.random(in: 1000...60_000))
            for writer in writers { acknowledged.formUnion(try writer.kill()) }
            // The first may be killed before there is a log.
            if round.isMultiple(of: 5), File.exists(fixture.files.identity) {
                let finding = try fixture.verify(place: true).finding
                #expect(finding == nil, "round \(round)")
            }
        }
        #expect(acknowledged.count > rounds)
        try fixture.write(0..<1, fixture.options(place: true))
        let result = try fixture.verify(place: true)
        #expect(result.finding == nil)
        var logged: Set<String> = []
        var beginnings = 0
        for first in try fixture.files.segments() {
            for line in try fixture.lines(first) {
                let json = try JSONParser.parse(line)
                logged.insert(try #require(json["id"]?.stringValue))
                beginnings += json["type"]?.stringValue == "audit.open" ? 1 : 0
            }
        }
        #expect(acknowledged.isSubset(of: logged))
        #expect(beginnings == 1)
    }

    @Test("a file-size limit, as an ordinary user meets it, refuses what does not fit and leaves a right log")
    func limited() throws {
        try fixture.write(0..<1, fixture.options(place: true))
        for bytes in stride(from: 2000, to: 12_000, by: 1713) {
            let result = try SystemCommandRunner().run(
                Command(
                    "prlimit", ["--fsize=\(bytes)", WriterProcess.executable, fixture.log, fixture.place, "2", "40"]))
            #expect(result.text.contains("error"), "\(bytes)")
            let written = try fixture.verify(place: true)
            #expect(written.finding == nil, "\(bytes)")
        }
        try fixture.write(1..<2, fixture.options(place: true))
        #expect(try fixture.verify(place: true).finding == nil)
    }
}

/// A process that appends until it is killed.
private struct WriterProcess {
    private let child: ChildProcess
    private let output: Pipe

    /// It is built beside the tests.
    static var executable: String {
        Path.parent(Path.real("/proc/self/exe") ?? "") + "/AiboxAuditWriter"
    }

    init(_ fixture: LogFixture) throws {
        output = try Pipe()
        child = try ChildProcess.start(
            Command(Self.executable, [fixture.log, fixture.place, "3", "100000"]),
            descriptors: [-1, output.write.number, STDERR_FILENO])
        output.write.close()
    }

    /// Kills it and returns the ids that it acknowledged.
    func kill() throws -> [String] {
        child.send(SIGKILL)
        _ = try child.wait()
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(output.read.number, &chunk, chunk.count), count > 0 { bytes += chunk.prefix(count) }
        // The last line may be cut; it is no acknowledgement then.
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast()
        return lines.map { String(decoding: $0, as: UTF8.self) }.filter { EventID($0) != nil }
    }
}
