import AiboxAudit
import AiboxContainer
import AiboxCrypto
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AiboxGateway

/// A real Squid and the gateway's judge, on the loopback alone.
@Suite("Squid's questions", .serialized)
struct SquidJudgeTests {
    /// A judge that counts what it is asked and lets nothing pass.
    private final class Asked {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let judge: SquidJudge
        private let questions: Questions

        private final class Questions: Sendable {
            let urls = Mutex<[String]>([])
            let left = Mutex<[String]>([])
        }

        init() throws {
            let questions = Questions()
            judge = try SquidJudge(
                on: group, left: { url, _, event, _ in questions.left.withLock { $0.append("\(event) \(url)") } },
                decide: { url, method, _, loop in
                    questions.urls.withLock { $0.append(url) }
                    if url.contains("/slow") {
                        return loop.scheduleTask(in: .seconds(2)) { .passes(event: "01SLOW") }.futureResult
                    }
                    let denial = EgressDenial(.pathNotAllowed, rule: "test", reason: "no")
                    return loop.makeSucceededFuture(.refused(denial, isHead: method == "HEAD"))
                })
            self.questions = questions
        }

        deinit { if !isEnded { end() } }

        private var isEnded = false

        /// Closes the port, and what is open to it.
        func end() {
            isEnded = true
            judge.end()
            try? group.syncShutdownGracefully()
        }

        var urls: [String] { questions.urls.withLock { $0 } }
        /// What was let pass for clients that had left.
        var left: [String] { questions.left.withLock { $0 } }
    }

    private static func squid(
        _ place: TemporaryFolder, _ judge: SquidConfiguration.Judge, limit: Duration = .seconds(10)
    ) throws -> SquidProcess {
        let list = try AllowList([
            AllowRuleSource(id: "a", hosts: ["allowed.test"], ports: [443], schemes: ["https"], methods: ["GET"])
        ])
        let authority = try CertificateAuthority.make(name: "test", days: 1)
        let files: [(name: String, bytes: [UInt8])] = [
            ("authority.pem", authority.certificate + authority.key),
            ("hosts", Array("127.0.0.1 allowed.test\n".utf8)),
        ]
        return try SquidProcess.start(
            in: try SquidFolder.make(runFolder: place.path), number: 1, files: files, limit: limit
        ) { port, folder throws(AiboxError) in
            SquidConfiguration(
                port: port, secret: "00112233445566778899aabbccddeeff", folder: folder, allowList: list,
                targets: TargetPolicy(exceptions: [AddressRange("127.0.0.1/32")].compactMap(\.self)),
                authority: folder + "/authority.pem", hostsFile: folder + "/hosts", judge: judge, logsToOutput: true)
        }
    }

    /// A connection of somebody on this machine.
    private static func connect(_ port: UInt16) throws -> Descriptor {
        let descriptor = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        let result = withLoopback(port) { Glibc.connect(descriptor.number, $0, $1) }
        try #require(result == 0)
        return descriptor
    }

    /// True once the other side has closed it.
    private static func isClosed(_ descriptor: Descriptor) -> Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor.number, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK))
        return count == 0 || (count < 0 && errno != EAGAIN)
    }

    /// What the judge answers to the text.
    private static func ask(_ descriptor: Descriptor, _ text: String) throws -> String {
        let count = send(descriptor.number, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        try #require(count == text.utf8.count)
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        try #require(poll(&waiting, 1, 20_000) == 1)
        var room = [UInt8](repeating: 0, count: 4096)
        let got = recv(descriptor.number, &room, room.count, 0)
        return String(decoding: room.prefix(max(0, got)), as: UTF8.self)
    }

    private static func options(_ path: String) -> String {
        "OPTIONS icap://127.0.0.1/\(path) ICAP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
    }

    @Test("a Squid that opens tunnels serves only once it has heard the gateway's judge; that is nothing to write down")
    func heard() throws {
        let asked = try Asked()
        let place = try TemporaryFolder(prefix: "aibox-squid")
        let squid = try Self.squid(place, asked.judge.place)
        usleep(300_000)
        #expect(squid.spoken().isEmpty && asked.urls.isEmpty)
        squid.end()
    }

    @Test("without the judge it does not serve: nobody there, somebody silent, or one who does not know the path")
    func unheard() throws {
        let asked = try Asked()
        let silent = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        try #require(listen(silent.number, 16) == 0)
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(silent.number, $0, &size) }
        }
        let cases: [(what: String, judge: SquidConfiguration.Judge)] = [
            ("nobody", .init(port: 1, secret: asked.judge.place.secret)),
            ("silence", .init(port: UInt16(bigEndian: address.sin_port), secret: asked.judge.place.secret)),
            ("another path", .init(port: asked.judge.place.port, secret: "fedcba9876543210fedcba9876543210")),
        ]
        for (what, judge) in cases {
            let place = try TemporaryFolder(prefix: "aibox-squid")
            let error = #expect(throws: AiboxError.self, "\(what)") {
                try Self.squid(place, judge, limit: .seconds(4)).end()
            }
            #expect(error?.why == "it cannot ask the gateway about requests in opened tunnels", "\(what)")
        }
        #expect(asked.urls.isEmpty)
    }

    @Test("a question that fails refuses its request, and is an event with its own words")
    func failed() throws {
        let asked = try Asked()
        let place = try TemporaryFolder(prefix: "aibox-squid")
        chmod(place.path, 0o755)
        let squid = try Self.squid(place, asked.judge.place)
        defer { squid.end() }
        func curl() throws -> String { try Self.curl(squid, "https://allowed.test/v1?x=query-secret") }
        // The control: the judge is asked, and its word reaches the client.
        #expect(try curl() == "200 403")
        #expect(asked.urls == ["https://allowed.test/v1?x=query-secret"])
        asked.end()
        _ = squid.spoken()
        #expect(try curl() == "200 500")
        var lines: [SquidLogLine] = []
        #expect(
            eventually {
                lines += squid.spoken()
                return lines.contains { $0.error == "ERR_ICAP_FAILURE" }
            }, "\(lines)")
        let line = try #require(lines.first { $0.error == "ERR_ICAP_FAILURE" })

        let folder = place.path + "/audit"
        let sink = try AuditLog.open(
            folder: folder, context: AuditContext(source: .gateway, session: "test", sandbox: "live", user: "u"))
        let log = GatewayLog(limit: .max)
        let recorder = EgressRecorder(sink: sink, sandbox: "live", log: log)
        let service = EgressService(
            list: try AllowList([]), rules: try NetworkRules(try LiveGateway.decisions(), user: "u", sandbox: "live"),
            exceptions: [], hasUpstream: false, lookup: AddressLookup(pinned: [:]), recorder: recorder, log: log)
        service.squidSpoke(line)
        try sink.close()
        var tail = try AuditTail(folder: folder, count: 100)
        let denials = try tail.next().filter { $0.type == "network.deny" }
        let details = try #require(denials.first?.json["details"])
        #expect(denials.count == 1 && denials[0].subject == "allowed.test:443")
        #expect(
            details["rule"]?.stringValue == "second-check"
                && details["code"]?.stringValue == EgressDenial.Code.unavailable.rawValue)
        #expect(details["reason"]?.stringValue == "the gateway could not be asked about it")
        #expect(details["method"]?.stringValue == "GET" && details["path"]?.stringValue == "/v1")
        #expect(!"\(denials[0].json)".contains("query-secret"))
    }

    @Test("a client that leaves while the gateway is asked leaves an end to what was allowed")
    func left() throws {
        let asked = try Asked()
        let place = try TemporaryFolder(prefix: "aibox-squid")
        chmod(place.path, 0o755)
        let squid = try Self.squid(place, asked.judge.place)
        defer { squid.end() }
        #expect(try Self.curl(squid, "https://allowed.test/slow", seconds: 1) == "200 000")
        #expect(asked.urls == ["https://allowed.test/slow"])
        #expect(eventually { asked.left == ["01SLOW https://allowed.test/slow"] })
        // Squid's own log names no event for it: it would be told twice.
        usleep(300_000)
        #expect(squid.spoken().allSatisfy { $0.event == nil })
        // Who stays is told by Squid's log, and by it alone.
        #expect(try Self.curl(squid, "https://allowed.test/slow").hasPrefix("200 "))
        var lines: [SquidLogLine] = []
        #expect(
            eventually {
                lines += squid.spoken()
                return lines.contains { $0.event == "01SLOW" }
            })
        #expect(asked.left.count == 1)
    }

    /// The statuses of CONNECT and of the answer in the tunnel.
    private static func curl(_ squid: SquidProcess, _ url: String, seconds: Int = 20) throws -> String {
        try SystemCommandRunner().run(
            Command(
                "curl",
                [
                    "-sSk", "-m", "\(seconds)", "-o", "/dev/null", "-w", "%{http_connect} %{http_code}",
                    "--proxy-header", "\(SquidConfiguration.keyHeader): \(squid.secret)", "-x",
                    "http://127.0.0.1:\(squid.port)", url,
                ])
        ).text
    }

    @Test("strangers at the judge's port are few and short-lived, however slowly they write")
    func strangers() throws {
        let asked = try Asked()
        let port = asked.judge.place.port
        var held: [Descriptor] = []
        for _ in 0..<300 { held.append(try Self.connect(port)) }
        #expect(eventually { held.count { !Self.isClosed($0) } <= 64 })
        // Who writes a byte now and then gets no more time than who says nothing.
        let begun = ContinuousClock.now
        let slow = try Self.connect(port)
        var index = 0
        let text = Array(Self.options("x").utf8)
        while !Self.isClosed(slow), begun.duration(to: .now) < .seconds(20) {
            if index < 20 { _ = send(slow.number, [text[index]], 1, Int32(MSG_NOSIGNAL)) }
            index += 1
            usleep(300_000)
        }
        #expect(begun.duration(to: .now) < .seconds(15))
        #expect(eventually { held.allSatisfy { Self.isClosed($0) } })
        // Another path is told nothing.
        let other = try Self.connect(port)
        #expect(try Self.ask(other, Self.options("guess")).hasPrefix("ICAP/1.0 404 "))
        #expect(eventually { Self.isClosed(other) } && asked.urls.isEmpty)
    }

    @Test("strangers cannot fill the port: Squid's own questions are answered, and who knows the path stays")
    func unfillable() throws {
        let asked = try Asked()
        let (port, secret) = (asked.judge.place.port, asked.judge.place.secret)
        let known = try Self.connect(port)
        #expect(try Self.ask(known, Self.options(secret)).hasPrefix("ICAP/1.0 200 "))
        var held: [Descriptor] = []
        for _ in 0..<200 { held.append(try Self.connect(port)) }
        let late = try Self.connect(port)
        #expect(try Self.ask(late, Self.options(secret)).hasPrefix("ICAP/1.0 200 "))
        let place = try TemporaryFolder(prefix: "aibox-squid")
        let squid = try Self.squid(place, asked.judge.place)
        squid.end()
        #expect(!Self.isClosed(known) && held.contains { !Self.isClosed($0) })
        usleep(6_000_000)
        #expect(!Self.isClosed(known) && held.allSatisfy { Self.isClosed($0) })
        #expect(try Self.ask(known, Self.options(secret)).hasPrefix("ICAP/1.0 200 "))
    }
}
