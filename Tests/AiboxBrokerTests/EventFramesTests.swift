import AiboxCrypto
import AiboxWire
import NIOCore
import Testing

@testable import AiboxBroker

@Suite("Event streams of AWS")
struct EventFramesTests {
    /// A message without headers.
    static func message(_ content: String, headers: [UInt8] = []) -> [UInt8] {
        func four(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
        var bytes = four(UInt32(16 + headers.count + content.utf8.count)) + four(UInt32(headers.count))
        bytes += four(CRC32.checksum(bytes))
        bytes += headers + content.utf8
        return bytes + four(CRC32.checksum(bytes))
    }

    /// An event of a model within a message.
    static func chunk(_ event: String) -> [UInt8] { message(#"{"bytes":"\#(Base64.encode(Array(event.utf8)))"}"#) }

    @Test("the checksum is the one of the standard: its check value, in pieces as at once")
    func checksum() {
        #expect(CRC32.checksum("123456789".utf8) == 0xCBF4_3926)
        #expect(CRC32.checksum("6789".utf8, after: CRC32.checksum("12345".utf8)) == 0xCBF4_3926)
    }

    /// "empty_message" and "payload_no_headers" of the public test vectors of awslabs/aws-c-event-stream.
    @Test("published messages are read")
    func vectors() {
        let empty: [UInt8] = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff]
        let payload: [UInt8] =
            [0, 0, 0, 29, 0, 0, 0, 0, 0xfd, 0x52, 0x8c, 0x5a] + Array("{'foo':'bar'}".utf8) + [0xc3, 0x65, 0x39, 0x36]
        var frames = EventFrames(limit: 1000)
        var found: [String] = []
        frames.feed(empty + payload) { found.append(String(decoding: $0, as: UTF8.self)) }
        #expect(found == ["", "{'foo':'bar'}"] && frames.isBetween)
    }

    @Test("however the pieces fall, the same messages are found, and one that is too long is passed over")
    func pieces() {
        let all =
            Self.message("a") + Self.message(String(repeating: "x", count: 300)) + Self.message("b", headers: [1, 2])
        for size in [1, 3, 7, 16, 100, 1000] {
            var frames = EventFrames(limit: 200)
            var found: [String] = []
            for start in stride(from: 0, to: all.count, by: size) {
                frames.feed(all[start..<min(all.count, start + size)]) {
                    found.append(String(decoding: $0, as: UTF8.self))
                }
            }
            #expect(found == ["a", "b"] && frames.isBetween, "\(size)")
        }
    }

    @Test("what breaks the form is not read any further, and grows nothing")
    func broken() {
        var lengths = Self.message("a")
        lengths[3] += 1
        var content = Self.message("a")
        content[12] = UInt8(ascii: "b")
        for bad in [lengths, content, [UInt8](repeating: 0, count: 40), [UInt8](repeating: 255, count: 40)] {
            var frames = EventFrames(limit: 200)
            var count = 0
            frames.feed(bad + Self.message("c")) { _ in count += 1 }
            frames.feed(Self.message("d")) { _ in count += 1 }
            #expect(count == 0 && frames.isBroken && !frames.isBetween)
        }
    }

    private func usage(_ messages: [[UInt8]]) -> TokenUsage? {
        var meter = UsageMeter(UsageMeter.form(contentType: "application/vnd.amazon.eventstream"))
        for message in messages { meter.feed(ByteBuffer(bytes: message)) }
        return meter.finish()
    }

    @Test("the cost is read from Claude's own events, from the metrics where there are none, and from Converse")
    func cost() {
        let claude = [
            Self.chunk(
                #"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":4,"output_tokens":1}}}"#
            ),
            Self.chunk(#"{"type":"message_delta","usage":{"output_tokens":5}}"#),
            Self.chunk(
                #"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":10,"outputTokenCount":5}}"#
            ),
        ]
        #expect(usage(claude) == TokenUsage(input: 14, output: 5, cached: 4))
        let other = [
            Self.chunk(
                #"{"generation":"x","amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":3}}"#)
        ]
        #expect(usage(other) == TokenUsage(input: 7, output: 3))
        let converse = [
            Self.message(#"{"contentBlockIndex":0,"delta":{"text":"hi"}}"#),
            Self.message(
                #"{"usage":{"inputTokens":8,"outputTokens":2,"totalTokens":15,"cacheReadInputTokens":5},"metrics":{"latencyMs":1}}"#
            ),
        ]
        #expect(usage(converse) == TokenUsage(input: 13, output: 2, cached: 5))
        #expect(usage([Self.chunk("{}")]) == nil)
    }
}
