import AiboxHTTP2
import AiboxTestSupport
import Testing

@Suite("HTTP/2, the client's side")
struct HTTP2ClientSessionTests {
    @Test("a connection begins with the preface and settings that refuse pushed streams")
    func preface() throws {
        let session = try HTTP2ClientSession()
        let bytes = session.output()
        #expect(bytes.starts(with: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)))
        // ENABLE_PUSH (2) is 0.
        #expect(bytes.firstRange(of: [0, 2, 0, 0, 0, 0] as [UInt8]) != nil)
        #expect(!session.isOver && session.canOpen)
    }

    @Test("answers of several streams come as they are sent, in pieces of any size", arguments: [1, 7, 100_000])
    func answers(piece: Int) throws {
        let session = try HTTP2ClientSession()
        let (one, two) = (try session.request(), try session.request())
        #expect((one, two) == (1, 3))
        let bytes =
            RawFrame.settings + RawFrame.head(1, [(":status", "103")])
            + RawFrame.head(3, [(":status", "200"), ("a", "b")])
            + RawFrame.data(3, [1, 2]) + RawFrame.head(1, [(":status", "404")], ends: true)
            + RawFrame.head(3, [("grpc-status", "0")], ends: true)
        var events: [HTTP2Event] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            events += try session.receive(Array(bytes[start..<min(bytes.count, start + piece)]))
        }
        // Pieces of a body may come apart.
        let body = events.flatMap { if case .data(3, let bytes) = $0 { bytes } else { [] as [UInt8] } }
        #expect(body == [1, 2])
        let rest = events.filter { if case .data = $0 { false } else { true } }
        #expect(
            rest == [
                .head(3, [HTTP2Field(":status", "200"), HTTP2Field("a", "b")]),
                .head(1, [HTTP2Field(":status", "404")]), .end(1), .trailers(3, [HTTP2Field("grpc-status", "0")]),
                .end(3),
            ])
    }

    @Test("a body goes out as it comes, waits for the window, and is bounded")
    func bodies() throws {
        var limits = HTTP2Limits()
        limits.unsent = 100_000
        let session = try HTTP2ClientSession(limits)
        _ = session.output()
        let stream = try session.open(
            [
                HTTP2Field(":method", "POST"), HTTP2Field(":scheme", "http"), HTTP2Field(":path", "/"),
                HTTP2Field(":authority", "localhost"),
            ], endsStream: false)
        #expect(!session.output().isEmpty)
        try session.send([UInt8](repeating: 9, count: 100_000), on: stream, endsStream: false)
        // 65535 bytes are the window that a server begins with.
        #expect(session.output().count > 65_535 && session.unsent(on: stream) == 100_000 - 65_535)
        #expect(throws: HTTP2Fault.self) {
            try session.send([UInt8](repeating: 9, count: 100_000), on: stream, endsStream: true)
        }
        try session.send([1], on: stream, endsStream: true)
        let window = RawFrame.number(100_000)
        _ = try session.receive(
            RawFrame.settings + RawFrame.frame(8, window) + RawFrame.frame(8, stream: UInt32(stream), window))
        #expect(session.output().count > 34_465 && session.unsent(on: stream) == 0)
    }

    @Test("windows open only for what was consumed")
    func windows() throws {
        var limits = HTTP2Limits()
        limits.streamWindow = 65_535
        let session = try HTTP2ClientSession(limits)
        let stream = try session.request()
        _ = try session.receive(RawFrame.settings + RawFrame.head(1, [(":status", "200")]))
        _ = session.output()
        let part = RawFrame.data(1, [UInt8](repeating: 1, count: 16_000))
        for _ in 0..<4 { #expect(try session.receive(part).count >= 1) }
        #expect(session.output().isEmpty)
        try session.consume(64_000, on: stream)
        // Frames of type WINDOW_UPDATE, 13 bytes each.
        #expect(session.output().count >= 13)
        // Consuming what never came opens nothing.
        try session.consume(1 << 30, on: stream)
        #expect(session.output().isEmpty)
        _ = try session.receive(part)
    }

    @Test("a stream that is not consumed stops the others only where the connection's window is kept shut")
    func slowStream() throws {
        let session = try HTTP2ClientSession()
        for _ in 0..<8 { _ = try session.request() }
        _ = try session.receive(RawFrame.settings + RawFrame.frame(4, flags: 1))
        let part = RawFrame.data(1, [UInt8](repeating: 1, count: 16_000))
        // Each stream to the end of its window, of which eight are twice the connection's.
        for stream in stride(from: UInt32(1), to: 16, by: 2) {
            _ = try session.receive(RawFrame.head(stream, [(":status", "200")]))
            for _ in 0..<16 {
                let events = try session.receive(RawFrame.data(stream, Array(part.dropFirst(9))))
                #expect(events.count >= 1)
                try session.consumeOnConnection(16_000)
            }
        }
        _ = session.output()
        // What was consumed twice opens nothing more.
        try session.consumeOnConnection(1 << 30)
        #expect(session.output().isEmpty)
        try session.consumeOnStream(256_000, on: 1)
        #expect(session.output().count >= 13)
        // The end of a window.
        let events = try session.receive(RawFrame.data(3, [UInt8](repeating: 1, count: 16_000)))
        #expect(events.contains { if case .reset(3, code: 3, _) = $0 { true } else { false } })
    }

    @Test("windows that open for what is sent are no flood; more of them are")
    func earnedFrames() throws {
        var limits = HTTP2Limits()
        limits.idleFrames = 20
        let session = try HTTP2ClientSession(limits)
        let stream = try session.open([HTTP2Field(":method", "POST"), HTTP2Field(":path", "/")], endsStream: false)
        let now = ContinuousClock.now
        _ = try session.receive(RawFrame.settings, at: now)
        let window = RawFrame.number(16_384)
        for _ in 0..<500 {
            try session.send([UInt8](repeating: 9, count: 16_384), on: stream, endsStream: false)
            #expect(!session.output().isEmpty)
            _ = try session.receive(
                RawFrame.frame(8, window) + RawFrame.frame(8, stream: UInt32(stream), window), at: now)
        }
        #expect(throws: HTTP2Fault.self) {
            for _ in 0..<2000 { _ = try session.receive(RawFrame.frame(8, RawFrame.number(1)), at: now) }
        }
    }

    @Test("a server that sends more than a window loses the stream or the connection", arguments: [65_535, 1 << 20])
    func windowAbuse(window: Int) throws {
        var limits = HTTP2Limits()
        limits.streamWindow = Int32(window)
        limits.connectionWindow = window == 65_535 ? 1 << 20 : 65_535
        let session = try HTTP2ClientSession(limits)
        _ = try session.request()
        // It has seen the settings.
        _ = try session.receive(
            RawFrame.settings + RawFrame.frame(4, flags: 1) + RawFrame.head(1, [(":status", "200")]))
        let part = RawFrame.data(1, [UInt8](repeating: 1, count: 16_000))
        var (total, isCut) = (0, false)
        for _ in 0..<100 where !isCut {
            do throws(HTTP2Fault) {
                for event in try session.receive(part) {
                    if case .data(_, let bytes) = event { total += bytes.count }
                    if case .reset(1, code: 3, _) = event { isCut = true }
                }
            } catch { isCut = true }
        }
        // What went beyond is one frame at most.
        #expect(isCut && total <= 65_535 + 16_384, "\(total)")
    }

    @Test("a reset and a GOAWAY are told; requests that the server never began are too")
    func ends() throws {
        let session = try HTTP2ClientSession()
        for _ in 0..<3 { _ = try session.request() }
        var events = try session.receive(RawFrame.settings + RawFrame.reset(1, 2))
        #expect(events == [.reset(1, code: 2, why: "it ended the stream (INTERNAL_ERROR)")])
        events = try session.receive(RawFrame.goAway(last: 3, 0))
        #expect(events.contains(.goingAway(last: 3, code: 0)))
        #expect(events.contains { if case .reset(5, code: 7, _) = $0 { true } else { false } })
        #expect(!session.canOpen && !session.isOver)
        #expect(throws: HTTP2Fault.self) { try session.request() }
        events = try session.receive(RawFrame.head(3, [(":status", "200")], ends: true))
        #expect(events.last == .end(3))
        _ = session.output()
        #expect(session.isOver)
    }

    @Test("nothing more is told of a cancelled stream, and what comes for it takes up no window")
    func cancels() throws {
        let session = try HTTP2ClientSession()
        let stream = try session.request()
        _ = try session.receive(RawFrame.settings + RawFrame.head(1, [(":status", "200")]))
        try session.cancel(stream)
        #expect(session.output().suffix(4) == [0, 0, 0, 8])
        for _ in 0..<200 {
            #expect(try session.receive(RawFrame.data(1, [UInt8](repeating: 1, count: 16_000))).isEmpty)
        }
    }

    /// What a hostile server sends, over and over.
    static let floods: [(String, [UInt8])] = [
        ("PING", RawFrame.ping), ("SETTINGS", RawFrame.settings),
        ("SETTINGS with a new window", RawFrame.frame(4, [0, 4, 0, 0, 0, 1])),
        ("WINDOW_UPDATE", RawFrame.frame(8, RawFrame.number(1))), ("empty DATA", RawFrame.data(1, [])),
        ("RST_STREAM of streams that are over", RawFrame.reset(3, 8)),
        ("PRIORITY", RawFrame.frame(2, stream: 1, [0, 0, 0, 0, 1])),
        ("frames of no known type", RawFrame.frame(0xee, [UInt8](repeating: 0, count: 100))),
        ("GOAWAY", RawFrame.goAway(last: 0x7fff_ffff, 0)), ("heads in between", RawFrame.head(1, [(":status", "100")])),
        (
            "PUSH_PROMISE",
            RawFrame.frame(5, flags: 4, stream: 1, RawFrame.number(2) + RawFrame.block([(":method", "GET")]))
        ),
        ("DATA on no stream", RawFrame.data(0, [1])), ("DATA on streams of the future", RawFrame.data(99, [1])),
        ("heads on streams of the future", RawFrame.head(99, [(":status", "200")])),
        ("CONTINUATION out of place", RawFrame.frame(9, stream: 1, [])),
        ("frames longer than allowed", RawFrame.frame(0, stream: 1, [UInt8](repeating: 0, count: 20_000))),
        ("a window that overflows", RawFrame.frame(8, RawFrame.number(0x7fff_ffff))),
        ("no HTTP/2 at all", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
    ]

    @Test("a flood ends the connection, and little is written against it", arguments: floods)
    func flood(name: String, frame: [UInt8]) throws {
        let session = try HTTP2ClientSession()
        _ = try session.request()
        _ = try session.request()
        let now = ContinuousClock.now
        let greets = !name.hasPrefix("no HTTP/2")
        if greets { _ = try session.receive(RawFrame.settings + RawFrame.reset(3, 0), at: now) }
        var written = 0
        var count = 0
        let fault = #expect(throws: HTTP2Fault.self) {
            while count < 3000 {
                _ = try session.receive(frame, at: now)
                written += session.output().count
                count += 1
            }
        }
        written += session.output().count
        #expect(
            count <= 1000 + 2 * 8 && written < 64 << 10,
            "\(name): \(count) frames, \(written) bytes: \(fault?.reason ?? "")")
        #expect(session.isOver && !session.canOpen)
        #expect(throws: HTTP2Fault.self) { try session.receive(RawFrame.ping) }
        #expect(throws: HTTP2Fault.self) { try session.request() }
    }

    @Test("a server that pings now and then, for days, is no flood")
    func keepsAlive() throws {
        let session = try HTTP2ClientSession()
        _ = try session.request()
        var now = ContinuousClock.now
        _ = try session.receive(RawFrame.settings, at: now)
        for _ in 0..<20_000 {
            now += .seconds(10)
            _ = try session.receive(RawFrame.ping, at: now)
            #expect(session.output().count < 100)
        }
    }

    @Test("a head without end is cut off, whether its CONTINUATIONs are empty or full", arguments: [0, 16_000])
    func continuations(size: Int) throws {
        let session = try HTTP2ClientSession()
        _ = try session.request()
        _ = try session.receive(
            RawFrame.settings + RawFrame.frame(1, flags: 0, stream: 1, RawFrame.block([(":status", "200")])))
        var count = 0
        #expect(throws: HTTP2Fault.self) {
            while count < 100_000 {
                let field = size == 0 ? [] : RawFrame.block([("x", String(repeating: "a", count: size))])
                _ = try session.receive(RawFrame.frame(9, stream: 1, field))
                count += 1
            }
        }
        #expect(count < 20_000)
    }

    @Test("a head beyond the limit ends its stream alone")
    func largeHead() throws {
        let session = try HTTP2ClientSession()
        _ = try session.request()
        _ = try session.request()
        let fields = [(":status", "200")] + (0..<5).map { ("x-\($0)", String(repeating: "a", count: 3000)) }
        #expect(try session.receive(RawFrame.settings + RawFrame.head(1, fields)).count == 1)
        // By reference to an indexed field, a head of a few bytes becomes a large one (an HPACK bomb).
        let bomb =
            RawFrame.block([(":status", "200")]) + [0x40, 1, UInt8(ascii: "b"), 127, 0xa1, 0x1e]
            + [UInt8](repeating: 97, count: 4000) + [UInt8](repeating: 0xbe, count: 2000)
        let events = try session.receive(RawFrame.frame(1, flags: 5, stream: 3, bomb))
        #expect(events.contains { if case .reset(3, _, let why) = $0 { why.contains("larger than") } else { false } })
        #expect(try session.receive(RawFrame.data(1, [1], ends: true)).contains(.end(1)))
    }

    @Test(
        "an answer that breaks the rules ends its stream, and says so",
        arguments: [
            [("x", "y")], [(":status", "200"), ("Upper", "case")], [(":status", "200"), (":path", "/")],
            [(":status", "200"), ("connection", "close")], [(":status", "2\n0")],
            [(":status", "200"), ("x", "a\r\nb: c")], [(":status", "200"), ("content-length", "-1")],
        ])
    func malformed(fields: [(String, String)]) throws {
        let session = try HTTP2ClientSession()
        _ = try session.request()
        var events = try session.receive(RawFrame.settings + RawFrame.head(1, fields, ends: true))
        _ = session.output()
        events += try session.receive(RawFrame.ping)
        // Of a field value with a forbidden character the library drops the field alone.
        let isClean = events.contains { event in
            if case .head(1, let fields) = event { fields == [HTTP2Field(":status", "200")] } else { false }
        }
        #expect(isClean || events.contains { if case .reset(1, code: 1, _) = $0 { true } else { false } }, "\(events)")
    }

    @Test("requests with characters that would end a field are refused")
    func requestFields() throws {
        let session = try HTTP2ClientSession()
        for (name, value) in [("a b", "c"), ("A", "b"), ("a", "b\r\nc: d"), ("", "x"), ("a", "\0")] {
            #expect(throws: HTTP2Fault.self, "\(name)") {
                try session.open([HTTP2Field(":method", "GET"), HTTP2Field(name, value)], endsStream: true)
            }
        }
    }

    @Test("random and damaged bytes never do worse than a fault", arguments: 0..<20 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let honest =
            RawFrame.settings + RawFrame.head(1, [(":status", "200"), ("a", "b")]) + RawFrame.data(1, [1, 2, 3])
            + RawFrame.ping + RawFrame.head(1, [("grpc-status", "0")], ends: true) + RawFrame.goAway(last: 1, 0)
        for _ in 0..<300 {
            let session = try HTTP2ClientSession()
            _ = try session.request()
            var bytes = honest
            for _ in 0..<(1 + random.next() % 6) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            var data = 0
            var written = 0
            do {
                for _ in 0..<3 {
                    for case .data(_, let part) in try session.receive(bytes) { data += part.count }
                    written += session.output().count
                }
            } catch {}
            #expect(data <= 3 * bytes.count && written < 4096)
        }
    }
}
