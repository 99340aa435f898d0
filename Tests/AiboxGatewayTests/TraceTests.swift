import AiboxAudit
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import CLinux
import Glibc
import Testing

@testable import AiboxContainer
@testable import AiboxGateway

/// What comes from the runtime is read as what an adversary may have written.
@Suite("Trace points")
struct TraceTests {
    /// Protobuf, as the sentry writes it.
    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7f) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }
    private static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }
    private static func field(_ number: UInt64, _ value: UInt64) -> [UInt8] { varint(number << 3) + varint(value) }

    static func packet(_ kind: UInt16, dropped: UInt32 = 0, _ body: [UInt8]) -> [UInt8] {
        [8, 0, UInt8(kind & 0xff), UInt8(kind >> 8)] + (0..<4).map { UInt8(truncatingIfNeeded: dropped >> (8 * $0)) }
            + body
    }

    private static let context = field(4, 7) + field(7, field(1, 0) + field(2, 1000)) + field(8, Array("/w".utf8))

    static func execve(_ words: [String], dropped: UInt32 = 0, environment: [String] = ["A=b"]) -> [UInt8] {
        packet(
            3, dropped: dropped,
            field(1, context) + field(2, Array("/usr/bin/true".utf8))
                + words.flatMap { field(3, Array($0.utf8)) } + environment.flatMap { field(4, Array($0.utf8)) })
    }

    @Test("a program that was run is an event with its file, arguments, folder and user, and without its environment")
    func execve() throws {
        var ledger = TraceLedger(isBounded: true, now: .now)
        let taken = ledger.take(Self.execve(["true", "--x"], environment: ["TOKEN=canary"]), now: .now)
        let event = try #require(taken)
        #expect(event.problems == [])
        #expect(event.subject == "execve")
        #expect(event.details["process"]?.stringValue == "/usr/bin/true")
        #expect(event.details["arguments"]?.elements?.compactMap(\.stringValue) == ["true", "--x"])
        #expect(event.details["pid"]?.wholeNumber == 7)
        #expect(event.details["uid"]?.wholeNumber == 1000)
        #expect(event.details["folder"]?.stringValue == "/w")
        #expect(!JSONValue.object(event.details).text.contains("canary"))
    }

    @Test("the first program, and one that a signal ended, are events; an ordinary end is none")
    func others() throws {
        var ledger = TraceLedger(isBounded: true, now: .now)
        let start = Self.packet(
            1,
            Self.field(1, Self.context) + Self.field(2, Array("id".utf8)) + Self.field(3, Array("/c".utf8))
                + Self.field(4, Array("/usr/sbin/sshd".utf8)))
        let first = ledger.take(start, now: .now)
        let event = try #require(first)
        #expect(event.subject == "start" && event.details["process"]?.stringValue == "/usr/sbin/sshd")
        let second = ledger.take(Self.packet(4, Self.field(1, Self.context) + Self.field(2, 9)), now: .now)
        let killed = try #require(second)
        #expect(killed.subject == "killed" && killed.details["signal"]?.wholeNumber == 9 && killed.problems == [])
        for packet in [
            Self.packet(4, Self.field(1, Self.context) + Self.field(2, 256)), Self.packet(34, []),
        ] {
            let none = ledger.take(packet, now: .now)
            #expect(none == nil)
        }
        let hasLost = ledger.hasLost
        #expect(!hasLost)
    }

    @Test("long arguments and many of them are cut, and the event says so")
    func long() throws {
        var ledger = TraceLedger(isBounded: true, now: .now)
        for words in [
            [String(repeating: "x", count: 100_000)], (0..<200).map { "\($0)" },
            Array(repeating: String(repeating: "y", count: 3000), count: 3),
        ] {
            let taken = ledger.take(Self.execve(words), now: .now)
            let event = try #require(taken)
            let kept = event.details["arguments"]?.elements?.compactMap(\.stringValue) ?? []
            #expect(kept.count <= 64 && kept.map(\.utf8.count).reduce(0, +) <= 4096)
            #expect(event.details["arguments_cut"] == true)
            #expect(event.details["arguments_count"]?.wholeNumber == Int64(words.count))
            #expect(event.problems == [])
        }
        let taken = ledger.take(Self.packet(3, Self.field(3, [0xff, 0x0a])), now: .now)
        let odd = try #require(taken)
        #expect(AuditText.bytes(odd.details["arguments"]?.elements?[0].stringValue ?? "") == [0xff, 0x0a])
    }

    @Test("what the runtime dropped is told with its number, also when the count wraps around")
    func dropped() throws {
        let begin = ContinuousClock.now
        var ledger = TraceLedger(isBounded: true, now: begin)
        let taken = ledger.take(Self.execve(["a"], dropped: 3), now: begin)
        #expect(taken != nil)
        let told = ledger.loss(now: begin)
        let loss = try #require(told)
        #expect(loss.details["lost"]?.wholeNumber == 3 && loss.severity == .high && loss.problems == [])
        // Not written: told again, a second later, with what came since.
        ledger.lossTold(false, now: begin)
        _ = ledger.take(Self.execve(["a"], dropped: .max), now: begin)
        #expect(ledger.loss(now: begin) == nil)
        #expect(ledger.loss(now: begin + .seconds(1))?.details["lost"]?.wholeNumber == Int64(UInt32.max))
        ledger.lossTold(true, now: begin + .seconds(1))
        _ = ledger.take(Self.execve(["a"], dropped: 1), now: begin)
        #expect(ledger.loss(now: begin + .seconds(2))?.details["lost"]?.wholeNumber == 2)
    }

    @Test("a sandbox that runs programs without end fills no disk: what is beyond the pace is counted")
    func flood() throws {
        let begin = ContinuousClock.now
        var ledger = TraceLedger(isBounded: true, now: begin)
        var events = 0
        for _ in 0..<60_000 where ledger.take(Self.execve(["a"]), now: begin) != nil { events += 1 }
        #expect(events == Int(TraceLedger.burst))
        #expect(ledger.loss(now: begin)?.details["lost"]?.wholeNumber == 10_000)
        ledger.lossTold(true, now: begin)
        for _ in 0..<1000 where ledger.take(Self.execve(["a"]), now: begin + .seconds(1)) != nil { events += 1 }
        #expect(events == Int(TraceLedger.burst + TraceLedger.pace))
        var unbounded = TraceLedger(isBounded: false, now: begin)
        for _ in 0..<60_000 where unbounded.take(Self.execve(["a"]), now: begin) == nil { Issue.record("lost") }
    }

    @Test("no packet, however broken, does more than count as lost")
    func broken() throws {
        var generator = SeededGenerator(seed: 7)
        var ledger = TraceLedger(isBounded: true, now: .now)
        let whole = Self.execve(["true", "x"])
        for length in 0..<whole.count {
            if let event = ledger.take(Array(whole[..<length]), now: .now) { #expect(event.problems == []) }
        }
        #expect(ledger.hasLost)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if let event = ledger.take(bytes, now: .now) { #expect(event.problems == []) }
        }
        for bytes: [UInt8] in [
            [], [8], [0, 0, 3, 0, 0, 0, 0, 0], [9, 0, 3, 0, 0, 0, 0, 0], [255, 255, 3, 0, 0, 0, 0, 0],
        ] {
            #expect(throws: TraceMessage.Malformed.self) { try TraceMessage(bytes) }
        }
    }

    // MARK: With a gateway

    private static func connect(_ gateway: LiveGateway) throws -> Descriptor {
        let socket = Descriptor(Glibc.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = gateway.runFolder + "/" + Wire.traceSocket
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result != 0 { throw AiboxError.system("cannot connect", errno: errno) }
        return socket
    }

    private static func greet(_ socket: Descriptor) throws {
        let hello: [UInt8] = [0x08, 0x02]
        try #require(send(socket.number, hello, hello.count, 0) == 2)
        var answer = [UInt8](repeating: 0, count: 16)
        try #require(recv(socket.number, &answer, 16, 0) == 2 && answer[0] == 0x08)
    }

    private static func traces(_ gateway: LiveGateway, _ subject: String) throws -> [AuditRecord] {
        try gateway.events("runtime.trace").filter { $0.subject == subject }
    }

    @Test("each point sent is one event; nobody connects after the runtime, and a runtime that lets go is told of")
    func live() throws {
        let gateway = try LiveGateway { $0.traces = .optional }
        let runtime = try Self.connect(gateway)
        try Self.greet(runtime)
        let count = 3000
        for number in 0..<count {
            let bytes = Self.execve(["true", "\(number)"])
            try #require(send(runtime.number, bytes, bytes.count, 0) == bytes.count)
        }
        let odd = Self.packet(3, [0xff])
        try #require(send(runtime.number, odd, odd.count, 0) == odd.count)
        #expect(throws: AiboxError.self) { try Self.connect(gateway) }
        runtime.close()
        #expect(eventually(within: .seconds(20)) { (try? Self.traces(gateway, "ended").count) == 1 })
        let numbers = try Self.traces(gateway, "execve").compactMap {
            $0.json["details"]?["arguments"]?.elements?.last?.stringValue
        }
        #expect(numbers == (0..<count).map { "\($0)" })
        #expect(try Self.traces(gateway, "lost").compactMap { $0.json["details"]?["lost"]?.wholeNumber } == [1])
        // Observing is no promise here: the sandbox stays connected.
        #expect(try gateway.events("gateway.cutoff").isEmpty)
    }

    @Test("where the organisation demands them, a sandbox of which some are lost is cut off")
    func required() throws {
        let gateway = try LiveGateway { $0.traces = .required }
        let runtime = try Self.connect(gateway)
        try Self.greet(runtime)
        for dropped: UInt32 in [0, 0, 2] {
            let bytes = Self.execve(["true"], dropped: dropped)
            try #require(send(runtime.number, bytes, bytes.count, 0) == bytes.count)
        }
        #expect(eventually(within: .seconds(10)) { (try? gateway.events("gateway.cutoff").count) == 1 })
        #expect(try gateway.events("gateway.cutoff").first?.json["details"]?["layer"]?.stringValue == "trace points")
        #expect(try gateway.client.status().cutOff != nil)
        #expect(try Self.traces(gateway, "execve").count == 3)
    }

    @Test("an orderly end of the sandbox is no loss, and takes what waits with it")
    func orderly() throws {
        let gateway = try LiveGateway { $0.traces = .required }
        let runtime = try Self.connect(gateway)
        try Self.greet(runtime)
        for _ in 0..<50 {
            let bytes = Self.execve(["true"])
            try #require(send(runtime.number, bytes, bytes.count, 0) == bytes.count)
        }
        try gateway.process.stop()
        #expect(try Self.traces(gateway, "execve").count == 50)
        #expect(try gateway.events("gateway.cutoff").isEmpty)
        #expect(try Self.traces(gateway, "ended").isEmpty)
    }
}
