import AiboxAudit
import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxBroker

/// A key that is another place's or nobody's: a finding beside the refusal, and the gateway hears of it.
@Suite("Keys where they do not belong")
struct MisuseTests {
    static let stranger = "sk-ant-aibox-" + String(repeating: "0011223344556677", count: 4)

    private func heard(_ proxy: LiveProxy, _ text: String) -> Bool {
        eventually { proxy.misuses.contains { $0.contains(text) } }
    }

    static let keys: [(what: String, key: String, fields: String, subject: String, shown: String)] = [
        ("another sandbox's", "x-api-key: \(stranger)", "", "llm", stranger),
        ("nobody's", "x-api-key: sk-ant-own-login-1234", "", "llm", "sk-ant-own-login-1234"),
        ("a user's login", "Authorization: Bearer eyJhbGciOi.x.y", "", "llm", "eyJhbGciOi.x.y"),
        ("of the other API", "x-api-key: \(LiveProxy.openai)", "", "llm-api-key:openai", LiveProxy.openai),
        (
            "in another header", "x-api-key: \(LiveProxy.anthropic)", "x-goog-api-key: \(LiveProxy.anthropic)\r\n",
            "llm-api-key:anthropic", LiveProxy.anthropic
        ),
    ]

    @Test("at the LLM proxy: 403, one finding without the value, one refused request", arguments: keys)
    func models(what: String, key: String, fields: String, subject: String, shown: String) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        let answer = try proxy.ask(key: key, fields: fields)
        #expect(answer.status == 403 && answer.head.contains("X-Aibox-Rule: llm.credential"), "\(answer.head)")
        #expect(upstream.requests.isEmpty)
        let finding = try #require(proxy.audit.of(.credentialUse).first)
        #expect(proxy.audit.of(.credentialUse).count == 1 && proxy.audit.of(.llmRequest).map(\.outcome) == [.denied])
        #expect(finding.outcome == .denied && finding.severity == .high && finding.subject == subject)
        #expect(finding.details["request"] == proxy.audit.of(.llmRequest).first?.details["request"])
        if shown == Self.stranger {
            #expect(try finding.details["surrogate"] == .string(String(SHA256.digest(shown).hex.prefix(8))))
        }
        for event in proxy.audit.all { #expect(!"\(event)".contains(shown) && event.problems == []) }
        #expect(heard(proxy, "shown to the sandbox's broker") && proxy.misuses.allSatisfy { !$0.contains(shown) })
    }

    @Test("what is refused for other reasons is no finding")
    func others() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        let proxy = try LiveProxy(upstream)
        #expect(try proxy.ask(key: nil).status == 401)
        #expect(try proxy.ask(body: #"{"model":"other"}"#).status == 403)
        #expect(proxy.audit.of(.credentialUse).isEmpty && proxy.misuses.isEmpty)
    }

    @Test(
        "at a git server, a mirror or another place: refused before it is read what is asked for",
        arguments: ["git", "mirror", "custom"])
    func places(kind: String) throws {
        let lab = try MirrorLab(PlaceGrant.Kind(rawValue: kind) ?? .git)
        for (target, fields) in [
            ("/x", "Authorization: Bearer \(LiveProxy.anthropic)\r\n"),
            ("/x", "Authorization: Basic \(Base64.encode(Array("u:\(Self.stranger)".utf8)))\r\n"),
            ("/\(Self.stranger)", ""),
        ] {
            let answer = try lab.ask(target, fields: fields)
            #expect(answer.status == 403 && answer.head.contains("X-Aibox-Rule: \(kind).credential"), "\(answer.head)")
        }
        #expect(lab.mirror.requests.isEmpty)
        let findings = lab.proxy.audit.of(.credentialUse)
        #expect(findings.count == 3 && findings.allSatisfy { $0.outcome == .denied && $0.severity == .high })
        #expect(heard(lab.proxy, "shown to the sandbox's broker") && lab.proxy.misuses.count == 3)
        for event in lab.proxy.audit.all { #expect(!"\(event)".contains(Self.stranger) && event.problems == []) }
        // Another credential of the request's own is refused as ever, and ends nothing.
        #expect(try lab.ask("/x", fields: "Authorization: Bearer abc\r\n").status == 403)
        #expect(lab.proxy.misuses.count == 3)
    }
}
