import AiboxAudit
import AiboxCrypto
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import NIOCore
import Testing

@testable import AiboxBroker

@Suite("What is kept of requests and answers")
struct PayloadTests {
    private let place: TemporaryFolder
    private let key: RecordingKey
    private var folder: String { place.path + "/payloads" }

    init() throws {
        place = try TemporaryFolder(prefix: "aibox-payloads")
        key = try RecordingKey()
    }

    private static let question = "what is the airspeed of an unladen swallow?"
    private static let body =
        #"{"model":"claude-1","max_tokens":9,"messages":[{"role":"user","content":"\#(question)"}]}"#

    private func proxy(
        _ upstream: ScriptedUpstream, masksLeaks: Bool = true, leaks: [LeakRule] = [], size: Int? = nil,
        days: Int? = nil
    ) throws -> LiveProxy {
        try LiveProxy(
            upstream,
            edit: {
                $0.digests = true
                $0.leaks = leaks
                $0.payloads = .init(folder: folder, recipient: key.recipient.text, masksLeaks: masksLeaks)
                $0.payloads?.size = size
                $0.payloads?.days = days
            })
    }

    private func plan(_ recipient: String) -> BrokerPlan {
        var plan = BrokerPlan()
        plan.payloads = .init(folder: folder, recipient: recipient, masksLeaks: true)
        return plan
    }

    private func files() throws -> [String] { File.isDirectory(folder) ? try Folder.names(folder).sorted() : [] }

    private func answered(_ proxy: LiveProxy, _ count: Int = 1) throws -> [AuditEvent] {
        try #require(eventually { proxy.audit.of(.llmResponse).count == count })
        return proxy.audit.of(.llmResponse)
    }

    private func text(_ id: String) throws -> PayloadText {
        try PayloadText(try RecordingReader(folder + "/" + id + ".aiboxrec", key: key))
    }

    @Test("request and answer are there for the key's owner, in clear on no disk, and the log has their digests")
    func full() throws {
        let answer = #"{"content":"eleven metres a second"}"#
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(answer) }
        let proxy = try proxy(upstream)
        #expect(try proxy.ask(body: Self.body).status == 200)
        let event = try #require(try answered(proxy).first)
        let id = try #require(event.details["payload"]?.stringValue)
        #expect(proxy.audit.of(.llmRequest).first?.details["payload"]?.stringValue == id)
        let text = try text(id)
        #expect(text.request == Array(Self.body.utf8) && text.answer == Array(answer.utf8))
        #expect(text.isComplete && !text.isCut)
        #expect(text.names.contains { $0 == ("model", "claude-1") })
        #expect(event.details["payload_digest"]?.stringValue == text.digest)
        #expect(event.details["digest"]?.stringValue == (try SHA256.digest(answer).hex))
        #expect(
            proxy.audit.of(.llmRequest).first?.details["digest"]?.stringValue == (try SHA256.digest(Self.body).hex))
        #expect(try files() == [id + ".aiboxrec"])
        let bytes = String(decoding: try File.read(folder + "/" + id + ".aiboxrec"), as: UTF8.self)
        for clear in ["airspeed", "eleven metres", "claude-1"] { #expect(!bytes.contains(clear)) }
        var status = stat()
        #expect(stat(folder + "/" + id + ".aiboxrec", &status) == 0 && status.st_mode & 0o777 == 0o600)
        // Another key reads nothing.
        #expect(throws: AiboxError.self) {
            _ = try PayloadText(try RecordingReader(folder + "/" + id + ".aiboxrec", key: try RecordingKey()))
        }
    }

    static let words: [(mode: CredentialPolicy.Logging, request: [String], response: [String], files: Int)] = [
        (.none, [], [], 0), (.metadata, [], [], 0), (.hash, ["digest"], ["digest"], 0),
        (.full, ["digest", "payload"], ["digest", "payload", "payload_digest"], 1),
    ]

    @Test("each word of llm.logging has its fields of the events and its files, and no other", arguments: words)
    func modes(_ mode: CredentialPolicy.Logging, _ request: [String], _ response: [String], _ count: Int) throws {
        let document = try PolicyDocument(
            Array("version: 1\nllm: {logging: \(mode.rawValue)}\n".utf8), layer: .org, file: "org")
        let policy = CredentialPolicy(try EffectivePolicy(organisation: document, day: "2026-03-01"))
        let upstream = try ScriptedUpstream.answering { _, _ in
            ScriptedUpstream.json(#"{"content":"eleven metres","usage":{"input_tokens":3,"output_tokens":2}}"#)
        }
        let proxy = try LiveProxy(
            upstream,
            edit: { plan in
                plan.digests = policy.keepsDigests
                if policy.keepsContent {
                    plan.payloads = .init(folder: folder, recipient: key.recipient.text, masksLeaks: policy.masksLeaks)
                }
            })
        #expect(try proxy.ask(body: Self.body).status == 200)
        let answered = try #require(try answered(proxy).first)
        let asked = try #require(proxy.audit.of(.llmRequest).first)
        #expect(
            Set(asked.details.members.map(\.name))
                == Set(["request", "provider", "path", "bytes", "estimated_tokens"] + request))
        #expect(
            Set(answered.details.members.map(\.name))
                == Set(
                    [
                        "request", "provider", "status", "bytes", "duration_ms", "input_tokens", "output_tokens",
                        "cached_tokens",
                    ] + response))
        #expect(try files().count == count && File.exists(folder) == (count > 0))
        // What was said is in no event, whatever the word.
        for event in proxy.audit.all {
            let text = JSONValue.object(event.details).text + event.subject
            #expect(!text.contains("swallow") && !text.contains("metres") && event.problems == [])
        }
    }

    @Test("keys and surrogates are masked, and what rules about leaks look for; a stream is kept as it came")
    func masked() throws {
        let leaks = [
            LeakRule(id: "c", .canary("AIBOX-CANARY-17"), blocks: false, layer: "org"),
            LeakRule(id: "p", .pattern("ACME-[0-9]{6}"), blocks: false, layer: "org"),
        ]
        let body =
            #"{"model":"claude-1","a":"\#(LiveProxy.secret) \#(LiveProxy.anthropic) AIBOX-CANARY-17 ACME-123456"}"#
        for (masksLeaks, rest) in [(true, "*************** ***********"), (false, "AIBOX-CANARY-17 ACME-123456")] {
            let upstream = try ScriptedUpstream.answering { _, _ in
                ScriptedUpstream.json(#"{"echo":"\#(LiveProxy.secret) ACME-123456"}"#)
            }
            let proxy = try proxy(upstream, masksLeaks: masksLeaks, leaks: leaks)
            #expect(try proxy.ask(body: body).status == 200)
            let id = try #require(try answered(proxy).first?.details["payload"]?.stringValue)
            let text = try text(id)
            let (asked, said) = (
                String(decoding: text.request, as: UTF8.self), String(decoding: text.answer, as: UTF8.self)
            )
            #expect(!asked.contains(LiveProxy.secret) && !asked.contains(LiveProxy.anthropic))
            #expect(asked.contains(rest) && asked.utf8.count == body.utf8.count)
            #expect(!said.contains(LiveProxy.secret) && said.contains("ACME-123456") == !masksLeaks)
            // What the provider got is not masked.
            #expect(upstream.contents.first == Array(body.utf8))
        }
    }

    @Test("what cannot be kept is not sent; what a rule refuses is not kept")
    func refuses() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let leaks = [LeakRule(id: "c", .canary("unladen swallow"), blocks: true, layer: "org")]
        #expect(try proxy(upstream, leaks: leaks).ask(body: Self.body).status == 403)
        #expect(try files().isEmpty)
        // A file where the folder should be.
        try File.replace(folder, with: "in the way")
        let proxy = try proxy(upstream)
        let answer = try proxy.ask(body: Self.body)
        #expect(answer.status == 503 && answer.json?["aibox"]?["rule"]?.stringValue == "llm.logging")
        #expect(upstream.connections == 0)
        #expect(proxy.audit.of(.llmRequest).map(\.outcome) == [.failure])
        // Lists of models have no content, and need no file.
        #expect(try proxy.ask("/v1/models", method: "GET").status == 200)
    }

    /// A file as a proxy leaves it that was killed: nothing follows.
    private func leave(_ id: String, finished: Bool) throws {
        let header = RecordingHeader(
            id: id, session: "s", sandbox: "b", user: "u", host: "h", started: "2026-01-01T00:00:00Z", kind: "llm",
            recipient: key.recipient)
        let writer = try RecordingWriter(folder: folder, header, for: key.recipient)
        try writer.write([UInt8](repeating: 0x71, count: 40_000))
        if finished { _ = try writer.finish() }
    }

    @Test("where there is more than may be kept the oldest goes, once the log has it; nothing that is under way")
    func bounded() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        for number in 1...5 { try leave("0000000000000000000000000\(number)", finished: number != 2) }
        // The oldest of all, and somebody writes it.
        let header = RecordingHeader(
            id: "00000000000000000000000000", session: "s", sandbox: "b", user: "u", host: "h",
            started: "2026-01-01T00:00:00Z", kind: "llm", recipient: key.recipient)
        let writer = try RecordingWriter(folder: folder, header, for: key.recipient)
        try writer.write([UInt8](repeating: 0x71, count: 40_000))
        let proxy = try proxy(upstream, size: 140_000)
        #expect(try proxy.ask(body: Self.body).status == 200)
        // 240 of 140 kB, and a sixteenth is to be free.
        let gone = ["1", "2", "3"].map { "0000000000000000000000000" + $0 }
        let event = try #require(proxy.audit.of(.llmExpire).first)
        #expect(event.details["payloads"] == .array(gone.map { .string($0) }) && event.subject == "3")
        #expect(event.details["bytes"]?.wholeNumber ?? 0 > 120_000)
        let left = try files().filter { $0.hasPrefix("0000") }
        #expect(left == ["0", "4", "5"].map { "0000000000000000000000000\($0).aiboxrec" })
        #expect(proxy.audit.of(.llmAbandoned).first?.details["payloads"] == [.string(gone[1])])
        // The one that goes on is whole.
        _ = try writer.finish()
        let reader = try RecordingReader(folder + "/00000000000000000000000000.aiboxrec", key: key)
        while try reader.next() != nil {}
        #expect(reader.isComplete)
    }

    @Test("what is older than it may be goes; a log that takes no event keeps it, and nothing is sent")
    func aged() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        for number in 1...3 { try leave("0000000000000000000000000\(number)", finished: true) }
        let old = folder + "/00000000000000000000000002.aiboxrec"
        var times = [timespec(tv_sec: Int(Timestamp.now.seconds) - 90_000, tv_nsec: 0)]
        times.append(times[0])
        #expect(utimensat(AT_FDCWD, old, times, 0) == 0)
        let failing = try proxy(upstream, days: 1)
        failing.audit.fail()
        let answer = try failing.ask(body: Self.body)
        #expect(answer.status == 503 && upstream.connections == 0 && File.exists(old))
        // Two days: not yet.
        #expect(try proxy(upstream, days: 2).ask(body: Self.body).status == 200)
        #expect(File.exists(old))
        let proxy = try proxy(upstream, days: 1)
        #expect(try proxy.ask(body: Self.body).status == 200)
        #expect(!File.exists(old))
        #expect(proxy.audit.of(.llmExpire).map(\.subject) == ["1"] && proxy.audit.of(.llmAbandoned).isEmpty)
        #expect(try files().filter { $0.hasPrefix("0000") }.count == 2)
    }

    @Test("what a proxy left that died is told once, stays, and can be read as far as it goes")
    func abandoned() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        try leave("00000000000000000000000001", finished: false)
        try leave("00000000000000000000000002", finished: true)
        // Not told is not marked as told.
        let failing = try proxy(upstream)
        failing.audit.fail()
        #expect(try failing.ask(body: Self.body).status == 503)
        for events in [1, 0] {
            let proxy = try proxy(upstream)
            for _ in 0..<2 { #expect(try proxy.ask(body: Self.body).status == 200) }
            _ = try answered(proxy, 2)
            #expect(proxy.audit.of(.llmAbandoned).count == events && proxy.audit.of(.llmExpire).isEmpty)
        }
        #expect(try files().count == 6)
        #expect(try !text("00000000000000000000000001").isComplete)
    }

    @Test("what is more of an answer than is kept is said to be missing")
    func cut() throws {
        let rule = try #require(
            try PayloadRule(plan(key.recipient.text)))
        let file = try PayloadFile(rule, .init(), LLMRecord(id: "1"), ByteBuffer(string: Self.body))
        let piece = ByteBuffer(bytes: [UInt8](repeating: 0x61, count: 1 << 20))
        for _ in 0..<40 { try file.answer(piece) }
        _ = try file.finish()
        let text = try text(file.id)
        #expect(text.isCut && text.isComplete && text.answer.count == PayloadFile.answerLimit)
        // After its end nothing is taken.
        #expect(throws: AiboxError.self) { _ = try file.finish() }
    }

    @Test("a client that goes away leaves a file with an end; a plan without a key for it is refused")
    func ends() throws {
        let upstream = try ScriptedUpstream { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.send("6\r\ndata: \r\n")
            sleep(2)
        }
        let proxy = try proxy(upstream)
        do {
            let client = try proxy.client()
            client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: Self.body)
            #expect(client.more())
        }
        let event = try #require(try answered(proxy).first)
        let id = try #require(event.details["payload"]?.stringValue)
        #expect(try text(id).isComplete)
        #expect(event.details["payload_digest"] != nil)
        #expect(throws: AiboxError.self) {
            try proxy.use(plan("nobody"))
        }
    }
}
