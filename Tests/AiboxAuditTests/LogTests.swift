import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Dispatch
import Glibc
import Testing

@testable import AiboxAudit

@Suite("The audit log")
struct LogTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    @Test("what was appended is there, in order, verified and signed")
    func append() throws {
        let log = try fixture.open(fixture.options(place: true))
        var ids: [EventID] = []
        for number in 0..<20 { ids.append(try log.append(LogFixture.event(number))) }
        ids += try log.append((20..<30).map(LogFixture.event))
        try log.close()
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == 30)
        let result = try fixture.verify(place: true)
        #expect(result.finding == nil)
        // One more: the log's own first event.
        #expect(result.events == 31)
        #expect(result.covered == 31)
        #expect(result.checkedMACs)
        #expect(result.agreeingPlaces == [fixture.place])
        #expect(result.notices == [])
        let lines = try fixture.lines()
        for (line, id) in zip(lines.dropFirst(), ids) {
            #expect(try JSONParser.parse(line)["id"]?.stringValue == id.description)
        }
    }

    @Test("a log that is opened again goes on where it ended")
    func again() throws {
        for round in 0..<4 { try fixture.write(round * 5..<round * 5 + 5) }
        let result = try fixture.verify()
        #expect(result.finding == nil)
        #expect(result.events == 21)
        #expect(result.checkpoints == 4)
    }

    @Test("several files are one chain")
    func rotation() throws {
        for round in 0..<3 {
            try fixture.write(round * 20..<round * 20 + 20, fixture.options(place: true, segmentBytes: 4000))
        }
        let result = try fixture.verify(place: true)
        #expect(result.finding == nil)
        #expect(result.files > 5)
        let types = try fixture.files.segments().map {
            try JSONParser.parse(try fixture.lines($0)[0])["type"]?.stringValue
        }
        #expect(types.first == "audit.open")
        #expect(types.dropFirst().allSatisfy { $0 == "audit.rotate" })
    }

    @Test("threads that append at once lose nothing and share syncs")
    func threads() async throws {
        let log = try fixture.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<50 { _ = try await log.record(LogFixture.event(writer * 100 + number)) }
                }
            }
            try await group.waitForAll()
        }
        try log.close()
        let result = try fixture.verify()
        #expect(result.finding == nil)
        #expect(result.events == 401)
        let subjects = try fixture.lines().compactMap { try JSONParser.parse($0)["subject"]?.stringValue }
        #expect(Set(subjects).count == 401)
    }

    @Test("what nothing waits for is written too, soon, at the end, and in the order in which it came")
    func notes() throws {
        let log = try fixture.open()
        let written = DispatchSemaphore(value: 0)
        try log.note(LogFixture.event(0)) { result in
            if case .success = result { written.signal() }
        }
        // By itself: nobody else has to come.
        #expect(written.wait(timeout: .now() + 30) == .success)
        #expect(try fixture.lines().count == 2)
        try log.note(LogFixture.event(1)) { _ in }
        try log.append(LogFixture.event(2))
        // What is appended takes along what came before it.
        #expect(try fixture.lines().count == 4)
        for number in 3..<40 { try log.note(LogFixture.event(number)) { _ in } }
        try log.close()
        let result = try fixture.verify()
        #expect(result.finding == nil)
        let subjects = try fixture.lines().compactMap { try JSONParser.parse($0)["subject"]?.stringValue }
        #expect(subjects.dropFirst() == (0..<40).map { "host\($0).example:443" }[...])
    }

    @Test("so many events are signed by themselves, long before the time for it comes")
    func count() throws {
        var options = fixture.options()
        options.checkpointEvents = 10
        options.checkpointInterval = .seconds(3600)
        let log = try fixture.open(options)
        for number in 0..<20 { try log.append(LogFixture.event(number)) }
        var isSigned = false
        for _ in 0..<300 where !isSigned {
            usleep(100_000)
            isSigned = try !File.read(fixture.files.checkpoints).isEmpty
        }
        #expect(isSigned)
        try log.close()
        #expect(try fixture.verify().finding == nil)
    }

    @Test("two writers on one folder take turns on one chain")
    func writers() throws {
        let one = try fixture.open()
        let two = try fixture.open()
        for number in 0..<40 {
            try (number.isMultiple(of: 3) ? one : two).append(LogFixture.event(number))
            // Each signs over what the other has written since.
            if number.isMultiple(of: 7) { try one.checkpoint() }
            if number.isMultiple(of: 10) { try two.checkpoint() }
        }
        try one.close()
        try two.append(LogFixture.event(40))
        try two.close()
        let result = try fixture.verify()
        #expect(result.finding == nil)
        #expect(result.events == 42)
    }

    @Test("a closed log takes no more, and says so")
    func closed() throws {
        let log = try fixture.open()
        try log.close()
        #expect(throws: AiboxError.self) { try log.append(LogFixture.event(1)) }
        #expect(throws: AiboxError.self) { try log.checkpoint() }
        try log.close()
    }

    @Test("the folder and its keys are closed to others")
    func modes() throws {
        try fixture.write(0..<2)
        let listing = try SystemCommandRunner().run(
            Command("find", [fixture.log, "-perm", "/077", "-not", "-name", "log.pub"]))
        #expect(listing.text == "")
    }

    @Test("old keys are gone: neither the first MAC key nor a used signing key is left in the key state")
    func keysGone() throws {
        try fixture.write(0..<1)
        let first = try File.read(fixture.files.state)
        try fixture.write(1..<3)
        let second = try File.read(fixture.files.state)
        let auditor = try AuditorKey(try File.text(fixture.files.auditorKey), from: "")
        func contains(_ bytes: [UInt8], _ key: [UInt8]) -> Bool {
            bytes.indices.dropLast(key.count - 1).contains { Array(bytes[$0..<$0 + key.count]) == key }
        }
        #expect(!contains(first, auditor.secret))
        // MAC key and one-time seed of the earlier state.
        #expect(!contains(second, Array(first[112..<144])))
        #expect(!contains(second, Array(first[144..<176])))
        // The log's own key is the one that stays.
        #expect(contains(second, Array(first[176..<208])))
    }

    @Test("a missing second place stops a log that requires it, and is told of by one that does not")
    func places() throws {
        try File.replace(fixture.folder.path + "/file", with: "")
        let broken = fixture.folder.path + "/file/second"
        var options = AuditLog.Options()
        options.secondPlaces = [SecondPlace(folder: broken)]
        #expect(throws: AiboxError.self) { _ = try fixture.open(options) }
        options.secondPlaces = [SecondPlace(folder: broken, required: false)]
        try fixture.write(0..<2, options)
        let types = try fixture.lines().compactMap { try JSONParser.parse($0)["type"]?.stringValue }
        #expect(types.filter { $0 == "audit.place" }.count == 1)
        #expect(try fixture.verify().finding == nil)
    }
}
