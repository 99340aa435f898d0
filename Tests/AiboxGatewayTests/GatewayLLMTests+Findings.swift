import AiboxAudit
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer
@testable import AiboxGateway

/// What `credentials.on_misuse: stop` promises does not depend on who lives, or on a disk.
extension GatewayLLMTests {
    private static let stranger = "sk-ant-aibox-" + String(repeating: "cd", count: 32)

    @Test("a finding that waits while its proxy is killed is heard, behind all that was said before it")
    func findingOfTheDead() throws {
        let provider = try LabProvider()
        let gateway = try LiveGateway(name: "llmlast", plan: EgressPlan(), llm: Self.plan(provider)) {
            $0.endsOnMisuse = true
        }
        try gateway.client.serving()
        // What the policies say of such a request is known from here on: the proxy needs nobody for the next.
        #expect(try ask(gateway).hasSuffix(" 200"))
        let proxy = try #require(proxies(of: gateway).first)
        kill(gateway.ready.pid, SIGSTOP)
        defer { kill(gateway.ready.pid, SIGCONT) }
        try #require(eventually { ProcessTable.isStopped(gateway.ready.pid) })
        #expect(try ask(gateway).hasSuffix(" 200"))
        #expect(try ask(gateway, key: Self.stranger).hasSuffix(" 403"))
        kill(proxy, SIGKILL)
        #expect(eventually { !ProcessTable.isAlive(proxy) })
        kill(gateway.ready.pid, SIGCONT)
        #expect(eventually { (try? gateway.client.status().cutOff)?.contains("credentials.on_misuse") == true })
        #expect(
            eventually {
                let events = (try? gateway.events("gateway.cutoff")) ?? []
                return events.contains { $0.json["details"]?["layer"] == "credentials" }
            })
        #expect(!gateway.log.contains(Self.stranger))
    }

    @Test(
        "on_misuse: stop with a full disk cuts the sandbox off all the same, and the gateway's log and status say so",
        arguments: ["the broker", "the way out"])
    func findingWithoutLog(where place: String) throws {
        let provider = try LabProvider()
        let holder = try TemporaryFolder(prefix: "aibox-disk")
        let disk = try SmallDisk(holder.path + "/audit")
        let gateway = try LiveGateway(name: "llmfull", plan: EgressPlan(), llm: Self.plan(provider)) { settings in
            settings.audit = .init(folder: disk.folder, checkpoints: settings.audit.checkpoints, session: "test")
            settings.endsOnMisuse = true
        }
        try gateway.client.serving()
        #expect(try ask(gateway).hasSuffix(" 200"))
        try disk.fill(gateway.ready.pid, try #require(proxies(of: gateway).first))
        // The file's last page may have room for a few events more.
        let answers = try (0..<12).map { _ in try ask(gateway) }
        try #require(answers.suffix(3).allSatisfy { $0.hasSuffix(" 503") }, "\(answers)")
        #expect(try gateway.client.status().cutOff == nil, "a full disk alone refuses, and cuts nothing")
        if place == "the broker" {
            _ = try ask(gateway, key: Self.stranger)
        } else {
            let sent = gateway.inBox(
                "curl",
                [
                    "-s", "-m", "10", "-x", "http://10.200.1.1:3128", "-H", "x-api-key: \(Self.surrogate)",
                    "http://elsewhere.test/",
                ])
            _ = try SystemCommandRunner().run(sent, timeout: .seconds(30))
        }
        #expect(eventually { (try? gateway.client.status().cutOff)?.contains("credentials.on_misuse") == true })
        #expect(gateway.log.contains("the sandbox is cut off"), "\(gateway.log.suffix(2000))")
        // Neither the finding nor the cut could be written down.
        #expect(eventually { gateway.log.contains("No space left") || gateway.log.contains("File too large") })
        let gone = gateway.inBox("curl", ["-s", "-m", "2", "http://10.200.1.1:8443/"])
        #expect(try !SystemCommandRunner().run(gone, timeout: .seconds(30)).succeeded)
        let asked = provider.log.split(separator: "\n").count
        #expect(asked == 1 + answers.count { $0.hasSuffix(" 200") })
        try disk.free(gateway.ready.pid)
    }

    /// Twenty times, since it is a race: whoever asks without a pause has nothing to gain from the moment of the change.
    @Test("what was replaced or taken back is used by no request after the answer, with clients that never pause")
    func takenBackInRace() throws {
        let provider = try LabProvider()
        let gateway = try LiveGateway(name: "llmrace", plan: EgressPlan(), llm: Self.plan(provider))
        try gateway.client.serving()
        let name = "llm-api-key:anthropic"
        let base = "http://127.0.0.1:\(provider.port)"
        let loop = """
            while :; do curl -s -m 5 -o /dev/null -H 'x-api-key: \(Self.surrogate)' \
              -d '{"model":"claude-lab","max_tokens":5}' http://10.200.1.1:8443/v1/messages; done
            """
        let clients = try (0..<3).map { _ in
            try ChildProcess.start(gateway.inBox("sh", ["-c", loop]), descriptors: [-1, -1, -1])
        }
        defer {
            for client in clients {
                client.send(SIGKILL)
                _ = try? client.wait()
            }
        }
        func uses(_ secret: String) -> Int {
            provider.log.split(separator: "\"x-api-key\": \"\(secret)\"", omittingEmptySubsequences: false).count - 1
        }
        for round in 0..<20 {
            let secret = "sk-canary-round-\(round)-" + String(UInt64.random(in: .min ... .max), radix: 36)
            #expect(try gateway.client.change(CredentialChange(name: name, key: .init(secret: secret, base: base))))
            #expect(eventually { provider.log.contains(secret) }, "the control: it is in use, round \(round)")
            // Another takes its place: what each client had under way goes on with the former one, and nothing after that.
            let next = secret + "-next"
            #expect(try gateway.client.change(CredentialChange(name: name, key: .init(secret: next, base: base))))
            let before = uses(secret)
            #expect(eventually { uses(next) > 12 }, "round \(round)")
            #expect(uses(secret) <= before + clients.count, "round \(round)")
        }
        #expect(try gateway.client.change(CredentialChange(name: name)))
        let asked = provider.log.split(separator: "\n").count
        usleep(700_000)
        #expect(provider.log.split(separator: "\n").count <= asked + clients.count)
    }
}
