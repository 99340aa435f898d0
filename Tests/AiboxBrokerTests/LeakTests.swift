import AiboxAudit
import AiboxCrypto
import AiboxWire
import NIOCore
import Testing

@testable import AiboxBroker

@Suite("What must not leave with a request")
struct LeakTests {
    static let canary = "Falcon-9 Heron/Plan+2031"
    static let rules = [
        LeakRule(id: "falcon", .canary(canary), blocks: true, layer: "team"),
        LeakRule(id: "ticket", .pattern("ACME-[0-9]{6}"), blocks: false, layer: "org"),
        LeakRule(id: "key", .pattern(LeakRule.known[0].pattern), blocks: true, layer: "org"),
        LeakRule(id: "line", .pattern("(?m)^internal only$"), blocks: true, layer: "project"),
    ]

    private static func message(_ text: String) -> String {
        #"{"model":"claude-1","messages":[{"role":"user","content":\#(JSONValue.string(text).text)}]}"#
    }

    private static func parts(_ parts: [String]) -> String {
        let blocks = parts.map { #"{"type":"text","text":\#(JSONValue.string($0).text)}"# }
        return #"{"model":"claude-1","messages":[{"role":"user","content":[\#(blocks.joined(separator: " , "))]}]}"#
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { "\\u00" + Hex.encode([$0]).uppercased() }.joined()
    }

    private static func base64(_ offset: Int) -> String {
        Base64.encode(Array(String(repeating: "x", count: offset).utf8) + Array(canary.utf8) + Array("!!".utf8))
    }

    static let hidden: [(String, String)] = [
        ("as it is", message("see \(canary) for more")),
        ("in other letters", message(canary.uppercased())), ("in small letters", message(canary.lowercased())),
        ("every character escaped", #"{"model":"claude-1","system":"\#(escaped(canary))"}"#),
        ("escaped in JSON in JSON", message(JSONValue.object(["a": .string(canary)]).text)),
        ("escaped twice", message(#"{"a":"\#(escaped(canary))"}"#)),
        ("over lines", message("Falcon-9\n  Heron/\r\n\tPlan+2031")),
        ("over two parts", parts(["say Falcon-9 He", "ron/Plan+2031 now"])),
        ("a character a part", parts(canary.map { String($0) })),
        (
            "over two messages",
            #"{"model":"m","messages":[{"role":"user","content":"Falcon-9 He"},{"role":"assistant","content":"ron/Plan+2031"}]}"#
        ),
        ("as a name", #"{"model":"claude-1","metadata":{"\#(canary)":1}}"#),
        ("as a role", #"{"model":"claude-1","messages":[{"role":"\#(canary)","content":""}]}"#),
        ("in Base64", message(base64(0))), ("in Base64, one byte in", message(base64(1))),
        ("in Base64, two bytes in", message(base64(2))),
        ("in Base64 for URLs", message(base64(1).replacing("+", with: "-").replacing("/", with: "_"))),
        ("in Base64 with lines", message(base64(2).map { $0 == "A" ? "A\n" : "\($0)" }.joined(separator: "\r\n"))),
        ("in Base64 over parts", parts([String(base64(1).prefix(11)), String(base64(1).dropFirst(11))])),
        ("in hexadecimal", message(Hex.encode(Array(canary.utf8)))),
        ("as a dump", message(Array(canary.utf8).map { Hex.encode([$0]) }.joined(separator: " "))),
        (
            "as a dump with colons",
            message(Array(canary.utf8).map { Hex.encode([$0]).uppercased() }.joined(separator: ":"))
        ),
        ("percent-encoded", message("q=Falcon-9%20Heron%2FPlan%2B2031")),
        ("percent-encoded as a whole", message(Array(canary.utf8).map { "%" + Hex.encode([$0]) }.joined())),
        ("backwards", message(String(canary.reversed()))),
        ("a key between words", message("use AKIA0123456789ABCDEF please")),
        ("a key over two parts", parts(["AKIA01234", "56789ABCDEF"])),
        ("a line of its own", message("a\ninternal only\nb")),
        ("a value of its own", parts(["a", "internal only", "b"])),
    ]

    private func look(_ body: String, _ rules: [LeakRule] = rules) throws -> [LeakScreen.Finding] {
        let screen = try #require(try LeakScreen(rules))
        return screen.look(Array(body.utf8).withUnsafeBytes { RequestTexts($0) })
    }

    @Test("is found however it is written", arguments: hidden)
    func found(_ description: String, _ body: String) throws {
        #expect(try JSONParser.parse(body) != .null)
        #expect(try look(body).first?.blocks == true)
    }

    static let harmless: [(String, String)] = [
        ("a part of it", message("Falcon-9 Heron")), ("a key that is too short", message("AKIA0123456789ABCDE")),
        ("words around it", message("this is internal only to us")),
        ("nothing", #"{"model":"claude-1","messages":[]}"#),
        ("its letters in another order", message("Plan+2031 Falcon-9 Heron/")),
    ]

    @Test("nothing is found where nothing is", arguments: harmless)
    func notFound(_ description: String, _ body: String) throws {
        #expect(try look(body).isEmpty)
    }

    @Test(
        "each pattern that has a name finds what it is for, and nothing else",
        arguments: [
            ("aws-access-key", "ASIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7"),
            ("private-key", "-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----"),
            ("private-key", "-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----BEGIN CERTIFICATE-----"),
            ("private-key", "-----BEGIN PRIVATE KEY-----", "PRIVATE KEY"),
            ("github-token", "ghp_" + String(repeating: "a1B2", count: 9), "ghp_short"),
            ("github-token", "github_pat_" + String(repeating: "A", count: 22), "github_pattern"),
            ("gitlab-token", "glpat-" + String(repeating: "x", count: 20), "glpat-x"),
            ("slack-token", "xoxb-1234567890-abc", "xoxo-hugs"), ("slack-token", "xapp-1-A012345678", "xapp-1"),
            ("google-api-key", "AIza" + String(repeating: "Q", count: 35), "AIzaQQQ"),
            ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz", "eyJhbGciOiJIUzI1NiJ9.abc.def"),
        ])
    func known(_ name: String, _ hit: String, _ miss: String) throws {
        let known = try #require(LeakRule.known.first { $0.name == name })
        let rules = [LeakRule(id: name, .pattern(known.pattern), blocks: true, layer: "org")]
        #expect(try look(Self.message("a \(hit) b"), rules).map(\.rule) == [name])
        #expect(try look(Self.message("a \(miss) b"), rules).isEmpty)
    }

    @Test("patterns that are slow elsewhere are not slow here, and a text that is too much for one is refused")
    func catastrophic() throws {
        let rules = ["(a+)+$", "(a|aa)+b", "(.*)(.*)(.*)(.*)x{3}y", "([a-z]+)*1"].enumerated().map {
            LeakRule(id: "p\($0)", .pattern($1), blocks: true, layer: "org")
        }
        let body = Self.message(String(repeating: "a", count: 5_000) + "!")
        let begun = ContinuousClock.now
        #expect(try look(body, rules).allSatisfy { !$0.isUnknown })
        #expect(begun.duration(to: .now) < .seconds(60))
        // Any of the last characters may count: more states than there is room for.
        let many = "zABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#%&=~:;<>@"
        let wide = [LeakRule(id: "wide", .pattern("a[ab]{15}c|\(many)"), blocks: true, layer: "org")]
        var random = SystemRandomNumberGenerator()
        let noise = String((0..<60_000).map { _ in Bool.random(using: &random) ? "a" : "b" })
        let screen = try #require(try LeakScreen(wide, effort: 1 << 20))
        let findings = screen.look(Array(Self.message(noise).utf8).withUnsafeBytes { RequestTexts($0) })
        #expect(findings.first?.isUnknown == true)
        #expect(findings.first?.refusal.reason.contains("could not be looked through") == true)
    }

    @Test("a pair of surrogates, a lone one and broken escapes are no way around the decoder")
    func decoder() {
        func joined(_ json: String) -> String {
            let texts = Array(json.utf8).withUnsafeBytes { RequestTexts($0) }
            return String(decoding: texts.joined, as: UTF8.self)
        }
        #expect(joined(#"["\ud83d\ude00\n\/\"\\"]"#) == "😀\n/\"\\")
        #expect(joined(#"["a\ud83db"]"#) == "a\u{FFFD}b")
        #expect(joined(#"["a\uZZZZb"]"#) == "a\u{FFFD}b")
        #expect(joined(#"["a","b",{"text":"c","type":"d","n":[1,"e"]}]"#) == "abce")
        for cut in ["[\"", "[\"\\", "[\"\\u", "[\"\\u12", "[\"a"] { _ = joined(cut) }
    }

    // MARK: The proxy

    @Test("a request that has it never reaches the provider; the refusal names the rule, and nobody repeats the text")
    func blocks() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, edit: { $0.leaks = Self.rules })
        for (path, key) in [
            ("/v1/messages", "x-api-key: \(LiveProxy.anthropic)"),
            ("/v1/chat/completions", "Authorization: Bearer \(LiveProxy.openai)"),
        ] {
            let body = Self.parts(["Falcon-9 He", "ron/Plan+2031"])
                .replacing("claude-1", with: path == "/v1/messages" ? "claude-1" : "gpt-1")
            let answer = try proxy.ask(path, key: key, body: body)
            #expect(answer.status == 403)
            #expect(answer.json?["aibox"]?["rule"]?.stringValue == "llm.dlp:falcon")
            #expect(answer.json?["aibox"]?["layer"]?.stringValue == "team")
            #expect(answer.json?["error"] != nil)
            #expect(!answer.text.contains("Heron") && !answer.text.contains("ron/Plan"))
        }
        #expect(upstream.connections == 0)
        let events = proxy.audit.of(.llmRequest)
        #expect(events.map(\.outcome) == [.denied, .denied])
        #expect(events.allSatisfy { $0.severity == .high && $0.details["dlp"] == ["falcon": 1] })
        #expect(events.allSatisfy { !JSONValue.object($0.details).text.contains("Heron") })
    }

    @Test("what is only reported passes, and stands in the log with its rule")
    func reports() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, edit: { $0.leaks = Self.rules })
        #expect(try proxy.ask(body: Self.message("ACME-123456 and ACME-654321")).status == 200)
        #expect(try proxy.ask(body: Self.message("nothing")).status == 200)
        #expect(upstream.contents.count == 2)
        let events = proxy.audit.of(.llmRequest)
        #expect(events.map(\.severity) == [.high, nil])
        #expect(events.map(\.outcome) == [.allowed, .allowed])
        #expect(events.first?.details["dlp"] == ["ticket": 2])
    }

    @Test("header fields, a model's name in the path and a query are no way out either")
    func elsewhere() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let canary = LeakRule(id: "c", .canary("heron-plan-2031"), blocks: true, layer: "org")
        let proxy = try LiveProxy(upstream, edit: { $0.leaks = [canary] })
        #expect(try proxy.ask(fields: "User-Agent: heron-plan-2031\r\n").status == 403)
        #expect(try proxy.ask("/v1/models/heron-plan-2031", method: "GET").status == 403)
        #expect(try proxy.ask("/v1/models?after_id=heron-plan-2031", method: "GET").status == 403)
        #expect(try proxy.ask("/v1/messages/count_tokens", body: Self.message("heron-PLAN-2031")).status == 403)
        #expect(upstream.connections == 0)
    }

    @Test("at the end of the largest body it is found as well, and other requests go on meanwhile")
    func large() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream, edit: { $0.leaks = [Self.rules[0]] })
        let filler = String(repeating: "lorem ipsum \\u0061 ", count: (31 << 20) / 20)
        let body =
            #"{"model":"claude-1","system":"\#(filler)","messages":[{"role":"user","content":"\#(Self.canary)"}]}"#
        let client = try proxy.client()
        client.ask("/v1/messages", key: "x-api-key: \(LiveProxy.anthropic)", body: body)
        #expect(try proxy.ask().status == 200)
        let answer = try #require(client.answer())
        #expect(answer.status == 403)
        #expect(upstream.contents.count == 1)
    }

    @Test("a plan's rules hold from the next request on, and survive the way to the proxy")
    func plan() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        var sent: BrokerPlan?
        let proxy = try LiveProxy(upstream, edit: { sent = $0 })
        #expect(try proxy.ask(body: Self.message(Self.canary)).status == 200)
        var plan = try #require(sent)
        plan.leaks = Self.rules
        let read = try BrokerPlan(json: plan.json)
        #expect(read == plan)
        try proxy.use(read)
        #expect(try proxy.ask(body: Self.message(Self.canary)).status == 403)
    }
}
