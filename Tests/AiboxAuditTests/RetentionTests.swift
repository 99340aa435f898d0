import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Synchronization
import Testing

@testable import AiboxAudit

@Suite("Retention")
struct RetentionTests {
    private let fixture: LogFixture
    private let clock = Clock()

    init() throws { fixture = try LogFixture() }

    /// A clock that the test sets.
    private final class Clock: Sendable {
        private let day = Mutex<Int64>(0)
        func set(day: Int64) { self.day.withLock { $0 = day } }
        var now: Moment {
            let day = day.withLock { $0 }
            return Moment(time: Timestamp(seconds: 1_800_000_000 + day * 86_400), monotonic: 1, boot: "b")
        }
    }

    private func writer(segmentBytes: Int = 3000) throws -> LogWriter {
        let clock = clock
        return try LogWriter(
            fixture.files, fixture.options(place: true, segmentBytes: segmentBytes), LogFixture.context,
            SystemLogDisk(), clock: { clock.now })
    }

    /// Events of one day each: `type` says the tier.
    private func write(day: Int64, _ count: Int, _ event: AuditEvent = LogFixture.event(1)) throws {
        clock.set(day: day)
        let writer = try writer()
        for _ in 0..<count {
            _ = try writer.append([try EventBody(event, in: LogFixture.context, at: clock.now)])
        }
        try writer.checkpoint()
    }

    private func expire(day: Int64) throws -> AuditExpiry {
        clock.set(day: day)
        return try writer().expire(try AuditRetentionDays(), isTrial: false)
    }

    private func findings() throws -> [AuditFinding?] {
        [try fixture.verify(place: true).finding, try fixture.verifyPublicly(place: true).finding]
    }

    @Test("a file goes once its youngest event is past its tier's days, and verification goes on from its tombstone")
    func expiry() throws {
        for day in stride(from: 0, through: 900, by: 100) as StrideThrough<Int64> { try write(day: day, 6) }
        let before = try fixture.files.segments()
        #expect(before.count > 5)
        // The rotation's own event is of tier 1.
        #expect(try expire(day: 729).files.isEmpty)
        let expiry = try expire(day: 900)
        #expect(expiry.first == 1)
        #expect(!expiry.files.isEmpty)
        let segments = try fixture.files.segments()
        #expect(segments.first == expiry.last + 1)
        #expect(segments.count < before.count + 1)
        #expect(try findings() == [nil, nil])
        let result = try fixture.verify(place: true)
        #expect(result.removed == expiry.last)
        #expect(result.checkedMACs)
        // The chain goes on, also for a process that never saw the removed part.
        try File.remove(fixture.files.frontier)
        try write(day: 901, 3)
        #expect(try findings() == [nil, nil])
        // A second removal takes the first one's place.
        let next = try expire(day: 1400)
        #expect(next.first == expiry.last + 1)
        #expect(try fixture.files.tombstones() == [next.last])
        #expect(try findings() == [nil, nil])
        // What is left can still be found and proved.
        let index = try AuditIndex(folder: fixture.log)
        let last = try fixture.verify().events
        for sequence in (next.last + 1)...last {
            #expect(try index.event("\(sequence)")?.sequence == sequence)
            let proof = try InclusionProof(folder: fixture.log, sequence: sequence)
            #expect(try proof.check(key: try File.text(fixture.files.identity)).event.sequence == sequence)
        }
        #expect(throws: AiboxError.self) { try InclusionProof(folder: fixture.log, sequence: next.last) }
    }

    @Test("a crash at any step of a removal leaves a log that is right, and the next removal finishes it")
    func crash() throws {
        for day in stride(from: 0, through: 900, by: 300) as StrideThrough<Int64> { try write(day: day, 9) }
        try fixture.copy(to: "before")
        let place = fixture.place
        let runner = SystemCommandRunner()
        _ = try runner.run(Command("cp", ["-a", place, place + ".before"]))
        let removed = try expire(day: 900).files
        let tombstones = try fixture.files.tombstones()
        let after = try fixture.files.segments().map { ($0, try fixture.bytes($0)) }
        #expect(removed.count > 1)
        // The tombstone is written and nothing else.
        try fixture.copy(to: "after")
        let tombstone = try File.read(fixture.files.path(tombstone: try #require(tombstones.first)))
        try fixture.restore(from: "before")
        _ = try runner.run(Command("rm", ["-r", place]))
        _ = try runner.run(Command("mv", [place + ".before", place]))
        try File.replace(fixture.files.path(tombstone: try #require(tombstones.first)), with: tombstone)
        #expect(try findings() == [nil, nil])
        #expect(try expire(day: 900).files == removed)
        #expect(try findings() == [nil, nil])
        #expect(after.count == (try fixture.files.segments().count))
        // Some of the files are gone, others not yet.
        try fixture.restore(from: "after")
        _ = try runner.run(Command("cp", ["-a", fixture.folder.path + "/before/" + removed[0], fixture.log]))
        #expect(try fixture.verifyPublicly().finding != nil)
    }

    @Test("files removed by hand, a tombstone that the log does not name, and one that came too early are found")
    func forged() throws {
        for day in stride(from: 0, through: 900, by: 100) as StrideThrough<Int64> { try write(day: day, 6) }
        try fixture.copy(to: "whole")
        let segments = try fixture.files.segments()
        // Whoever has the log's key signs a tombstone of his own and says nothing in the log.
        let state = try KeyState.read(try LogWriter.open(fixture.files.state, 0), fixture.files.state)
        let identity = try LogIdentity(try File.text(fixture.files.identity), from: "")
        let hasher = try MerkleHasher()
        var tree = MerkleFrontier()
        var head = try identity.anchor()
        for line in try fixture.lines(segments[0]) {
            head = try line.borrowed { (bytes) throws(AiboxError) in try hasher.leaf(bytes) }
            try tree.add(head, hasher)
        }
        var forged = Tombstone(origin: identity.origin, last: tree.size, head: head, frontier: tree, time: "2026")
        try forged.note.sign(as: identity.key, seed: state.makeLogKey())
        try File.remove(fixture.files.path(segment: segments[0]))
        for finding in try findings() {
            #expect(finding?.kind == .removed)
            #expect(finding?.sequence == 1)
        }
        try File.replace(fixture.files.path(tombstone: tree.size), with: forged.note.source)
        for finding in try findings() {
            #expect(finding?.kind == .removed)
            #expect(finding?.last == tree.size)
        }
        // He also lets the log say it, but the checkpoints tell that the events were young.
        try fixture.restore(from: "whole")
        clock.set(day: 300)
        try File.replace(fixture.files.path(tombstone: tree.size), with: forged.note.source)
        let log = try writer()
        log.tell(
            AuditEvent(
                .auditExpire, subject: "x",
                details: [
                    "first": 1, "last": .integer(Int64(tree.size)), "tombstone": "x",
                    "digest": .string(try forged.digest().hex),
                ]))
        try log.checkpoint()
        try File.remove(fixture.files.path(segment: segments[0]))
        for finding in try findings() {
            #expect(finding?.kind == .removed)
            #expect(finding?.explanation.contains("300 days") == true, "\(finding?.explanation ?? "")")
        }
    }

    @Test("every byte of a tombstone counts")
    func everyByte() throws {
        for day in stride(from: 0, through: 900, by: 300) as StrideThrough<Int64> { try write(day: day, 9) }
        let expiry = try expire(day: 900)
        let path = fixture.files.path(tombstone: expiry.last)
        let original = try File.read(path)
        for index in original.indices {
            var changed = original
            changed[index] ^= 1
            try File.replace(path, with: changed)
            #expect(try fixture.verifyPublicly().finding != nil, "byte \(index)")
        }
    }

    @Test("less than the tiers' days is refused")
    func least() {
        #expect(throws: AiboxError.self) { try AuditRetentionDays(tier1: 729) }
        #expect(throws: AiboxError.self) { try AuditRetentionDays(tier2: 364) }
    }
}
