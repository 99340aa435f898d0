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

/// The LLM proxy as the gateway runs it: in the gateway's namespace for the sandbox, outside for everything else.
@Suite("The gateway's LLM proxy", .serialized)
struct GatewayLLMTests {
    static let secret = "sk-canary-" + String(UInt64.random(in: .min ... .max), radix: 36) + "xyz"
    static let surrogate = "sk-ant-aibox-0123456789abcdef0123456789abcdef"

    /// A plan with the one key for a provider.
    static func plan(_ provider: LabProvider, _ limits: BrokerPlan.Limits = .init()) -> BrokerPlan {
        BrokerPlan(
            grants: [
                .init(
                    name: "llm-api-key:anthropic", api: .anthropic, surrogate: surrogate, secret: secret,
                    base: "http://127.0.0.1:\(provider.port)")
            ], models: ["claude-*"], limits: limits, targets: ["127.0.0.1/32"])
    }

    func ask(_ gateway: LiveGateway, key: String = surrogate, model: String = "claude-lab") throws -> String {
        // While the door is closed there is nothing but an exit status.
        try SystemCommandRunner().run(
            gateway.inBox(
                "curl",
                [
                    "-s", "-m", "10", "-w", " %{http_code}", "-H", "x-api-key: \(key)", "-d",
                    #"{"model":"\#(model)","max_tokens":5}"#, "http://10.200.1.1:8443/v1/messages",
                ]), timeout: .seconds(30)
        ).text
    }

    func proxies(of gateway: LiveGateway) -> [Int32] {
        ((try? Folder.names("/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
            ProcessTable.parent(of: pid) == gateway.ready.pid && ProcessTable.isAlive(pid)
                && ((try? File.text("/proc/\(pid)/comm")) ?? "").hasPrefix("aibox-llm-proxy")
        }
    }

    @Test(
        "asks with the real key, which is nowhere inside, on no command line, in no log; its port is closed without a key"
    )
    func asks() throws {
        let provider = try LabProvider()
        do {
            // The control: no key, no door.
            let gateway = try LiveGateway(name: "nokey", plan: EgressPlan())
            try gateway.client.serving()
            let result = try SystemCommandRunner().run(
                gateway.inBox("curl", ["-s", "-m", "5", "http://10.200.1.1:8443/"]))
            let status = result.termination.status
            #expect(status == 7)
        }
        let gateway = try LiveGateway(name: "llm", plan: EgressPlan(), llm: Self.plan(provider))
        try gateway.client.serving()
        let answer = try ask(gateway)
        #expect(answer.hasSuffix(" 200") && answer.contains("hello"), "\(answer)")
        #expect(provider.log.contains("\"x-api-key\": \"\(Self.secret)\""))
        #expect(!provider.log.contains(Self.surrogate))
        #expect(try ask(gateway, key: "sk-ant-foreign").hasSuffix(" 403"))
        #expect(try ask(gateway, model: "other").hasSuffix(" 403"))
        let echo = try ask(gateway, model: "claude-echo")
        #expect(echo.hasSuffix(" 401") && echo.contains("***") && !echo.contains(Self.secret), "\(echo)")
        let proxy = try #require(proxies(of: gateway).first)
        for pid in [proxy, gateway.ready.pid, gateway.holderPid] {
            for file in ["cmdline", "environ"] {
                let text = (try? File.text("/proc/\(pid)/\(file)")) ?? ""
                #expect(!text.contains(Self.secret))
            }
            let limits = (try? File.text("/proc/\(pid)/limits")) ?? ""
            if pid == proxy, !limits.isEmpty {
                let line = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") } ?? ""
                #expect(line.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
            }
        }
        let status = (try? File.text("/proc/\(proxy)/status")) ?? ""
        #expect(status.contains("CapEff:\t0000000000000000") && status.contains("Seccomp:\t2"))
        #expect(!gateway.log.contains(Self.secret))
        #expect(eventually { (try? gateway.events("llm.response").count) == 2 })
        let events = try gateway.events().map { String(decoding: $0.line, as: UTF8.self) }.joined()
        #expect(!events.contains(Self.secret) && !events.contains(Self.surrogate))
        let outcomes = try gateway.events("llm.request").map(\.outcome)
        #expect(outcomes == ["allowed", "denied", "denied", "allowed"])
        #expect(try gateway.events("llm.request").allSatisfy { $0.source == "aibox-llm-proxy" })
    }

    @Test(
        "one that is killed is missed, closed out and started again, and knows what was spent; with the gateway it dies"
    )
    func killed() throws {
        let provider = try LabProvider()
        let gateway = try LiveGateway(name: "llmkill", plan: EgressPlan(), llm: Self.plan(provider, .init(tokens: 40)))
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        #expect(eventually { (try? gateway.events("llm.response").count) == 1 })
        // The count is on its way to the gateway.
        usleep(200_000)
        let first = try #require(proxies(of: gateway).first)
        kill(first, SIGKILL)
        #expect(eventually { proxies(of: gateway).contains { $0 != first } })
        #expect(eventually { (try? ask(gateway).hasSuffix(" 200")) == true })
        // 15 and 15 of 40 are spent: what a request may take is more than what is left.
        #expect(try ask(gateway).hasSuffix(" 429"))
        #expect(try gateway.events("gateway.cutoff").contains { $0.json["details"]?["layer"] == "llm-proxy" })
        let second = try #require(proxies(of: gateway).first)
        kill(gateway.ready.pid, SIGKILL)
        #expect(eventually { !ProcessTable.isAlive(second) })
    }

    @Test("SIGHUP has it read its plan again, and it goes on serving as the process that it is") func hangUp() throws {
        let provider = try LabProvider()
        let gateway = try LiveGateway(name: "llmhup", plan: EgressPlan(), llm: Self.plan(provider))
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        let proxy = try #require(proxies(of: gateway).first)
        for count in 1...3 {
            kill(proxy, SIGHUP)
            #expect(
                eventually { gateway.log.split(separator: "LLM proxy reads its plan again").count == count + 1 })
            #expect(try ask(gateway).hasSuffix(" 200"))
        }
        #expect(proxies(of: gateway) == [proxy])
        #expect(try gateway.events("gateway.cutoff").isEmpty)
    }

    @Test("another sandbox's key is a finding, and ends the session where the policy says so") func misuse() throws {
        let provider = try LabProvider()
        let gateway = try LiveGateway(name: "llmmisuse", plan: EgressPlan(), llm: Self.plan(provider)) {
            $0.endsOnMisuse = true
        }
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        #expect(try gateway.client.status().cutOff == nil)
        let stranger = "sk-ant-aibox-" + String(repeating: "ab", count: 32)
        _ = try ask(gateway, key: stranger)
        #expect(eventually { (try? gateway.client.status().cutOff) != nil })
        #expect(try gateway.client.status().cutOff?.contains("credentials.on_misuse") == true)
        #expect(eventually { (try? gateway.events("gateway.cutoff").count) == 1 })
        let events = try gateway.events()
        let finding = try #require(events.firstIndex { $0.type == "credential.use" && $0.outcome == "denied" })
        let cut = try #require(events.firstIndex { $0.type == "gateway.cutoff" })
        #expect(finding < cut && events[finding].source == "aibox-llm-proxy")
        #expect(!events.contains { String(decoding: $0.line, as: UTF8.self).contains(stranger) })
        #expect(provider.log.split(separator: "\n").count == 1)
    }

    @Test("a full disk: no model is asked, and once there is room it is again") func fullDisk() throws {
        let provider = try LabProvider()
        let holder = try TemporaryFolder(prefix: "aibox-disk")
        let disk = try SmallDisk(holder.path + "/audit")
        let gateway = try LiveGateway(name: "llmdisk", plan: EgressPlan(), llm: Self.plan(provider)) { settings in
            settings.audit = .init(
                folder: disk.folder, checkpoints: settings.audit.checkpoints, session: "test")
        }
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        let writers = (gateway.ready.pid, try #require(proxies(of: gateway).first))
        try disk.fill(writers.0, writers.1)
        // The file's last page may have room for a few events more.
        let answers = try (0..<12).map { _ in try ask(gateway) }
        #expect(answers.suffix(6).allSatisfy { $0.hasSuffix(" 503") && $0.contains("audit") }, "\(answers)")
        let asked = provider.log.split(separator: "\n").count
        #expect(try ask(gateway).hasSuffix(" 503"))
        #expect(provider.log.split(separator: "\n").count == asked, "no audit, no action")
        try disk.free(writers.0, writers.1)
        #expect(eventually { (try? ask(gateway).hasSuffix(" 200")) == true })
        try gateway.process.stop()
        let finding = try AuditVerifier(folder: disk.folder).run().finding
        #expect(finding == nil)
    }

    /// A gateway that lends a credential for a git server that the list opens.
    private func lending(_ server: LabGitServer, _ name: String, _ authority: String) throws -> LiveGateway {
        let grant = PlaceGrant(
            .git,
            name: "git-token:lab", host: LabGitServer.name, port: server.port,
            value: "Basic " + Base64.encode(Array("x-access-token:\(server.secret)".utf8)), secret: server.secret)
        let rule = AllowRuleSource(id: "git", hosts: [LabGitServer.name], ports: [Int(server.port)])
        return try LiveGateway(
            name: name, plan: EgressPlan(allow: [rule]),
            llm: BrokerPlan(
                places: [grant], targets: ["127.0.0.1/32"],
                names: [.init(name: LabGitServer.name, addresses: ["127.0.0.1"])], authorities: [authority]))
    }

    /// The status of git's first request, and what was said.
    private func listRefs(_ gateway: LiveGateway, _ server: LabGitServer) throws -> String {
        let url = "http://10.200.1.1:8443/git/\(LabGitServer.name):\(server.port)/team/x.git/info/refs"
        return try SystemCommandRunner().run(
            gateway.inBox(
                "curl",
                ["-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", url + "?service=git-upload-pack"]),
            timeout: .seconds(30)
        ).text
    }

    @Test("a git credential goes with its host from the list, at once") func followsTheList() throws {
        let server = try LabGitServer()
        let gateway = try lending(server, "gitlist", server.certificate)
        try gateway.client.serving()
        #expect(try listRefs(gateway, server) == "200")
        try gateway.client.change(NetworkChange(.deny, host: LabGitServer.name, seconds: nil))
        let asked = server.requests.count
        #expect(try listRefs(gateway, server) == "403")
        #expect(server.requests.count == asked)
    }

    @Test("a proxy that cannot take its new plan ends rather than keep what is in the old one")
    func cannotFollow() throws {
        let server = try LabGitServer()
        let folder = try TemporaryFolder(prefix: "aibox-authority")
        let authority = try folder.write("ca.pem", try File.text(server.certificate))
        let gateway = try lending(server, "gitgone", authority)
        try gateway.client.serving()
        #expect(try listRefs(gateway, server) == "200")
        let first = try #require(proxies(of: gateway).first)
        try File.remove(authority)
        try gateway.client.change(NetworkChange(.deny, host: LabGitServer.name, seconds: nil))
        let asked = server.requests.count
        #expect(try listRefs(gateway, server) != "200")
        #expect(eventually { !ProcessTable.isAlive(first) })
        #expect(server.requests.count == asked)
    }

    @Test("a key that is replaced is used at once; one that is taken back ends what is under way, and is worth nothing")
    func changed() throws {
        let provider = try LabProvider()
        let gateway = try LiveGateway(name: "llmnew", plan: EgressPlan(), llm: Self.plan(provider))
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        let name = "llm-api-key:anthropic"
        let base = "http://127.0.0.1:\(provider.port)"
        #expect(
            try !gateway.client.change(CredentialChange(name: "llm-api-key:openai", key: .init(secret: "12345678"))))
        #expect(throws: AiboxError.self) {
            try gateway.client.change(CredentialChange(name: name, key: .init(secret: "short", base: base)))
        }
        #expect(try ask(gateway).hasSuffix(" 200"), "what cannot be used changes nothing")

        // A renewal is no event; one that brings another secret is, whatever it says of itself.
        let now = Timestamp.now.seconds
        func renew(_ secret: String, until: Int64, note: String? = nil) throws -> Bool {
            try gateway.client.change(
                CredentialChange(
                    name: name, key: .init(secret: secret, base: base), lease: .init(until: until, note: note)))
        }
        #expect(try renew(Self.secret, until: now - 1, note: "Vault has not answered since 12:00"))
        let over = try ask(gateway)
        #expect(over.contains("Vault has not answered since 12:00") && !over.hasSuffix(" 200"), "\(over)")
        #expect(try renew(Self.secret, until: now + 600) && ask(gateway).hasSuffix(" 200"))
        #expect(try gateway.events("credential.rotate").isEmpty)
        #expect(try renew(Self.secret + "x", until: now + 600))
        #expect(try gateway.events("credential.rotate").count == 1)

        let next = "sk-canary-next-" + String(UInt64.random(in: .min ... .max), radix: 36)
        #expect(try gateway.client.change(CredentialChange(name: name, key: .init(secret: next, base: base))))
        #expect(try ask(gateway).hasSuffix(" 200"))
        #expect(provider.log.contains("\"x-api-key\": \"\(next)\""))
        let first = try #require(proxies(of: gateway).first)
        kill(first, SIGKILL)
        #expect(eventually { proxies(of: gateway).contains { $0 != first } })
        let before = provider.log.split(separator: Self.secret).count
        #expect(eventually { (try? ask(gateway).hasSuffix(" 200")) == true })
        #expect(provider.log.split(separator: Self.secret).count == before, "nor does the next proxy know the old key")

        #expect(try gateway.client.change(CredentialChange(name: name)))
        #expect(try ask(gateway).hasSuffix(" 403"))
        #expect(try !gateway.client.change(CredentialChange(name: name)))
        #expect(try gateway.events("credential.rotate").count == 2)
        #expect(try gateway.events("credential.revoke").count == 1)
        let events = try gateway.events().map { String(decoding: $0.line, as: UTF8.self) }.joined()
        #expect(!events.contains(next) && !gateway.log.contains(next))
    }

    @Test(
        "the organisation's own Rego forbids a model that the document permits: nothing is asked, and both logs say why"
    )
    func rego() throws {
        let provider = try LabProvider()
        let own = """
            package aibox.org

            deny contains {"rule": "no-tools", "reason": "models without tools only"} if {
            	input.action == "llm"
            	input.request.tools
            }

            deny contains {"rule": "no-echo", "reason": sprintf("%s repeats", [input.request.model])} if {
            	input.action == "llm"
            	input.request.model == "claude-echo"
            	input.request.endpoint == "/v1/messages"
            	input.request.provider == "127.0.0.1"
            	input.request.stream == false
            	input.sandbox.name == "llmrego"
            }
            """
        let gateway = try LiveGateway(name: "llmrego", plan: EgressPlan(), llm: Self.plan(provider)) {
            $0.decisions = try LiveGateway.decisions(own: own)
        }
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        for _ in 0..<2 {
            let refused = try ask(gateway, model: "claude-echo")
            #expect(refused.hasSuffix(" 403") && refused.contains("no-echo") && refused.contains("claude-echo repeats"))
        }
        #expect(!provider.log.contains("claude-echo"))
        let events = try gateway.events()
        let decisions = events.filter { $0.json["details"]?["action"]?.stringValue == "llm" }
        // Each is decided once: the answer stands for as long as the policy does.
        #expect(decisions.map(\.type) == ["policy.allow", "policy.deny"])
        #expect(decisions.map(\.subject) == ["claude-lab", "claude-echo"])
        let refusal = decisions.last?.json["details"]
        #expect(refusal?["rule"]?.stringValue == "no-echo")
        #expect(refusal?["origin"]?.stringValue?.hasPrefix("own.rego:") == true)
        #expect(refusal?["question"]?["request"]?["model"]?.stringValue == "claude-echo")
        #expect(refusal?["input"]?.stringValue?.count == 64 && refusal?["policies"]?.stringValue?.count == 64)
        let requests = events.filter { $0.type == "llm.request" }
        #expect(requests.map(\.outcome) == ["allowed", "denied", "denied"])
    }

    @Test("the day's limit counts all sandboxes of the user, and survives the end of proxy and gateway")
    func day() throws {
        let provider = try LabProvider()
        let place = try TemporaryFolder(prefix: "aibox-ledger")
        func gateway(_ name: String) throws -> LiveGateway {
            let gateway = try LiveGateway(
                name: name, plan: EgressPlan(), llm: Self.plan(provider, BrokerPlan.Limits(dailyTokens: 20))
            ) { $0.ledger = place.path + "/ledger" }
            try gateway.client.serving()
            return gateway
        }
        let first = try gateway("dayone")
        #expect(try ask(first).hasSuffix(" 200"))
        let refused = try ask(first)
        #expect(refused.hasSuffix(" 429") && refused.contains("llm.daily_tokens"), "\(refused)")
        let second = try gateway("daytwo")
        #expect(try ask(second).hasSuffix(" 429"))
        let proxy = try #require(proxies(of: second).first)
        kill(proxy, SIGKILL)
        #expect(eventually { self.proxies(of: second).contains { $0 != proxy } })
        #expect(eventually { (try? ask(second))?.hasSuffix(" 429") == true })
        // Nobody knows what was spent: nothing is sent.
        try File.replace(place.path + "/ledger", with: "nonsense")
        let third = try gateway("daythree")
        let unknown = try ask(third)
        #expect(unknown.hasSuffix(" 429") && unknown.contains("llm.ledger"))
        #expect(provider.log.split(separator: "\n").count == 1)
    }

    @Test("what requests cost that a proxy told of before it died counts, and not what was taken for them")
    func settledByTheDead() throws {
        let provider = try LabProvider()
        let place = try TemporaryFolder(prefix: "aibox-ledger")
        let gateway = try LiveGateway(
            name: "llmsettle", plan: EgressPlan(), llm: Self.plan(provider, BrokerPlan.Limits(dailyTokens: 100_000))
        ) { $0.ledger = place.path + "/ledger" }
        try gateway.client.serving()
        func command(_ model: String, _ tokens: Int) -> Command {
            gateway.inBox(
                "curl",
                [
                    "-s", "-m", "20", "-w", " %{http_code}", "-H", "x-api-key: \(Self.surrogate)", "-d",
                    #"{"model":"\#(model)","max_tokens":\#(tokens),"stream":true}"#,
                    "http://10.200.1.1:8443/v1/messages",
                ])
        }
        let clients = try (0..<2).map { _ in
            try ChildProcess.start(command("claude-slow", 40_000), descriptors: [-1, -1, -1])
        }
        let isSent = eventually { provider.log.split(separator: "\n").count == 2 }
        let proxy = try #require(proxies(of: gateway).first)
        kill(gateway.ready.pid, SIGSTOP)
        defer { kill(gateway.ready.pid, SIGCONT) }
        try #require(isSent && eventually { ProcessTable.isStopped(gateway.ready.pid) })
        for client in clients { _ = try client.wait() }
        usleep(300_000)
        kill(proxy, SIGKILL)
        #expect(eventually { !ProcessTable.isAlive(proxy) })
        kill(gateway.ready.pid, SIGCONT)
        #expect(eventually { self.proxies(of: gateway).contains { $0 != proxy } })
        let answer = { try SystemCommandRunner().run(command("claude-lab", 90_000), timeout: .seconds(30)).text }
        var said = ""
        // Closed until the next proxy serves.
        #expect(
            eventually {
                said = (try? answer()) ?? ""
                return !said.hasSuffix(" 000")
            })
        #expect(said.hasSuffix(" 200"), "\(said)")
    }

    @Test("a sandbox's own limit of a day counts it alone, and outlives it")
    func dayOfSandbox() throws {
        let provider = try LabProvider()
        let place = try TemporaryFolder(prefix: "aibox-ledger")
        func gateway(_ name: String, ledger: Bool = true) throws -> LiveGateway {
            let gateway = try LiveGateway(
                name: name, plan: EgressPlan(), llm: Self.plan(provider, BrokerPlan.Limits(sandboxDailyTokens: 20))
            ) {
                $0.ledger = place.path + "/ledger"
                if ledger { $0.sandboxLedger = place.path + "/own/" + name }
            }
            try gateway.client.serving()
            return gateway
        }
        do {
            let first = try gateway("ownone")
            #expect(try ask(first).hasSuffix(" 200"))
            let refused = try ask(first)
            #expect(refused.hasSuffix(" 429") && refused.contains("llm.sandbox_daily_tokens"), "\(refused)")
        }
        #expect(try ask(try gateway("ownone")).hasSuffix(" 429"))
        #expect(try ask(try gateway("owntwo")).hasSuffix(" 200"))
        let unknown = try ask(try gateway("ownthree", ledger: false))
        #expect(unknown.hasSuffix(" 429") && unknown.contains("llm.ledger"), "\(unknown)")
        #expect(provider.log.split(separator: "\n").count == 2)
    }

    @Test("inside its walls the proxy keeps content for the one who may read it, and sends nothing that it cannot keep")
    func payloads() throws {
        let provider = try LabProvider()
        let place = try TemporaryFolder(prefix: "aibox-payloads")
        let folder = place.path + "/kept"
        let key = try RecordingKey()
        var plan = Self.plan(provider)
        plan.payloads = .init(folder: folder, recipient: key.recipient.text, masksLeaks: true)
        let gateway = try LiveGateway(name: "llmkept", plan: EgressPlan(), llm: plan)
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        #expect(eventually { (try? gateway.events("llm.response"))?.count == 1 })
        let details = try #require(try gateway.events("llm.response").first).json["details"]
        let id = try #require(details?["payload"]?.stringValue)
        let text = try PayloadText(try RecordingReader("\(folder)/\(id).aiboxrec", key: key))
        #expect(String(decoding: text.request, as: UTF8.self).contains("claude-lab"))
        #expect(String(decoding: text.answer, as: UTF8.self).contains("hello"))
        #expect(text.isComplete && details?["payload_digest"]?.stringValue == text.digest)
        #expect(rename(folder, folder + ".gone") == 0)
        try File.replace(folder, with: "in the way")
        let refused = try ask(gateway)
        #expect(refused.hasSuffix(" 503") && refused.contains("llm.logging"))
        #expect(provider.log.split(separator: "\n").count == 1)
    }

    @Test("policies that cannot be used, and rules that go wrong, refuse every request")
    func broken() throws {
        let request = LLMRequest(
            model: "claude-1", provider: "p", endpoint: "/v1/messages", isStream: false, hasTools: false)
        let plans = [
            DecisionPlan(policy: [:], modules: .null), DecisionPlan(policy: [:], modules: ["nothing": 1]),
            DecisionPlan(policy: [:], modules: try LiveGateway.decisions().modules),
            try LiveGateway.decisions(
                own: "package aibox.org\n\ndeny contains {\"rule\": \"x\"} if undefined_function(1)"),
            try LiveGateway.decisions(own: "package aibox.org\n\ndeny := 1"),
            try LiveGateway.decisions(
                own: """
                    package aibox.org

                    deny contains {"rule": "x", "reason": "y"} if {
                    	input.action == "llm"
                    	to_number(input.request.model) > 1
                    }
                    """),
        ]
        for plan in plans {
            let judge = LLMJudge(plan, user: "u", sandbox: "s")
            let (ruling, event) = judge.judge(request)
            #expect(!ruling.isAllowed && !ruling.reason.isEmpty && !ruling.rule.isEmpty)
            #expect(event.type == .policyDeny && event.outcome == .denied)
        }
        let works = LLMJudge(try LiveGateway.decisions(), user: "u", sandbox: "s")
        #expect(works.judge(request).ruling == .allowed)
        var other = request
        other.model = "other"
        #expect(works.judge(other).ruling.rule == "llm.default")
    }
}
