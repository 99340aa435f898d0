import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Synchronization
import Testing

@testable import AiboxAudit

@Suite("Sinks")
struct SinkTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    /// Takes batches, or fails at chosen ones: before it has them, or after, when only the answer is lost.
    private final class Receiver: SinkTransport {
        private let state = Mutex<(calls: Int, received: [UInt64])>((0, []))
        let failsAt: Set<Int>
        let failsAfterwards: Bool

        init(failsAt: Set<Int> = [], afterwards: Bool = false) {
            self.failsAt = failsAt
            failsAfterwards = afterwards
        }

        var received: [UInt64] { state.withLock { $0.received } }

        func send(_ records: [AuditRecord], to address: SinkAddress) throws(AiboxError) -> String? {
            let fails = state.withLock { state in
                defer { state.calls += 1 }
                let fails = failsAt.contains(state.calls)
                if !fails || failsAfterwards { state.received += records.map(\.sequence) }
                return fails
            }
            if fails { throw AiboxError(.failed, "refused") }
            return nil
        }
    }

    private func forwarder(_ transport: any SinkTransport) throws -> AuditForwarder {
        try AuditForwarder(folder: fixture.log, to: try SinkAddress("https://logs.example/in"), transport: transport)
    }

    @Test("every event arrives, in order, across files and runs, whatever fails in between", arguments: [false, true])
    func atLeastOnce(afterwards: Bool) throws {
        try fixture.write(0..<600, fixture.options(segmentBytes: 100_000))
        let receiver = Receiver(failsAt: [0, 2, 3, 6], afterwards: afterwards)
        var failures = 0
        for round in 0..<12 {
            do { _ = try forwarder(receiver).run() } catch { failures += 1 }
            if round == 5 { try fixture.write(600..<1300, fixture.options(segmentBytes: 100_000)) }
        }
        #expect(failures == 4)
        let last = try fixture.verify().events
        var seen: [UInt64] = []
        for number in receiver.received where number > seen.last ?? 0 { seen.append(number) }
        #expect(seen == Array(1...last))
        // What came twice is what could not be known to have arrived, and nothing else.
        if !afterwards { #expect(receiver.received.count == Int(last)) }
        #expect(try forwarder(receiver).run().sent == 0)
    }

    @Test("a line that was changed is not sent, and a lost cursor sends everything again")
    func damaged() throws {
        try fixture.write(0..<5)
        let receiver = Receiver()
        _ = try forwarder(receiver).run()
        let cursor = try #require(try Folder.names(fixture.log).first { $0.hasPrefix("sink-") })
        try File.replace(fixture.log + "/" + cursor, with: "nonsense")
        let progress = try forwarder(receiver).run()
        #expect(progress.sent == 6 && progress.notices.count == 1)
        try fixture.write(5..<8)
        var lines = try fixture.lines()
        lines[7].replaceSubrange(60..<61, with: [lines[7][60] ^ 1])
        try fixture.set(lines)
        #expect(throws: AiboxError.self) { try forwarder(receiver).run() }
    }

    @Test(
        "addresses",
        arguments: [
            AddressRow(testDescription: "syslog", text: "syslog+tls://logs.example:6514", isRight: true),
            AddressRow(
                testDescription: "syslog with certificates", text: "syslog+tls://logs.example?ca=/etc/ca.pem",
                isRight: true),
            AddressRow(
                testDescription: "https", text: "https://logs.example/a/b?token=/etc/token&ca=/x", isRight: true),
            AddressRow(testDescription: "otlp", text: "otlp+https://logs.example:4318/v1/logs", isRight: true),
            AddressRow(testDescription: "no encryption", text: "http://logs.example/", isRight: false),
            AddressRow(testDescription: "syslog without TLS", text: "syslog://logs.example", isRight: false),
            AddressRow(testDescription: "a password in it", text: "https://u:p@logs.example/", isRight: false),
            AddressRow(testDescription: "no host", text: "https:///x", isRight: false),
            AddressRow(testDescription: "no port", text: "https://logs.example:no/", isRight: false),
            AddressRow(testDescription: "an unknown option", text: "https://logs.example/?insecure=1", isRight: false),
            AddressRow(
                testDescription: "a header smuggled in", text: "https://logs.example/ HTTP/1.1\r\nX: y", isRight: false),
        ])
    func addresses(_ row: AddressRow) {
        #expect(((try? SinkAddress(row.text)) != nil) == row.isRight)
    }

    // MARK: Real receivers

    /// Tries until the receiver listens.
    private func run(_ address: String) throws -> AuditForwarder.Progress {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do throws(AiboxError) {
                return try AuditForwarder(folder: fixture.log, to: try SinkAddress(address)).run()
            } catch {
                if ContinuousClock.now > deadline { throw error }
                usleep(100_000)
            }
        }
    }

    @Test("rsyslog takes every event over TLS with number and MAC; a server that cannot prove its name gets none")
    func syslog() throws {
        let (authority, certificate, key) = try fixture.certificates()
        let folder = fixture.folder.path
        let port = try Lab.freePort()
        let server = try fixture.startRsyslog(port, authority, certificate, key)
        defer {
            server.send(SIGKILL)
            _ = try? server.wait()
        }
        let write = try fixture.open()
        for number in 0..<700 { try write.append(LogFixture.event(number)) }
        try write.append(AuditEvent(.toolInvoke, subject: "]\"\\ \n ü", details: ["argv": ["x"]]))
        try write.close()
        let progress = try run("syslog+tls://localhost:\(port)?ca=\(authority)")
        #expect(progress.sent == 702)
        let deadline = ContinuousClock.now + .seconds(15)
        var received: [Substring] = []
        while received.count < 702, ContinuousClock.now < deadline {
            usleep(50_000)
            received = ((try? File.text(folder + "/received")) ?? "").split(separator: "\n")
        }
        try #require(received.count == 702, "\((try? File.text(folder + "/rsyslog.log")) ?? "")")
        for (text, line) in zip(received, try fixture.lines()) {
            let json = try JSONParser.parse(line)
            #expect(text.contains("seq=\"\(json["seq"]?.wholeNumber ?? 0)\""))
            #expect(text.contains("mac=\"" + (json["mac"]?.stringValue ?? "?") + "\""))
            // The message is the log's own line.
            #expect(text.hasSuffix(String(decoding: line, as: UTF8.self)))
        }
        // The system's authorities do not know this one.
        let strange = try AuditForwarder(
            folder: fixture.log, to: try SinkAddress("syslog+tls://127.0.0.1:\(port)/other"))
        #expect(throws: AiboxError.self) { try strange.run() }
    }

    @Test("HTTPS and OTLP receivers get every event, with the token; a refusal keeps the place")
    func http() throws {
        let (authority, certificate, key) = try fixture.certificates()
        let folder = fixture.folder.path
        let port = try Lab.freePort()
        try File.replace(folder + "/token", with: "s3cret\n")
        let script = """
            import http.server, json, ssl, sys
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"
                def do_POST(self):
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    refused = self.path.startswith("/in") and self.headers.get("Authorization") != "Bearer s3cret"
                    if not refused:
                        with open(sys.argv[1] + self.path.replace("/", "_"), "ab") as f:
                            f.write(body if self.path == "/in" else body + b"\\n")
                    answer = b"{}"
                    self.send_response(401 if refused else 200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                def log_message(self, *a): pass
            server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[3], sys.argv[4])
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.serve_forever()
            """
        let null = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
        let server = try ChildProcess.start(
            Command("python3", ["-c", script, folder + "/got", "\(port)", certificate, key]),
            descriptors: [null.number, null.number, null.number], deathSignal: SIGKILL)
        defer {
            server.send(SIGKILL)
            _ = try? server.wait()
        }
        try fixture.write(0..<1200)
        #expect(try run("https://localhost:\(port)/in?ca=\(authority)&token=\(folder)/token").sent == 1201)
        #expect(try File.read(folder + "/got_in") == (try fixture.bytes()))

        #expect(try run("otlp+https://127.0.0.1:\(port)/v1/logs?ca=\(authority)").sent == 1201)
        var numbers: [Int64] = []
        for body in try File.text(folder + "/got_v1_logs").split(separator: "\n") {
            let scope = try JSONParser.parse(Array(body.utf8))["resourceLogs"]?.elements?.first?["scopeLogs"]
            for record in scope?.elements?.first?["logRecords"]?.elements ?? [] {
                let number = record["attributes"]?.elements?.first { $0["key"]?.stringValue == "aibox.seq" }
                numbers.append(Int64(number?["value"]?["intValue"]?.stringValue ?? "") ?? 0)
                #expect(record["timeUnixNano"]?.stringValue?.count == 19)
            }
        }
        #expect(numbers == Array(1...1201))

        // Without the token nothing is taken, and nothing is skipped.
        try fixture.write(1200..<1203)
        #expect(throws: AiboxError.self) {
            try AuditForwarder(
                folder: fixture.log, to: try SinkAddress("https://localhost:\(port)/in?ca=\(authority)")
            ).run()
        }
        #expect(try run("https://localhost:\(port)/in?ca=\(authority)&token=\(folder)/token").sent == 3)
        #expect(try File.read(folder + "/got_in") == (try fixture.bytes()))
    }
}
