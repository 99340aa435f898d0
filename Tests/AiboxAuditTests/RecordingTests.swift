import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxAudit

@Suite("Recordings")
struct RecordingTests {
    private let folder: TemporaryFolder
    private let key: RecordingKey
    private var recordings: String { folder.path + "/recordings" }

    init() throws {
        folder = try TemporaryFolder(prefix: "aibox-recording", inMemory: true)
        key = try RecordingKey()
    }

    private func header(_ id: String = "01HF7YAT00TESTTESTTESTTEST") -> RecordingHeader {
        RecordingHeader(
            id: id, session: "s1", sandbox: "box", user: "dev", host: "host.example", started: "2026-03-01T09:30:00Z",
            kind: "shell", recipient: key.recipient)
    }

    private func recorder(_ id: String = "01HF7YAT00TESTTESTTESTTEST", limit: Int = 1 << 24) throws -> SessionRecorder {
        try SessionRecorder(
            folder: recordings, header(id), for: key.recipient, limit: limit, width: 80, height: 24, title: "bash",
            term: "xterm", notice: "This session is recorded.")
    }

    /// Records pieces of output and returns the file and its digest.
    @discardableResult
    private func record(_ pieces: [[UInt8]], _ id: String = "01HF7YAT00TESTTESTTESTTEST") throws -> (String, String) {
        let recorder = try recorder(id)
        for piece in pieces {
            try piece.borrowed { (bytes) throws(AiboxError) in try recorder.output(bytes) }
            try recorder.flush()
        }
        return (recordings + "/" + id + ".aiboxrec", try recorder.finish())
    }

    private func output(_ path: String, _ key: RecordingKey? = nil) throws -> [UInt8] {
        var text = try RecordingText(try RecordingReader(path, key: key ?? self.key))
        var output: [UInt8] = []
        while let event = try text.next() { if event.code == "o" { output += AuditText.bytes(event.data) } }
        guard text.isComplete else { throw AiboxError(.integrity, "cut") }
        return output
    }

    @Test("what was shown is there byte for byte, whatever it was and however it came in pieces")
    func roundTrip() throws {
        var all: [UInt8] = (0...255).map { $0 }
        all += Array("grüße 日本 👩‍💻 \u{1b}[31mred\u{1b}[0m \"quoted\" \\ \u{7f}\r\n".utf8)
        all += [0xf0, 0x9f, 0xe2, 0x82, 0xff, 0xc3]
        for size in [1, 2, 3, 7, 1000] {
            let pieces = stride(from: 0, to: all.count, by: size).map { Array(all[$0..<min($0 + size, all.count)]) }
            let (path, _) = try record(pieces, "piece\(size)")
            #expect(try output(path) == Array("This session is recorded.\r\n".utf8) + all, "\(size)")
        }
    }

    @Test("no byte of what was shown is in the file, and none was ever on the disk outside it")
    func encrypted() throws {
        let secret = "correct horse battery staple"
        let (path, _) = try record([Array(secret.utf8)])
        let bytes = try File.read(path)
        #expect(!String(decoding: bytes, as: UTF8.self).contains("horse"))
        #expect(!String(decoding: bytes, as: UTF8.self).contains("This session"))
        #expect(try Folder.names(recordings).count == 1)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test("the exported text is asciicast v2, and a terminal player accepts it")
    func export() throws {
        let (path, _) = try record([Array("hello ".utf8), Array("wörld\r\n".utf8), [0xff]])
        var text = try RecordingText(try RecordingReader(path, key: key))
        var lines = [text.header]
        while let event = try text.next() { lines.append(event.exported) }
        let header = try JSONParser.parse(lines[0])
        #expect(header["version"]?.wholeNumber == 2)
        #expect(header["width"]?.wholeNumber == 80)
        let file = folder.path + "/out.cast"
        try File.replace(file, with: Array(lines.map { $0 + [0x0a] }.joined()))
        let result = try SystemCommandRunner().run(
            // asciinema wants a terminal to read from: script(1) gives it one.
            Command(
                "script", ["-q", "-e", "-c", "asciinema cat out.cast", "/dev/null"],
                environment: ["LC_ALL": "C.UTF-8", "HOME": folder.path], directory: folder.path))
        #expect(result.succeeded, "\(result.errorText)")
        #expect(result.text.contains("hello wörld"))
        #expect(result.text.contains("\u{fffd}"))
    }

    @Test("one changed bit in any byte is found, with the key or by the digest in the log")
    func everyByte() throws {
        let (path, digest) = try record([Array("one".utf8), Array("two".utf8)])
        let original = try File.read(path)
        for index in original.indices {
            var changed = original
            changed[index] ^= 1
            try File.replace(path, with: changed)
            #expect(throws: AiboxError.self, "byte \(index)") { _ = try output(path) }
            let reader = try? RecordingReader(path, key: nil)
            let unkeyed = reader.flatMap { reader -> String? in
                while (try? reader.next()) != nil, !reader.isComplete {}
                return try? reader.digest()
            }
            #expect(unkeyed != digest, "byte \(index)")
        }
    }

    @Test("a recording cut at any byte is found")
    func cut() throws {
        let (path, _) = try record([Array("one".utf8), Array("two".utf8)])
        let original = try File.read(path)
        for length in 0..<original.count {
            try File.replace(path, with: Array(original.prefix(length)))
            #expect(throws: AiboxError.self, "at \(length)") { _ = try output(path) }
        }
        try File.replace(path, with: original + [0])
        #expect(throws: AiboxError.self) { _ = try output(path) }
    }

    /// The frames of a recording: its header, and each chunk with its length.
    private func frames(_ path: String) throws -> (header: [UInt8], chunks: [[UInt8]]) {
        let bytes = try File.read(path)
        let end = try #require(bytes.firstIndex(of: 0x0a)) + 1
        var chunks: [[UInt8]] = []
        var position = end
        while position < bytes.count {
            let count = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7fff_ffff
            chunks.append(Array(bytes[position..<position + 4 + count]))
            position += 4 + count
        }
        return (Array(bytes[..<end]), chunks)
    }

    @Test("chunks that were swapped, dropped, repeated or taken from another recording are found")
    func rearranged() throws {
        let same = [Array("same".utf8), Array("same".utf8), Array("same".utf8)]
        let (path, _) = try record(same)
        let (other, _) = try record(same, "other")
        let (header, chunks) = try frames(path)
        let (otherHeader, otherChunks) = try frames(other)
        #expect(chunks.count == 5)
        var attempts: [(String, [UInt8])] = []
        for first in chunks.indices {
            for second in chunks.indices where second > first {
                var list = chunks
                list.swapAt(first, second)
                attempts.append(("swapped \(first) \(second)", header + list.joined()))
            }
            var list = chunks
            list.remove(at: first)
            attempts.append(("dropped \(first)", header + list.joined()))
            list = chunks
            list.insert(chunks[first], at: first)
            attempts.append(("repeated \(first)", header + list.joined()))
            list = chunks
            list[first] = otherChunks[first]
            attempts.append(("foreign \(first)", header + list.joined()))
        }
        attempts.append(("another header", otherHeader + chunks.joined()))
        for (what, bytes) in attempts {
            try File.replace(path, with: bytes)
            #expect(throws: AiboxError.self, "\(what)") { _ = try output(path) }
        }
        #expect(try output(other).suffix(12) == Array("samesamesame".utf8))
    }

    @Test("equal text gives other bytes in every recording and every chunk: no key or nonce serves twice")
    func reuse() throws {
        let same = [Array("same".utf8), Array("same".utf8)]
        let one = try frames(try record(same, "one").0).chunks
        let two = try frames(try record(same, "two").0).chunks
        #expect(Set(one + two).count == one.count + two.count)
    }

    @Test("another key opens nothing, and says whose it is")
    func wrongKey() throws {
        let (path, _) = try record([Array("x".utf8)])
        let other = try RecordingKey()
        do throws(AiboxError) {
            _ = try RecordingReader(path, key: other)
            Issue.record("opened with another key")
        } catch {
            #expect(error.why?.contains(other.recipient.fingerprint) == true)
        }
        // Also where the header is made to name it.
        let text = String(decoding: try File.read(path), as: UTF8.self)
        #expect(text.contains(key.recipient.fingerprint))
        var bytes = try File.read(path)
        let range = try #require(bytes.firstRange(of: Array(key.recipient.fingerprint.utf8)))
        bytes.replaceSubrange(range, with: other.recipient.fingerprint.utf8)
        try File.replace(path, with: bytes)
        #expect(throws: AiboxError.self) { _ = try output(path, other) }
    }

    @Test("a key survives being written down, and a damaged one is refused")
    func keyText() throws {
        let again = try RecordingKey(key.text, from: "key")
        #expect(again.recipient == key.recipient)
        #expect(RecordingRecipient(key.recipient.text) == key.recipient)
        #expect(RecordingRecipient("aibox-recording:AAAA") == nil)
        let other = try RecordingKey()
        let mixed = key.text.replacing(key.recipient.text, with: other.recipient.text)
        #expect(throws: AiboxError.self) { try RecordingKey(mixed, from: "key") }
    }

    @Test("a recording ends at its size, and what was written until then can be read")
    func limit() throws {
        let recorder = try recorder(limit: 200_000)
        let piece = [UInt8](repeating: 0x61, count: 60_000)
        var failed = false
        for _ in 0..<20 where !failed {
            do throws(AiboxError) {
                try piece.borrowed { (bytes) throws(AiboxError) in try recorder.output(bytes) }
                try recorder.flush()
            } catch {
                failed = true
            }
        }
        #expect(failed)
        #expect(recorder.size <= 200_000)
        _ = try recorder.abandon()
        #expect(try output(recordings + "/01HF7YAT00TESTTESTTESTTEST.aiboxrec").count > 100_000)
    }

    @Test("the log vouches for a recording: another file under its name, a missing one and an unknown one are told")
    func inLog() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        var digests: [String: String] = [:]
        for id in ["A", "B", "C"] {
            try log.append(AuditEvent(.recordingStart, subject: id, details: ["policy": "required"]))
            digests[id] = try record([Array(id.utf8)], id).1
            if id != "C" {
                try log.append(
                    AuditEvent(.recordingEnd, subject: id, details: ["digest": .string(digests[id] ?? "")]))
            }
        }
        try record([Array("unknown".utf8)], "D")
        try log.close()
        let store = RecordingStore(folder: recordings)
        func check(_ id: String, _ key: RecordingKey?) throws -> RecordingStore.Check {
            try store.check(try store.find(id), key: key, log: fixture.log)
        }
        let whole = try check("A", key)
        #expect(whole.problem == nil && whole.isOpened && whole.isInLog)
        let unkeyed = try check("A", nil)
        #expect(unkeyed.problem == nil && !unkeyed.isOpened && unkeyed.isInLog)
        #expect(try check("C", key).problem != nil)
        #expect(try check("D", key).problem != nil)
        // Anybody can make a recording for the same key: the log tells it apart.
        try File.remove(recordings + "/B.aiboxrec")
        try record([Array("something else".utf8)], "B")
        #expect(try check("B", key).problem?.contains("not the file") == true)
        try File.remove(recordings + "/A.aiboxrec")
        #expect(try store.missing(log: fixture.log) == ["A"])
    }

    struct Sequence: CustomTestStringConvertible {
        var testDescription: String
        var input: String
        var output: String
    }

    @Test(
        "playing lets through what paints, and nothing that makes a terminal answer or act",
        arguments: [
            Sequence(
                testDescription: "text and colours", input: "a\u{1b}[1;31mb\u{1b}[0m\r\n",
                output: "a\u{1b}[1;31mb\u{1b}[0m\r\n"),
            Sequence(
                testDescription: "cursor and modes", input: "\u{1b}[2J\u{1b}[H\u{1b}[?25l",
                output: "\u{1b}[2J\u{1b}[H\u{1b}[?25l"),
            Sequence(testDescription: "clipboard", input: "x\u{1b}]52;c;cm0gLXJmIH4K\u{7}y", output: "xy"),
            Sequence(testDescription: "title, ended by ST", input: "x\u{1b}]0;title\u{1b}\\y", output: "xy"),
            Sequence(testDescription: "device attributes", input: "x\u{1b}[cy\u{1b}[>cz", output: "xyz"),
            Sequence(testDescription: "cursor report", input: "x\u{1b}[6ny", output: "xy"),
            Sequence(testDescription: "window report", input: "x\u{1b}[21ty", output: "xy"),
            Sequence(testDescription: "identify", input: "x\u{1b}Zy", output: "xy"),
            Sequence(testDescription: "DCS", input: "x\u{1b}P$q\"p\u{1b}\\y", output: "xy"),
            Sequence(testDescription: "reset", input: "x\u{1b}cy", output: "xy"),
            Sequence(testDescription: "an unfinished string hides the rest", input: "x\u{1b}]52;c;", output: "x"),
            Sequence(testDescription: "other controls", input: "a\u{5}\u{0}b\u{8}c", output: "ab\u{8}c"),
        ])
    func filter(_ row: Sequence) {
        var filter = TerminalFilter()
        #expect(filter.filter(row.input.utf8) == Array(row.output.utf8))
        var bytewise = TerminalFilter()
        #expect(row.input.utf8.flatMap { bytewise.filter([$0]) } == Array(row.output.utf8))
    }
}
