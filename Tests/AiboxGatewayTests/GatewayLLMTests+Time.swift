import AiboxAudit
import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer
@testable import AiboxGateway

/// What is lent ends with its time, and changes while answers are open.
extension GatewayLLMTests {
    private static let door = "http://10.200.1.1:8443"

    private static func place(_ mirror: LabMirror, expires: Int64? = nil) -> PlaceGrant {
        PlaceGrant(
            .mirror, name: "mirror-token:\(mirror.place)", host: LabMirror.name, port: mirror.port,
            value: "Basic " + Base64.encode(Array("\(mirror.user):\(mirror.secret)".utf8)), secret: mirror.secret,
            expires: expires)
    }

    private static func place(_ server: LabGitServer, expires: Int64?) -> PlaceGrant {
        PlaceGrant(
            .git, name: "git-token:lab", host: LabGitServer.name, port: server.port,
            value: "Basic " + Base64.encode(Array("\(server.user):\(server.secret)".utf8)), secret: server.secret,
            expires: expires)
    }

    private static func open(_ host: String, _ port: UInt16) -> AllowRuleSource {
        AllowRuleSource(id: host, hosts: [host], ports: [Int(port)])
    }

    /// Head and body.
    private func get(_ gateway: LiveGateway, _ path: String) throws -> String {
        try SystemCommandRunner().run(
            gateway.inBox("curl", ["-s", "-i", "-m", "20", Self.door + path]), timeout: .seconds(30)
        ).text
    }

    private func stream(_ gateway: LiveGateway, model: String) throws -> OpenStream {
        let body = #"{"model":"\#(model)","max_tokens":5,"stream":true}"#
        return try OpenStream(
            gateway, ["-H", "x-api-key: \(Self.surrogate)", "-d", body, Self.door + "/v1/messages"])
    }

    @Test("a key, a mirror and a git server that are lent for seconds: refused from then on, and what is open ends")
    func lentForSeconds() throws {
        let (provider, mirror, server) = (try LabProvider(), try LabMirror(), try LabGitServer())
        let end = Timestamp.now.seconds + 14
        var plan = Self.plan(provider)
        plan.grants[0].expires = end
        plan.places = [Self.place(mirror, expires: end), Self.place(server, expires: end)]
        plan.names = [LabMirror.name, LabGitServer.name].map { .init(name: $0, addresses: ["127.0.0.1"]) }
        plan.authorities = [mirror.authority, server.certificate]
        let rules = [Self.open(LabMirror.name, mirror.port), Self.open(LabGitServer.name, server.port)]
        let gateway = try LiveGateway(name: "llmtime", plan: EgressPlan(allow: rules), llm: plan)
        try gateway.client.serving()
        let files = "/mirror/\(mirror.place)"
        let refs = "/git/\(LabGitServer.name):\(server.port)/team/x.git/info/refs?service=git-upload-pack"
        let answer = try stream(gateway, model: "claude-slow-long100")
        let download = try OpenStream(gateway, [Self.door + files + "/endless"])
        #expect(try ask(gateway).hasSuffix(" 200"))
        #expect(try get(gateway, files + "/npm").hasPrefix("HTTP/1.1 404"))
        #expect(try get(gateway, refs).hasPrefix("HTTP/1.1 200"))
        func asked() -> [Int] {
            [provider.log.split(separator: "\n").count, mirror.requests.count, server.requests.count]
        }
        #expect(asked() == [2, 2, 1])
        #expect(answer.end == nil && download.end == nil)
        try #require(Timestamp.now.seconds < end, "the controls came too late to be some")

        #expect(eventually { Timestamp.now.seconds >= end })
        let over = ContinuousClock.now
        let refused = try ask(gateway)
        #expect(refused.hasSuffix(" 401") && refused.contains("credentials.llm_api_key_ttl"), "\(refused)")
        #expect(refused.contains("the time for which the key was lent is over"))
        for (path, field) in [(files + "/npm", "mirror_token_ttl"), (refs, "git_token_ttl")] {
            let refused = try get(gateway, path)
            #expect(refused.hasPrefix("HTTP/1.1 403"), "\(refused)")
            #expect(refused.contains("credentials.\(field)"), "\(refused)")
            #expect(refused.contains("the time for which the credential was lent is over"), "\(refused)")
        }
        #expect(asked() == [2, 2, 1])
        // Five seconds, and what a loaded machine takes on top; by itself the first lasts half a minute, the other a whole.
        #expect(eventually { answer.end != nil && download.end != nil })
        #expect(over.duration(to: .now) < .seconds(10))
        #expect(answer.end == .exited(18) && download.end == .exited(18))
        #expect(!answer.text.contains("message_stop"))

        let why = "the time for which the key was lent is over"
        let models = try gateway.events("llm.response").filter { $0.outcome == "failure" }
        #expect(models.map { $0.json["details"]?["reason"] } == [.string("credentials.llm_api_key_ttl: \(why)")])
        let requests = try gateway.events("llm.request").map(\.outcome)
        #expect(requests == ["allowed", "allowed", "denied"])
        func refusals(_ field: String) -> Int {
            ((try? gateway.events("credential.use")) ?? []).count {
                $0.outcome == "denied" && $0.json["details"]?["reason"]?.stringValue?.hasPrefix(field + ": ") == true
            }
        }
        // The one that was open, and the one that came too late.
        #expect(eventually { refusals("credentials.mirror_token_ttl") == 2 })
        #expect(refusals("credentials.git_token_ttl") == 1)

        // A proxy that takes its place knows the end as well.
        let first = try #require(proxies(of: gateway).first)
        kill(first, SIGKILL)
        #expect(eventually { proxies(of: gateway).contains { $0 != first } })
        #expect(eventually { (try? ask(gateway).hasSuffix(" 401")) == true })
        #expect(try get(gateway, refs).hasPrefix("HTTP/1.1 403"))
        #expect(asked() == [2, 2, 1])
    }

    @Test(
        "a key that is replaced while an answer comes: the answer comes to its end with the old one, the next has the new"
    )
    func replacedUnderway() throws {
        let provider = try LabProvider()
        let gateway = try LiveGateway(name: "llmunder", plan: EgressPlan(), llm: Self.plan(provider))
        try gateway.client.serving()
        let proxy = try #require(proxies(of: gateway).first)
        let answer = try stream(gateway, model: "claude-slow-long50")
        let next = "sk-canary-next-" + String(UInt64.random(in: .min ... .max), radix: 36)
        let base = "http://127.0.0.1:\(provider.port)"
        #expect(
            try gateway.client.change(
                CredentialChange(name: "llm-api-key:anthropic", key: .init(secret: next, base: base))))
        #expect(answer.end == nil)
        #expect(try ask(gateway).hasSuffix(" 200"))
        let keys = provider.log.split(separator: "\n").map { $0.contains(next) ? "new" : "old" }
        #expect(keys == ["old", "new"])
        // A plan that is read again meanwhile ends nothing either.
        kill(proxy, SIGHUP)
        #expect(eventually { gateway.log.split(separator: "LLM proxy reads its plan again").count == 2 })
        #expect(answer.end == nil)
        #expect(eventually(within: .seconds(90)) { answer.end != nil })
        #expect(answer.end == .exited(0) && answer.text.contains("message_stop"), "\(answer.text.suffix(300))")
        #expect(proxies(of: gateway) == [proxy])
        #expect(eventually { (try? gateway.events("llm.response").count) == 2 })
        let ends = try gateway.events("llm.response").map(\.outcome)
        #expect(ends == ["success", "success"])
        #expect(try gateway.events("credential.rotate").count == 1 && gateway.events("gateway.cutoff").isEmpty)
        let written = try gateway.events().map { String(decoding: $0.line, as: UTF8.self) }.joined() + gateway.log
        #expect(!written.contains(next) && !written.contains(Self.secret))
    }

    @Test(
        "aibox auth add and remove reach what runs: a download goes on with the old secret, and ends with the removal")
    func byCommand() throws {
        let mirror = try LabMirror()
        let next = "canary-next-" + String(UInt64.random(in: .min ... .max), radix: 36)
        try mirror.accept([mirror.secret, next])
        let plan = BrokerPlan(
            places: [Self.place(mirror)], targets: ["127.0.0.1/32"],
            names: [.init(name: LabMirror.name, addresses: ["127.0.0.1"])], authorities: [mirror.authority])
        let rules = [Self.open(LabMirror.name, mirror.port)]
        let gateway = try LiveGateway(name: "authadd", plan: EgressPlan(allow: rules), llm: plan)
        try gateway.client.serving()
        let home = try LiveHome(gateway, name: "authadd")
        let files = "/mirror/\(mirror.place)"
        let download = try OpenStream(gateway, [Self.door + files + "/endless"])
        let credential = "mirror-token:\(mirror.place)"

        let added = try home.aibox("auth", "add", credential, "--user", mirror.user, input: next)
        try #require(added.succeeded, "\(added.errorText)")
        #expect(added.text.hasSuffix("In use from now on in authadd."), "\(added.text)")
        let size = download.bytes.count
        #expect(eventually { download.bytes.count > size + 5000 } && download.end == nil)
        #expect(try get(gateway, files + "/api/x").hasPrefix("HTTP/1.1 200"))
        let which = try mirror.requests.map { try JSONParser.parse(Array($0.utf8))["which"]?.elements?.first }
        #expect(which == [.integer(0), .integer(1)])

        let removed = try home.aibox("auth", "remove", credential)
        try #require(removed.succeeded, "\(removed.errorText)")
        #expect(eventually { download.end != nil } && download.end == .exited(18))
        #expect(try get(gateway, files + "/api/x").hasPrefix("HTTP/1.1 403"))
        #expect(mirror.requests.count == 2)
        let types = try gateway.events().map(\.type).filter { ["credential.rotate", "credential.revoke"].contains($0) }
        #expect(types == ["credential.rotate", "credential.revoke"])
        let written = try gateway.events().map { String(decoding: $0.line, as: UTF8.self) }.joined() + gateway.log
        #expect(!written.contains(next) && !written.contains(mirror.secret))
    }
}
