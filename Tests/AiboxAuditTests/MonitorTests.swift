import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxAudit

@Suite("The monitoring pack")
struct MonitorTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder(prefix: "aibox-monitor")
        _ = try MonitoringPack.write(to: folder.path, stateFolder: "/home/dev/.local/state/aibox")
    }

    /// Where `make deps` puts the Python programs of the tests.
    private var programs: String { Environment.value("AIBOX_TEST_PYTHON") ?? "/usr/local/lib/aibox-test-python/bin" }

    private func run(_ executable: String, _ arguments: String...) throws -> CommandResult {
        try SystemCommandRunner().run(
            Command(executable, arguments, environment: ["HOME": folder.path], directory: folder.path),
            timeout: .seconds(120))
    }

    @Test("every rule fires on the attack and none on a day's work")
    func replay() throws {
        let outcomes = try AttackReplay.run()
        #expect(outcomes.count == 11)
        for outcome in outcomes {
            #expect(outcome.isRight, "\(outcome.rule.name) \(outcome.onAttack) \(outcome.onWork)")
        }
    }

    @Test("rules have distinct ids, a technique of ATT&CK, and fields that events have")
    func rules() {
        #expect(Set(DetectionRule.all.map(\.id)).count == 11)
        for rule in DetectionRule.all {
            #expect(rule.tags.contains { $0.hasPrefix("attack.t1") }, "\(rule.name)")
            let types = rule.conditions.first { $0.field == "type" }?.values.compactMap(\.stringValue) ?? []
            #expect(!types.isEmpty)
            for type in types {
                let definition = AuditEventType(rawValue: type)?.definition
                #expect(definition != nil, "\(rule.name): \(type)")
                for condition in rule.conditions where condition.field.hasPrefix("details.") {
                    let name = condition.field.dropFirst("details.".count)
                    #expect(definition?.fields.contains { $0.name == name } == true, "\(rule.name): \(condition.field)")
                }
            }
        }
    }

    @Test("Sigma's own checker finds nothing, and every rule converts for five kinds of SIEM")
    func sigma() throws {
        // The two checkers that ask the network for their lists are left out.
        for folder in ["sigma", "sigma-correlations"] {
            let checked = try run(
                programs + "/sigma", "check", "-i", "-x", "attacktag", "-x", "d3_fendtag", folder)
            #expect(checked.succeeded, "\(checked.text) \(checked.errorText)")
        }
        for target in ["splunk", "lucene", "kusto", "qradar-aql-community", "log_scale"] {
            let result = try run(programs + "/sigma", "convert", "-t", target, "--without-pipeline", "sigma")
            #expect(result.succeeded, "\(target): \(result.errorText)")
            #expect(result.text.split(separator: "\n").count >= 11, "\(target): \(result.text)")
        }
        for target in ["splunk", "esql"] {
            let result = try run(
                programs + "/sigma", "convert", "-t", target, "--without-pipeline", "sigma-correlations")
            #expect(result.succeeded && result.text.contains("event_count"), "\(target): \(result.errorText)")
        }
    }

    @Test("the figures are what Prometheus reads, and alerts and dashboards use no others")
    func prometheus() throws {
        let fixture = try LogFixture()
        let log = try fixture.open()
        for number in 0..<7 { try log.append(LogFixture.event(number)) }
        try log.append(
            AuditEvent(
                .llmResponse, subject: "m",
                details: ["input_tokens": 10, "output_tokens": 5, "cost_microdollars": 2_500_000]))
        try log.close()
        let text = try AuditMetrics.text(folder: fixture.log)
        #expect(text.contains(#"aibox_audit_events_total{outcome="denied",type="network.deny"} 7"#))
        #expect(text.contains("aibox_llm_cost_dollars_total 2.5"))
        #expect(text.contains("aibox_audit_missing_events 0"))
        let metrics = try SystemCommandRunner().run(Command("promtool", ["check", "metrics"], input: Array(text.utf8)))
        #expect(metrics.succeeded, "\(metrics.text) \(metrics.errorText)")

        let alerts = try run("promtool", "check", "rules", "prometheus/aibox-alerts.yml")
        #expect(alerts.succeeded && alerts.text.contains("10 rules found"), "\(alerts.text) \(alerts.errorText)")
        let known = Set(AuditMetrics.families.map(\.name))
        let used = MonitoringPack.files(stateFolder: "/x")
            .filter { $0.name.hasPrefix("grafana/") || $0.name.hasPrefix("prometheus/") }
            .flatMap { file in file.text.matches(of: /aibox_[a-z_]+/).map { String($0.output) } }
        #expect(!used.isEmpty)
        for name in Set(used) { #expect(known.contains(name), "\(name)") }
    }

    static let alerts: [(what: String, line: String, subject: String?, sandbox: String, severity: AuditSeverity)] = [
        (
            "of a sandbox",
            #"{"hostname":"h","output":"12:00 Critical x","priority":"Critical","rule":"aibox ptrace","source":"syscall","tags":["a"],"time":"2026-01-01T00:00:00Z","output_fields":{"container.name":"aibox-dev-01ab","proc.name":"gdb","evt.time":17}}"#,
            "aibox ptrace", "dev-01ab", .critical
        ),
        (
            "of something else",
            #"{"rule":"r","output":"o","priority":"Notice","output_fields":{"container.name":"db"}}"#, "r", "", .warning
        ),
        ("bare", #"{"rule":"r","output":"o"}"#, "r", "", .high),
        ("no rule", #"{"output":"o"}"#, nil, "", .high),
        ("a rule that is no text", #"{"rule":1,"output":"o"}"#, nil, "", .high),
        ("text", "12:00 Critical x", nil, "", .high),
        ("two objects", #"{"rule":"r","output":"o"}{}"#, nil, "", .high),
        (
            "too long", #"{"rule":"r","output":""# + String(repeating: "x", count: FalcoAlert.limit) + #""}"#, nil, "",
            .high
        ),
    ]

    @Test("an alert of Falco's becomes an event of its sandbox, and nothing else does", arguments: alerts)
    func falco(what: String, line: String, subject: String?, sandbox: String, severity: AuditSeverity) {
        let event = FalcoAlert(line.utf8)?.event
        #expect(event?.subject == subject, "\(what)")
        guard let event else { return }
        #expect(event.context?.sandbox == sandbox && event.severity == severity && event.problems.isEmpty, "\(what)")
    }

    @Test("an alert fires when its figure moves, and not before")
    func alertFires() throws {
        try File.replace(
            folder.path + "/test.yml",
            with: """
                rule_files: [prometheus/aibox-alerts.yml]
                evaluation_interval: 1m
                tests:
                  - interval: 1m
                    input_series:
                      - series: 'aibox_audit_events_total{type="workspace.finding",outcome="unknown"}'
                        values: '0 0 0 1 1 1'
                      - series: 'aibox_audit_missing_events'
                        values: '0 0 0 0 4 4'
                    alert_rule_test:
                      - eval_time: 2m
                        alertname: AiboxHostTrigger
                        exp_alerts: []
                      - eval_time: 4m
                        alertname: AiboxHostTrigger
                        exp_alerts:
                          - exp_labels: {severity: critical, type: workspace.finding, outcome: unknown}
                            exp_annotations: {summary: 'A file that the host would execute was touched by a sandbox.'}
                      - eval_time: 5m
                        alertname: AiboxEventsMissing
                        exp_alerts:
                          - exp_labels: {severity: critical}
                            exp_annotations: {summary: 'The audit log cannot be written, and actions go on.'}

                """)
        let result = try run("promtool", "test", "rules", "test.yml")
        #expect(result.succeeded, "\(result.text) \(result.errorText)")
    }

    @Test("Falco's rules, Vector's pipeline and the dashboards are well-formed, and nothing in them is left hanging")
    func documents() throws {
        let script = """
            import json, re, sys, yaml
            rules = yaml.safe_load(open("falco/aibox_rules.yaml"))
            macros = {r["macro"] for r in rules if "macro" in r}
            upstream = {"open_write", "open_read", "spawned_process", "outbound"}
            fields = {"evt.type", "evt.dir", "evt.arg", "evt.args", "evt.res", "fd.name", "fd.sip", "fd.sport", "proc.name", "proc.pname",
                      "proc.exepath", "proc.cmdline", "container.id", "container.name", "user.name"}
            found = [r for r in rules if "rule" in r]
            assert len(found) == 10, len(found)
            for rule in found:
                assert set(rule) == {"rule", "desc", "condition", "output", "priority", "tags"}, rule
                assert rule["priority"] in ("CRITICAL", "WARNING")
                assert rule["condition"].count("(") == rule["condition"].count(")")
                assert "aibox_sandbox" in rule["condition"]
                for word in re.findall(r"\\b[a-z]+\\.[a-z]+\\b", re.sub(r'"[^"]*"|/[^ ,)]*', "", rule["condition"])):
                    assert word in fields, word
                for word in re.findall(r"%([a-z]+\\.[a-z]+)", rule["output"]): assert word in fields, word
                for word in re.findall(r"\\b[a-z]+_[a-z_]+\\b", re.sub(r"/[^ ,)]*", "", rule["condition"])):
                    assert word in macros | upstream, word
            vector = yaml.safe_load(open("vector/vector.yaml"))
            assert len(vector["sources"]) == 4
            assert {s["type"] for s in vector["sinks"].values()} == {"elasticsearch", "splunk_hec_logs", "aws_s3", "socket"}
            names = set(vector["sources"]) | set(vector["transforms"])
            fed = set()
            for part in list(vector["transforms"].values()) + list(vector["sinks"].values()):
                for name in part["inputs"]:
                    assert name in names, name
                    fed.add(name)
            assert not set(vector["sources"]) - fed, fed
            for name in ("security", "operations", "usage"):
                board = json.load(open(f"grafana/aibox-{name}.json"))
                assert board["panels"] and len({p["id"] for p in board["panels"]}) == len(board["panels"])
                places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]}
                assert len(places) == len(board["panels"])
            """
        let result = try run(programs + "/python", "-c", script)
        #expect(result.succeeded, "\(result.errorText)")
    }
}
