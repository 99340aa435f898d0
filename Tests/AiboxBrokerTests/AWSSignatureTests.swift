import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxBroker

@Suite("Signed requests of AWS")
struct AWSSignatureTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var key: String
        var region: String
        var service = "bedrock"
        var method = "POST"
        var host: String
        var path: String
        var body = ""
        var second: Int64 = 1_767_323_045
        var signature: String
    }

    private static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    /// The first is `get-vanilla` of AWS's published test suite for Signature Version 4; the others are what botocore's `SigV4Auth`
    /// signs.
    static let vectors: [Vector] = [
        Vector(
            testDescription: "get-vanilla", key: "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            region: "us-east-1", service: "service", method: "GET", host: "example.amazonaws.com", path: "/",
            second: 1_440_938_160, signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            testDescription: "a model whose name is escaped", key: "AKIAIOSFODNN7EXAMPLE:\(secret)",
            region: "us-east-1", host: "bedrock-runtime.us-east-1.amazonaws.com",
            path: "/model/anthropic.claude-v2%3A1/invoke", body: #"{"max_tokens":9}"#,
            signature: "1623a30da4667258848a95f736439289730e4468510d1d5ddfeec21c6ec7e1c0"),
        Vector(
            testDescription: "a session, and an ARN", key: "ASIAIOSFODNN7EXAMPLE:\(secret):IQoJb3JpZ2luX2VjEXAMPLE/+==",
            region: "eu-west-1", host: "bedrock-runtime.eu-west-1.amazonaws.com",
            path: "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Fx/converse-stream",
            signature: "5eb9c4e79cd2611a2a56eeb0c5bea80d7f7a369d96bff33388061b675e8fc3c1"),
    ]

    @Test("as AWS publishes it, and as botocore signs", arguments: vectors)
    func signs(_ vector: Vector) throws {
        let parts = vector.key.split(separator: ":").map(String.init)
        var key = try #require(AWSKey("AKIA0:x"))
        (key.id, key.secret, key.token) = (parts[0], parts[1], parts.count > 2 ? parts[2] : nil)
        let signature = AWSSignature(key: key, region: vector.region, service: vector.service)
        let fields = try Array(vector.body.utf8).withUnsafeBytes { body in
            try signature.fields(
                method: vector.method, host: vector.host, path: vector.path, body: body, second: vector.second)
        }
        #expect(fields.first?.value.hasSuffix("Signature=\(vector.signature)") == true, "\(fields)")
        #expect(fields.count == (key.token == nil ? 2 : 3))
    }

    @Test(
        "a key has an id, a secret and perhaps a session's token",
        arguments: [
            ("AKIAX:s", true), ("ASIAX:s:t", true), ("AKIAX", false), ("AKIAX:", false), ("AKIAX:s:", false),
            ("AKIAX:s:t:u", false), ("ABSKQmVkcm9jaw==", false), ("bedrock-api-key-x:y", false),
        ])
    func keys(_ text: String, _ isKey: Bool) { #expect((AWSKey(text) != nil) == isKey) }

    private static let surrogate = "Authorization: Bearer \(LiveProxy.anthropic)"
    private static let key = "ASIAIOSFODNN7EXAMPLE:\(secret):session-token-of-the-lab"
    private static let host = "bedrock-runtime.eu-west-1.amazonaws.com"

    private func proxy(_ upstream: ScriptedUpstream, key: String, host: String = host) throws -> LiveProxy {
        try LiveProxy(
            upstream,
            edit: { plan in
                plan.grants.removeLast()
                plan.grants[0].secret = key
                plan.grants[0].base = "bedrock+http://\(host):\(upstream.port)"
                plan.names = [.init(name: host, addresses: ["127.0.0.1"])]
            })
    }

    @Test("a request is signed by the proxy, and neither secret nor session comes back in an answer")
    func signed() throws {
        let secret = Self.secret
        let upstream = try ScriptedUpstream.answering { _, _ in
            ScriptedUpstream.json(#"{"a":"\#(secret)","b":"session-token-of-the-lab"}"#)
        }
        let proxy = try proxy(upstream, key: Self.key)
        let answer = try proxy.ask("/model/claude-v2:1/invoke", key: Self.surrogate, body: #"{"max_tokens":9}"#)
        #expect(answer.status == 200 && !answer.text.contains(secret) && !answer.text.contains("session-token"))
        let head = try #require(upstream.requests.first)
        let lines = head.split(separator: "\r\n").map(String.init)
        let time = try #require(lines.first { $0.hasPrefix("X-Amz-Date: ") }).dropFirst(12)
        #expect(lines.contains("X-Amz-Security-Token: session-token-of-the-lab"))
        let signing =
            "Credential=ASIAIOSFODNN7EXAMPLE/\(time.prefix(8))/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="
        #expect(head.contains(signing) && !head.contains(secret) && !head.contains("Bearer"), "\(head)")
    }

    @Test(
        "a key of AWS's that nothing would sign with is no plan: it would go out as it is", arguments: ["", "azure+"])
    func shown(_ style: String) throws {
        let upstream = try ScriptedUpstream.answering { _, _ in ScriptedUpstream.json("{}") }
        func proxy(_ secret: String) throws -> LiveProxy {
            try LiveProxy(
                upstream,
                edit: { plan in
                    plan.grants.removeFirst(style.isEmpty ? 0 : 1)
                    plan.grants[0].secret = secret
                    for index in plan.grants.indices {
                        plan.grants[index].base = style + "http://127.0.0.1:\(upstream.port)"
                    }
                })
        }
        _ = try proxy("a-key-of-its-own")
        for key in [Self.key, "AKIAIOSFODNN7EXAMPLE:\(Self.secret)"] {
            #expect(throws: AiboxError.self) { _ = try proxy(key) }
        }
        // The parts are secret whoever gets it.
        let grant = BrokerPlan.Grant(name: "a", api: .anthropic, surrogate: "s", secret: Self.key)
        #expect(grant.secrets == [Self.key, Self.secret, "session-token-of-the-lab"])
        // A key that takes another one's place is taken back instead.
        let plan = BrokerPlan(grants: [grant], models: [])
        let base = BrokerPlan.API.anthropic.standardBase
        for (secret, count) in [(Self.key, 0), ("a-key-of-its-own", 1)] {
            let change = CredentialChange(name: "a", key: .init(secret: secret, base: base))
            #expect(plan.after(change, now: 0, lifetimes: [:]).grants.count == count)
        }
    }

    @Test("a key that is half one, and a server whose name tells no region, are no plan")
    func unfit() throws {
        let upstream = try ScriptedUpstream.answering { _, _ in "" }
        #expect(throws: AiboxError.self) { _ = try proxy(upstream, key: "AKIAIOSFODNN7EXAMPLE") }
        #expect(throws: AiboxError.self) { _ = try proxy(upstream, key: Self.key, host: "llm.example.org") }
    }
}
