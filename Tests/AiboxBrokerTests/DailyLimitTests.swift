import AiboxAudit
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import NIOCore
import Synchronization
import Testing

@testable import AiboxBroker

@Suite("What may be spent in a day")
struct DailyLimitTests {
    private static let prices = [
        LLMPrice(model: "claude-1", input: 3_000_000, output: 15_000_000, cached: 300_000),
        LLMPrice(model: "claude-*", input: 1_000_000, output: 1_000_000),
    ]
    private static let answer = #"{"usage":{"input_tokens":20,"output_tokens":5,"cache_read_input_tokens":10}}"#

    private func proxy(
        _ upstream: ScriptedUpstream, _ gateway: ScriptedGateway, tokens: Int? = nil, cost: Int? = nil
    ) throws -> LiveProxy {
        try LiveProxy(
            upstream, limits: .init(dailyTokens: tokens, dailyCost: cost), gateway: gateway,
            edit: { $0.prices = Self.prices })
    }

    private static func taken() -> LLMRuling {
        var ruling = LLMRuling.allowed
        ruling.day = 20_000
        return ruling
    }

    @Test("what a request may cost is taken before, and what it cost is told after")
    func takes() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.answer) }
        let gateway = ScriptedGateway { _ in Self.taken() }
        let proxy = try proxy(upstream, gateway, tokens: 1000, cost: 1000)
        let body = #"{"model":"claude-1","max_tokens":10,"messages":[]}"#
        #expect(try proxy.ask(body: body).status == 200)
        #expect(eventually { gateway.questions.count == 3 })
        let input = (body.utf8.count + 3) / 4
        // 3 and 15 for a token, in millionths.
        let amount = LLMAmount(tokens: input + 10, micros: input * 3 + 150)
        let cost = LLMAmount(tokens: 35, micros: 20 * 3 + 3 + 75)
        #expect(gateway.questions[1] == .take(amount))
        #expect(gateway.questions[2] == .settle(LLMSettlement(day: 20_000, taken: amount, cost: cost)))
        #expect(eventually { !proxy.audit.of(.llmResponse).isEmpty })
        #expect(proxy.audit.of(.llmResponse).first?.details["cost_microdollars"] == .integer(138))
        // Counting costs nothing, and lists neither.
        #expect(try proxy.ask("/v1/messages/count_tokens").status == 200)
        #expect(try proxy.ask("/v1/models", method: "GET").status == 200)
        #expect(gateway.questions.count { if case .take = $0 { true } else { false } } == 1)
    }

    @Test("what is written to the provider's cache has its price and its count, in a body and in a stream")
    func cacheWrites() throws {
        let caching = LLMPrice(
            model: "claude-*", input: 3_000_000, output: 15_000_000, cached: 300_000, cacheWrite: 3_750_000,
            hourWrite: 6_000_000)
        let usage = #""input_tokens":10,"cache_read_input_tokens":1000,"cache_creation_input_tokens":300"#
        let kinds = #""cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200}"#
        let stream = [
            #"data: {"type":"message_start","message":{"usage":{\#(usage),\#(kinds),"output_tokens":1}}}"#,
            #"data: {"type":"message_delta","usage":{\#(usage),"output_tokens":20}}"#,
        ].map { $0 + "\n\n" }.joined()
        let answers = [
            ScriptedUpstream.json(#"{"usage":{\#(usage),\#(kinds),"output_tokens":20}}"#),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(stream.utf8.count)\r\n\r\n"
                + stream,
        ]
        for answer in answers {
            let upstream = try ScriptedUpstream.answering { _, _ in answer }
            let gateway = ScriptedGateway { _ in .allowed }
            let proxy = try LiveProxy(upstream, gateway: gateway, edit: { $0.prices = [caching] })
            #expect(try proxy.ask().status == 200)
            #expect(eventually { !proxy.audit.of(.llmResponse).isEmpty })
            let details = try #require(proxy.audit.of(.llmResponse).first?.details)
            #expect(details["input_tokens"] == 1310 && details["cached_tokens"] == 1000)
            #expect(details["cache_write_tokens"] == 300 && details["cache_write_1h_tokens"] == 200)
            #expect(details["cost_microdollars"] == .integer(30 + 300 + 375 + 1200 + 300))
            // Without a limit nothing is taken, and the day hears of it all the same.
            #expect(eventually { gateway.questions.contains { Self.isSettled($0, 1330, 2205) } })
            #expect(!gateway.questions.contains { if case .take = $0 { true } else { false } })
        }
    }

    private static func isSettled(_ question: LLMQuestion, _ tokens: Int, _ micros: Int) -> Bool {
        guard case .settle(let settlement) = question else { return false }
        return settlement.taken == LLMAmount() && settlement.cost == LLMAmount(tokens: tokens, micros: micros)
            && abs(settlement.day - Timestamp.now.seconds / 86_400) <= 1
    }

    @Test("what the gateway refuses, or does not answer, is not sent")
    func refused() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.answer) }
        let refusal = LLMRuling(isAllowed: false, rule: "llm.daily_tokens", layer: "org", reason: "0 left")
        for (ruling, status) in [(refusal, 429), (LLMRuling.allowed, 429), (nil, 503)] {
            let gateway = ScriptedGateway(patience: .milliseconds(200)) { question in
                if case .take = question { ruling } else { .allowed }
            }
            let proxy = try proxy(upstream, gateway, tokens: 1000)
            let answer = try proxy.ask()
            #expect(answer.status == status)
            #expect(answer.head.lowercased().contains("x-should-retry: \(status == 503)"))
        }
        #expect(upstream.connections == 0)
    }

    @Test("a proxy that ends has told before what each of the requests cost that were under way, however many")
    func ends() throws {
        let upstream = try ScriptedUpstream { connection in while connection.request() != nil {} }
        let gateway = ScriptedGateway { question in
            // A gateway that hears no settlement any more holds up nothing.
            if case .settle = question { nil } else { Self.taken() }
        }
        let count = 70
        do {
            let proxy = try proxy(upstream, gateway, tokens: 100_000)
            let clients = try (0..<count).map { _ in try proxy.client() }
            for client in clients {
                client.ask(
                    "/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)",
                    body: #"{"model":"claude-1","max_tokens":10,"messages":[]}"#)
            }
            #expect(eventually { upstream.requests.count == count })
            withExtendedLifetime(clients) {}
            #expect(!gateway.questions.contains { if case .settle = $0 { true } else { false } })
            withExtendedLifetime(proxy) {}
        }
        #expect(gateway.questions.count { if case .settle = $0 { true } else { false } } == count)
    }

    @Test("a provider that cannot be reached costs nothing, and a client that goes gets back what was taken")
    func givenBack() throws {
        let upstream = try ScriptedUpstream { _ in }
        upstream.stop()
        let gateway = ScriptedGateway { _ in Self.taken() }
        let proxy = try proxy(upstream, gateway, tokens: 1000)
        #expect(try proxy.ask().status == 502)
        #expect(
            eventually {
                gateway.questions.contains {
                    if case .settle(let settlement) = $0 { settlement.cost == LLMAmount() } else { false }
                }
            })
    }

    @Test("where cost has a limit a model without a price is refused; without one it is not asked about")
    func unpriced() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.answer) }
        let gateway = ScriptedGateway { _ in Self.taken() }
        let body = #"{"model":"gpt-9","max_tokens":10,"messages":[]}"#
        let key = "Authorization: Bearer \(LiveProxy.openai)"
        let refusing = try proxy(upstream, gateway, cost: 1000)
        let answer = try refusing.ask("/v1/chat/completions", key: key, body: body)
        #expect(answer.status == 403 && answer.json?["aibox"]?["rule"]?.stringValue == "llm.daily_cost")
        #expect(upstream.connections == 0)
        let free = try proxy(upstream, gateway)
        #expect(try free.ask("/v1/chat/completions", key: key, body: body).status == 200)
        #expect(!gateway.questions.contains { if case .take = $0 { true } else { false } })
        #expect(free.audit.of(.llmResponse).allSatisfy { $0.details["cost_microdollars"] == nil })
    }

    @Test("a limit of the sandbox's own is asked about as the user's is, and has its own name") func ofSandbox() throws
    {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json(Self.answer) }
        let gateway = ScriptedGateway { _ in Self.taken() }
        func proxy(_ limits: BrokerPlan.Limits) throws -> LiveProxy {
            try LiveProxy(upstream, limits: limits, gateway: gateway, edit: { $0.prices = Self.prices })
        }
        #expect(try proxy(.init(sandboxDailyTokens: 1000)).ask().status == 200)
        #expect(eventually { gateway.questions.count { if case .take = $0 { true } else { false } } == 1 })
        let unpriced = try proxy(.init(sandboxDailyCost: 1000)).ask(
            "/v1/chat/completions", key: "Authorization: Bearer \(LiveProxy.openai)",
            body: #"{"model":"gpt-9","max_tokens":10,"messages":[]}"#)
        #expect(unpriced.status == 403 && unpriced.json?["aibox"]?["rule"] == "llm.sandbox_daily_cost")
    }

    @Test("prices are exact, round up, and do not overflow")
    func prices() {
        let price = LLMPrice(model: "m", input: 3, output: 15)
        #expect(price.micros(LLMPrice.Tokens(input: 1, output: 0)) == 1)
        #expect(price.micros(LLMPrice.Tokens(input: 1_000_000, output: 1_000_000)) == 18)
        #expect(price.micros(LLMPrice.Tokens(input: 0, output: 0)) == 0)
        let dear = LLMPrice(model: "m", input: 1 << 50, output: 1 << 50)
        #expect(dear.micros(LLMPrice.Tokens(input: 1 << 40, output: 1)) == .max)
        #expect(Self.prices[0].micros(TokenUsage(input: 1_000_000, cached: 2_000_000)) == 300_000)
        // As Anthropic's: what is written to the cache costs 1.25 and 2 times as much, what is read from it a tenth.
        let caching = LLMPrice(
            model: "m", input: 3_000_000, output: 15_000_000, cached: 300_000, cacheWrite: 3_750_000,
            hourWrite: 6_000_000)
        let usage = TokenUsage(input: 10_111, output: 10, cached: 10_000, written: 101, hourWritten: 100)
        #expect(caching.micros(usage) == 10 * 3 + 3000 + 4 + 600 + 150)
        #expect(caching.most(input: 100, output: 1) == 615 && price.most(input: 1_000_000, output: 0) == 3)
        // Without its own price it is input; a part that is larger than the whole is the whole.
        #expect(Self.prices[0].micros(TokenUsage(input: 100, written: 100, hourWritten: 100)) == 300)
        #expect(caching.micros(TokenUsage(input: 100, cached: 50, written: 1 << 40, hourWritten: 1 << 41)) == 315)
        for (micros, text) in [(0, "0.00"), (1, "0.000001"), (12_500_000, "12.50"), (1_234_560, "1.23456")] {
            #expect(LLMAmount.text(micros: micros) == text)
        }
    }
}
