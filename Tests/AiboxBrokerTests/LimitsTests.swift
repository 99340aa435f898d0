import AiboxWire
import NIOCore
import Testing

@testable import AiboxBroker

@Suite("How much may be asked")
struct LimitsTests {
    @Test("never more than the limit in any 60 seconds, whatever comes when") func window() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let limit = Int.random(in: 1...20, using: &generator)
            var limits = LLMLimits(.init(requestsPerMinute: limit))
            var second: Int64 = 0
            var admitted: [Int64] = []
            for _ in 0..<300 {
                second += Int64.random(in: 0...9, using: &generator) / 3
                if (try? limits.begin(0, at: second)) != nil { admitted.append(second) }
            }
            for (index, first) in admitted.enumerated() {
                let within = admitted[index...].prefix { $0 <= first + 60 }.count
                #expect(within <= limit)
            }
            #expect(admitted.count >= limit)
        }
    }

    @Test("exactly the limit passes at once, and again a minute later") func exact() throws {
        var limits = LLMLimits(.init(requestsPerMinute: 3))
        for _ in 0..<3 { _ = try limits.begin(0, at: 10) }
        let refusal = #expect(throws: BrokerRefusal.self) { try limits.begin(0, at: 40) }
        #expect(refusal?.retryAfter == 31)
        #expect(refusal?.status == 429)
        _ = try limits.begin(0, at: 71)
    }

    @Test("tokens are taken before, and corrected after") func reserved() throws {
        var limits = LLMLimits(.init(tokensPerMinute: 1000))
        let first = try limits.begin(800, at: 0)
        #expect(throws: BrokerRefusal.self) { try limits.begin(300, at: 1) }
        limits.settle(first, cost: 100)
        _ = try limits.begin(900, at: 2)
        #expect(throws: BrokerRefusal.self) { try limits.begin(1, at: 3) }
    }

    @Test("a request that can never pass is told so") func never() {
        var limits = LLMLimits(.init(tokensPerMinute: 10))
        let refusal = #expect(throws: BrokerRefusal.self) { try limits.begin(11, at: 0) }
        #expect(refusal?.retryAfter == nil)
    }

    @Test("what costs more than was reserved counts in full") func overrun() throws {
        var limits = LLMLimits(.init(tokens: 100, spent: 20))
        let reservation = try limits.begin(50, at: 0)
        limits.settle(reservation, cost: 90)
        #expect(limits.spent == 110)
        #expect(throws: BrokerRefusal.self) { try limits.begin(0 + 1, at: 1) }
    }

    @Test("the budget holds while requests are under way, and a refused request takes nothing") func budget() throws {
        var limits = LLMLimits(.init(requestsPerMinute: 2, tokens: 100))
        let first = try limits.begin(60, at: 0)
        #expect(throws: BrokerRefusal.self) { try limits.begin(60, at: 0) }
        limits.settle(first, cost: 0)
        _ = try limits.begin(60, at: 0)
        #expect(limits.reserved == 60)
    }

    @Test("for random requests: nothing is lost, and nothing is left over") func balance() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var limits = LLMLimits(.init(tokensPerMinute: 5000, tokens: 20_000))
            var open: [LLMLimits.Reservation] = []
            var spent = 0
            for second in 0..<200 as Range<Int64> {
                if Bool.random(using: &generator),
                    let reservation = try? limits.begin(Int.random(in: 0...900, using: &generator), at: second)
                {
                    open.append(reservation)
                }
                if Bool.random(using: &generator), !open.isEmpty {
                    let reservation = open.remove(at: Int.random(in: open.indices, using: &generator))
                    let cost = Int.random(in: 0...1000, using: &generator)
                    spent += cost
                    limits.settle(reservation, cost: cost)
                }
                #expect(limits.spent == spent)
                #expect(limits.reserved == open.reduce(0) { $0 + $1.tokens })
            }
        }
    }
}

@Suite("What an answer cost")
struct UsageTests {
    private func cost(_ text: String, _ form: UsageMeter.Form, piece: Int) -> TokenUsage? {
        var meter = UsageMeter(form)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            meter.feed(ByteBuffer(bytes: rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        return meter.finish()
    }

    static let answers: [(String, UsageMeter.Form, String, TokenUsage)] = [
        (
            "Messages", .document,
            #"{"id":"m","content":[{"text":"\"usage\":{}"}],"usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":7}}"#,
            TokenUsage(input: 18, output: 7, cached: 5, written: 3)
        ),
        (
            "Chat Completions", .document,
            #"{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":4,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":8}}}"#,
            TokenUsage(input: 12, output: 4, cached: 8)
        ),
        (
            "a stream of Messages", .events,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\nevent: content_block_delta\ndata: {\"delta\":{\"text\":\"usage\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":15}}\n\nevent: message_stop\ndata: {}\n\n",
            TokenUsage(input: 25, output: 15)
        ),
        (
            "a stream of Chat Completions", .events,
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\r\n\r\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\r\n\r\ndata: [DONE]\r\n\r\n",
            TokenUsage(input: 9, output: 2)
        ),
        (
            "a stream of Responses", .events,
            "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":30,\"input_tokens_details\":{\"cached_tokens\":20},\"output_tokens\":6}}}\n",
            TokenUsage(input: 30, output: 6, cached: 20)
        ),
        (
            "a stream without its last line feed", .events,
            "data: {\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}",
            TokenUsage(input: 1, output: 2)
        ),
    ]

    @Test("as the provider says, in pieces of any size", arguments: answers)
    func read(_ description: String, _ form: UsageMeter.Form, _ text: String, _ expected: TokenUsage) {
        for piece in [1, 2, 3, 7, 16, 4096] {
            #expect(cost(text, form, piece: piece) == expected, "pieces of \(piece)")
        }
    }

    @Test("where it does not say, by what passed") func estimated() {
        var meter = UsageMeter(.events)
        meter.feed(ByteBuffer(string: "data: {\"a\":1}\n\ndata: {\"a\":2}\n\n"))
        #expect(meter.finish() == nil)
        #expect(meter.estimate(input: 5) == TokenUsage(input: 5, output: 2))
    }

    @Test("lies about it are kept within bounds") func lies() {
        let text = #"{"usage":{"input_tokens":-5,"output_tokens":99999999999999999}}"#
        #expect(cost(text, .document, piece: 9) == TokenUsage(input: 0, output: 1 << 40))
    }

    @Test("an endless line costs no memory") func endless() {
        var meter = UsageMeter(.events)
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
        for _ in 0..<20 { meter.feed(piece) }
        meter.feed(ByteBuffer(string: "\ndata: {\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}\n"))
        #expect(meter.finish() == TokenUsage(input: 1, output: 1))
    }
}
