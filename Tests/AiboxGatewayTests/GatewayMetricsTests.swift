import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

/// The port for Prometheus: for programs on the host, never for the sandbox.
@Suite("Gateway metrics", .serialized)
struct GatewayMetricsTests {
    private func live(_ plan: EgressPlan = EgressPlan()) throws -> (LiveGateway, UInt16) {
        let gateway = try LiveGateway(plan: plan) { $0.metricsPort = $0.sshPort + 1 }
        try gateway.client.serving()
        return (gateway, try #require(gateway.ready.metricsPort))
    }

    private func scrape(_ port: UInt16) throws -> String {
        let result = try SystemCommandRunner().run(
            Command("curl", ["-sS", "-f", "-m", "10", "http://127.0.0.1:\(port)/metrics"]))
        try #require(result.succeeded, "\(result.errorText)")
        return String(decoding: result.output, as: UTF8.self)
    }

    private func refused(_ gateway: LiveGateway) throws {
        let result = try SystemCommandRunner().run(
            gateway.inBox("curl", ["-s", "-m", "10", "-x", "http://10.200.1.1:3128", "http://denied.test/"]))
        try #require(result.text.contains("host_not_allowed"), "\(result.text)")
    }

    @Test("it counts what its sandbox did, others' events not, and promtool finds nothing wrong with it")
    func figures() throws {
        let (gateway, port) = try live()
        let denied = #"aibox_audit_events_total{outcome="denied",type="network.deny"} "#
        #expect(try scrape(port).contains(denied + "0\n"), "a counter is there before its first event")
        for _ in 0..<3 { try refused(gateway) }
        let log = try AuditLog.open(
            folder: gateway.runFolder + ".audit", context: AuditContext(source: .cli, sandbox: "another"))
        try log.append(AuditEvent(.networkDeny, subject: "x", outcome: .denied))
        try log.append(
            AuditEvent(
                .llmResponse, subject: "m", details: ["input_tokens": 7, "cost_microdollars": 1_500_000],
                context: AuditContext(source: .llmProxy, sandbox: "live")))
        try log.close()
        let text = try scrape(port)
        #expect(text.contains(denied + "3\n"), "\(text)")
        #expect(text.contains(#"aibox_llm_tokens_total{direction="input"} 7"#) && text.contains("dollars_total 1.5\n"))
        #expect(text.contains("aibox_audit_missing_events 0\n"))
        let checked = try SystemCommandRunner().run(Command("promtool", ["check", "metrics"], input: Array(text.utf8)))
        #expect(checked.succeeded, "\(checked.text) \(checked.errorText)")
        // What dashboards and alerts ask for is told here, with the labels they ask by.
        for file in MonitoringPack.files(stateFolder: "/x")
        where ["grafana/", "prometheus/"].contains(where: file.name.hasPrefix) {
            for name in file.text.matches(of: /aibox_(?:audit|llm)_[a-z_]+/).map({ String($0.output) }) {
                #expect(text.contains("\n\(name){") || text.contains("\n\(name) "), "\(file.name): \(name)")
            }
            for type in file.text.matches(of: /type=\\?"([a-z.]+)\\?"/).map({ String($0.output.1) }) {
                #expect(text.contains("type=\"\(type)\"} "), "\(file.name): \(type)")
            }
        }
    }

    @Test("Prometheus finds it by the generated settings, reads it, and an alert fires on what it read")
    func prometheus() throws {
        let (gateway, port) = try live()
        let folder = try TemporaryFolder(prefix: "aibox-prometheus")
        _ = try MonitoringPack.write(to: folder.path, stateFolder: "/x")
        let place = folder.path + "/prometheus"
        try File.replace(
            place + "/aibox-targets.json",
            with: "[{\"targets\":[\"127.0.0.1:\(port)\"],\"labels\":{\"sandbox\":\"live\"}}]",
            mode: 0o644)
        let settings = try File.text(place + "/aibox-scrape.yml").replacing("30s", with: "1s")
        try File.replace(
            place + "/prometheus.yml",
            with: "global: {evaluation_interval: 1s}\nrule_files: [aibox-alerts.yml]\n" + settings, mode: 0o644)
        let web = Int(port) + 1
        let server = try ChildProcess.start(
            Command(
                "prometheus",
                [
                    "--config.file=\(place)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
                    "--web.listen-address=127.0.0.1:\(web)", "--log.level=error",
                ]), descriptors: [-1, -1, STDERR_FILENO], deathSignal: SIGKILL)
        defer {
            server.send(SIGKILL)
            _ = try? server.wait()
        }
        let ask = { (path: String) -> String in
            (try? SystemCommandRunner().run(
                Command("curl", ["-sS", "-m", "5", "http://127.0.0.1:\(web)/api/v1/\(path)"])
            ).text) ?? ""
        }
        #expect(eventually { ask("query?query=up").contains("\"1\"]") }, "\(ask("targets"))")
        let reason = "somebody did"
        let log = try AuditLog.open(
            folder: gateway.runFolder + ".audit", context: AuditContext(source: .gateway, sandbox: "live"))
        try log.append(
            AuditEvent(.gatewayCutOff, subject: "live", details: ["layer": "squid", "reason": .string(reason)]))
        try log.close()
        #expect(eventually { ask("alerts").contains("AiboxLayerLost") }, "\(ask("alerts"))")
        #expect(!ask("alerts").contains("AiboxHostTrigger"))
    }

    @Test("from the sandbox nobody gets there, by no address of the host and not through the way out")
    func unreachable() throws {
        let (gateway, port) = try live()
        #expect(try scrape(port).contains("aibox_audit_log_bytes"), "the control: from the host it answers")
        let addresses = try SystemCommandRunner().run(Command("hostname", ["-I"])).text.split(separator: " ")
            .filter { !$0.contains(":") }.map(String.init)
        for address in ["127.0.0.1", "10.200.1.1", "localhost", "0.0.0.0"] + addresses {
            let url = "http://\(address):\(port)/metrics"
            for way in [["--noproxy", "*"], ["-x", "http://10.200.1.1:3128"]] {
                let result = try SystemCommandRunner().run(gateway.inBox("curl", ["-s", "-m", "5"] + way + [url]))
                #expect(!result.text.contains("aibox_audit"), "\(address) \(way)")
            }
            let tunnel = try SystemCommandRunner().run(
                gateway.inBox("curl", ["-s", "-m", "5", "-p", "-x", "http://10.200.1.1:3128", url]))
            #expect(!tunnel.text.contains("aibox_audit"), "\(address) by CONNECT")
        }
    }

    @Test("by default there is none")
    func none() throws { #expect(try LiveGateway().ready.metricsPort == nil) }

    static let heads: [(what: String, text: String, answer: MetricsRequest.Answer)] = [
        ("what Prometheus sends", "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n", .figures),
        ("by name", "GET /metrics HTTP/1.1\r\nhost:localhost\r\n\r\n", .figures),
        ("half of it", "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1", .more),
        ("another path", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", .refusal(status: "404 Not Found")),
        (
            "a path that climbs", "GET /metrics/../x HTTP/1.1\r\nHost: localhost\r\n\r\n",
            .refusal(status: "404 Not Found")
        ),
        (
            "another method", "POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
            .refusal(status: "405 Method Not Allowed")
        ),
        (
            "another name", "GET /metrics HTTP/1.1\r\nHost: evil.test:9464\r\n\r\n",
            .refusal(status: "421 Misdirected Request")
        ),
        (
            "a name that begins well", "GET /metrics HTTP/1.1\r\nHost: localhost.evil.test\r\n\r\n",
            .refusal(status: "421 Misdirected Request")
        ),
        ("no name", "GET /metrics HTTP/1.1\r\n\r\n", .refusal(status: "421 Misdirected Request")),
        (
            "two names", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\n\r\n",
            .refusal(status: "421 Misdirected Request")
        ),
        ("no HTTP", "hello\r\n\r\n", .refusal(status: "400 Bad Request")),
        ("another version", "GET /metrics HTTP/2\r\nHost: localhost\r\n\r\n", .refusal(status: "400 Bad Request")),
        (
            "a head without end", String(repeating: "x", count: 8192),
            .refusal(status: "431 Request Header Fields Too Large")
        ),
    ]

    @Test("heads", arguments: heads.indices)
    func head(index: Int) {
        let (what, text, answer) = Self.heads[index]
        #expect(MetricsRequest.answer(to: Array(text.utf8)) == answer, "\(what)")
    }
}
