import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxAudit

@Suite("Reading the log")
struct QueryTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    private func write() throws {
        let log = try fixture.open(fixture.options(segmentBytes: 4000))
        for number in 0..<30 {
            var event = LogFixture.event(number)
            if number.isMultiple(of: 3) {
                event = AuditEvent(
                    .toolDeny, subject: "rm -rf \"/\" #\(number)", outcome: .denied, details: ["argv": ["rm"]],
                    context: AuditContext(source: .toolGate, session: "s\(number % 2)", sandbox: "other", user: "eve"))
            }
            try log.append(event)
        }
        try log.close()
    }

    @Test("a search finds exactly what matches, oldest first, across files")
    func search() throws {
        try write()
        let index = try AuditIndex(folder: fixture.log)
        func numbers(_ change: (inout AuditIndex.Query) -> Void) throws -> [Int] {
            var query = AuditIndex.Query()
            change(&query)
            return try index.search(query).compactMap { record in
                Int(
                    record.subject.filter(\.isNumber).prefix(record.type == "tool.deny" ? 2 : 99).replacing(
                        "443", with: ""))
            }
        }
        #expect(try numbers { $0.type = "tool.deny" } == Array(stride(from: 0, to: 30, by: 3)))
        #expect(try numbers { $0.type = "tool" } == Array(stride(from: 0, to: 30, by: 3)))
        #expect(try numbers { $0.type = "too" } == [])
        #expect(
            try numbers {
                $0.session = "s1"; $0.user = "eve"
            } == [3, 9, 15, 21, 27])
        #expect(
            try numbers {
                $0.sandbox = "box"; $0.type = "network"
            }.count == 20)
        #expect(try numbers { $0.text = "host29.example" } == [29])
        #expect(try numbers { $0.text = "rm -rf \"/\" #12" } == [12])
        #expect(
            try numbers {
                $0.type = "tool"; $0.limit = 2
            } == [24, 27])
        #expect(
            try numbers {
                $0.severity = .warning; $0.outcome = .denied
            }.count == 30)
        #expect(try numbers { $0.session = "' OR 1=1 --" } == [])
        #expect(try numbers { $0.until = Timestamp(seconds: 0) } == [])
        #expect(
            try numbers {
                $0.since = Timestamp(seconds: 0); $0.type = "network"
            }.count == 20)
    }

    @Test("an event is found by number and by id, and shown as it stands in the log")
    func show() throws {
        try write()
        let index = try AuditIndex(folder: fixture.log)
        let line = try fixture.lines()[2]
        let byNumber = try #require(try index.event("3"))
        #expect(byNumber.line == line)
        #expect(try index.event(byNumber.id) == byNumber)
        #expect(try index.event("999") == nil)
        #expect(try index.event("nonsense") == nil)
    }

    @Test("the index follows the log, and is made anew when it disagrees, is damaged or lacks rows")
    func follows() throws {
        try fixture.write(0..<3)
        #expect(try AuditIndex(folder: fixture.log).count() == 4)
        try fixture.write(3..<6, fixture.options(segmentBytes: 100))
        let events = try fixture.verify().events
        #expect(try AuditIndex(folder: fixture.log).count() == events)
        let whole = Int(try fixture.verify().events)
        let file = fixture.log + "/index.db"
        for damage in [
            "DELETE FROM event WHERE seq = 2", "UPDATE position SET head = 'x'", "UPDATE position SET origin = 'x'",
            "DELETE FROM position", "UPDATE position SET seq = 2", "DELETE FROM event",
        ] {
            let result = try SystemCommandRunner().run(Command("sqlite3", [file, damage]))
            #expect(result.succeeded, "\(result.errorText)")
            #expect(try AuditIndex(folder: fixture.log).count() == whole, "\(damage)")
            #expect(try AuditIndex(folder: fixture.log).event("2")?.sequence == 2)
        }
        try File.replace(file, with: String(repeating: "garbage ", count: 1000))
        for suffix in ["-wal", "-shm"] { try File.remove(file + suffix) }
        #expect(try AuditIndex(folder: fixture.log).count() == whole)
        // Another log under the same folder.
        try Folder.removeTree(fixture.log + ".old")
        let other = try LogFixture()
        try other.write(0..<1)
        try File.replace(other.log + "/index.db", with: try File.read(file))
        #expect(try AuditIndex(folder: other.log).count() == 2)
    }

    @Test("a line that is not what the index says is an error, never another event")
    func moved() throws {
        try fixture.write(0..<4)
        let index = try AuditIndex(folder: fixture.log)
        var lines = try fixture.lines()
        lines.swapAt(1, 2)
        try fixture.set(lines)
        #expect(throws: AiboxError.self) { try index.event("2") }
    }

    @Test("tail gives the newest events and those that come, across files", arguments: [0, 1, 5, 7, 1000])
    func tail(count: Int) throws {
        try write()
        let all = Int(try fixture.verify().events)
        var tail = try AuditTail(folder: fixture.log, count: count)
        let first = try tail.next()
        #expect(first.map(\.sequence) == Array(UInt64(max(1, all - count + 1))..<UInt64(all + 1)))
        #expect(try tail.next() == [])
        try fixture.write(50..<55, fixture.options(segmentBytes: 1500))
        let then = try tail.next()
        let last = try fixture.verify().events
        #expect(then.map(\.sequence) == Array(UInt64(all + 1)...last))
        #expect(then.last?.subject == "host54.example:443")
    }

    @Test("the fields that the index reads are those that a parser reads")
    func fields() throws {
        for nasty in TextTests.nasty {
            let text = AuditText.carried(nasty)
            let context = AuditContext(source: .cli, session: text, sandbox: text, user: text, host: text, policy: text)
            let body = try EventBody(AuditEvent(.toolInvoke, risk: .safe, context: context), in: context, at: .now)
            var line: [UInt8] = []
            let id = try EventID.next(after: EventID(high: 0, low: 0), at: .now)
            RecordLine.authenticated(sequence: 12, id: id, body: body.bytes, previous: Digest256(), to: &line)
            RecordLine.finish(Digest256(), to: &line)
            let json = try JSONParser.parse(line)
            try line.borrowed { (bytes) throws(AiboxError) in
                let fields = LineFields(bytes)
                for name in ["id", "time", "type", "severity", "outcome", "session", "sandbox", "user"] {
                    #expect(fields[name] == json[name]?.stringValue, "\(name)")
                }
            }
        }
    }

    // MARK: Proofs

    @Test("every event has a proof that holds, here and in the script of the documentation")
    func proofs() throws {
        try write()
        let events = try fixture.verify().events
        let key = try File.text(fixture.files.identity)
        for sequence in 1...events {
            let proof = try InclusionProof(folder: fixture.log, sequence: sequence)
            let read = try InclusionProof(proof.text, from: "proof")
            #expect(read == proof)
            let statement = try read.check(key: key)
            #expect(statement.event.sequence == sequence)
            #expect(statement.size == events)
        }
        let file = fixture.folder.path + "/proof"
        try File.replace(file, with: try InclusionProof(folder: fixture.log, sequence: 7).text)
        let script = try runScript(file)
        #expect(script.succeeded, "\(script.errorText)")
        #expect(script.text.contains("holds: event 7 of \(events)"))
    }

    @Test("a proof with one changed byte, or for another key, does not hold, here or in the script")
    func badProofs() throws {
        try fixture.write(0..<6)
        let other = try LogFixture()
        try other.write(0..<1)
        let text = try InclusionProof(folder: fixture.log, sequence: 3).text
        let key = try File.text(fixture.files.identity)
        func holds(_ text: String, _ key: String) -> Bool {
            guard let proof = try? InclusionProof(text, from: "proof") else { return false }
            return (try? proof.check(key: key)) != nil
        }
        #expect(holds(text, key))
        #expect(!holds(text, try File.text(other.files.identity)))
        let original = Array(text.utf8)
        var survivors = 0
        for index in original.indices {
            var changed = original
            changed[index] ^= 1
            if holds(String(decoding: changed, as: UTF8.self), key) { survivors += 1 }
        }
        // Only bytes of the last line, which is the one-time signature.
        let lastLine = original.count - (original.dropLast().lastIndex(of: 0x0a) ?? 0)
        #expect(survivors < lastLine)
        for index in stride(from: 3, to: original.count - lastLine - 4, by: 97) {
            var changed = original
            changed[index] ^= 1
            let file = fixture.folder.path + "/proof"
            try File.replace(file, with: changed)
            #expect(try !runScript(file).succeeded, "byte \(index)")
        }
    }

    private func runScript(_ proof: String) throws -> CommandResult {
        try SystemCommandRunner().run(
            Command("python3", [Repository.root + "/docs/check-audit-proof.py", proof, fixture.files.identity]))
    }

    @Test("an event that no checkpoint covers yet has no proof")
    func uncovered() throws {
        let log = try fixture.open()
        try log.append(LogFixture.event(1))
        #expect(throws: AiboxError.self) { try InclusionProof(folder: fixture.log, sequence: 2) }
        try log.checkpoint()
        _ = try InclusionProof(folder: fixture.log, sequence: 2)
        #expect(throws: AiboxError.self) { try InclusionProof(folder: fixture.log, sequence: 3) }
        #expect(throws: AiboxError.self) { try InclusionProof(folder: fixture.log, sequence: 0) }
        try log.close()
    }

    // MARK: Times and documents

    @Test(
        "moments as a person writes them",
        arguments: [
            ("30s", 999_970), ("2m", 999_880), ("1h", 996_400), ("1d", 913_600), ("1970-01-02", 86_400),
            ("1970-01-01T00:00:01Z", 1), ("2000-02-29T12:00:00.5Z", 951_825_600), ("2001-02-29", nil),
            ("2000-04-31", nil),
            ("yesterday", nil), ("", nil), ("-1d", nil), ("1970-01-01T00:00:00", nil), ("1970-01-01T24:00:00Z", nil),
            ("99999999999999999999d", nil),
        ] as [(String, Int64?)])
    func times(text: String, seconds: Int64?) {
        #expect(AuditTime.parse(text, now: Timestamp(seconds: 1_000_000))?.seconds == seconds)
    }

    @Test("docs/audit-events.md and the JSON schema are those of the code (aibox audit docs [--schema])")
    func documents() throws {
        #expect(try File.text(Repository.root + "/docs/audit-events.md") == AuditEventSchema.markdown)
        #expect(try File.text(Repository.root + "/configs/audit-event.schema.json") == AuditEventSchema.json)
        #expect(throws: Never.self) { try JSONParser.parse(AuditEventSchema.json) }
    }

    @Test("every type has a name of two parts, its own words, and fields with names that occur once")
    func definitions() {
        #expect(AuditEventType.allCases.count >= 25)
        for type in AuditEventType.allCases {
            #expect(type.rawValue.split(separator: ".").count == 2)
            #expect(!type.definition.summary.isEmpty)
            #expect(Set(type.definition.fields.map(\.name)).count == type.definition.fields.count)
        }
        #expect(Set(AuditEventType.allCases.map(\.definition.summary)).count == AuditEventType.allCases.count)
    }
}

/// The source tree that the tests were built from.
enum Repository {
    static let root: String = {
        var folder = Path.parent(#filePath)
        while folder != "/", !File.exists(folder + "/docs/audit-log.md") { folder = Path.parent(folder) }
        return folder
    }()
}
