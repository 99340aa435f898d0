import AiboxWire

/// Dashboards for Grafana over what the gateways and `aibox monitor metrics` export. Each gateway counts its own sandbox's
/// events, so these are summed; what is said of the log, each says.
enum GrafanaDashboards {
    private struct Panel {
        var title: String
        var kind: String
        var expression: String
        var legend: String
        var unit = "short"
    }

    static var files: [(name: String, text: String)] {
        [
            (
                "grafana/aibox-security.json",
                dashboard(
                    "aibox-security", "aibox: security",
                    [
                        Panel(
                            title: "Refused connections", kind: "timeseries",
                            expression: #"sum(increase(aibox_audit_events_total{type="network.deny"}[$__interval]))"#,
                            legend: "refused"),
                        Panel(
                            title: "Refused by type", kind: "timeseries",
                            expression:
                                #"sum by (type) (increase(aibox_audit_events_total{outcome="denied"}[$__interval]))"#,
                            legend: "{{type}}"),
                        Panel(
                            title: "Severe events", kind: "timeseries",
                            expression:
                                #"sum by (severity) (increase(aibox_audit_severe_events_total{severity=~"high|critical"}[$__interval]))"#,
                            legend: "{{severity}}"),
                        Panel(
                            title: "Workspace findings", kind: "stat",
                            expression: #"sum(increase(aibox_audit_events_total{type="workspace.finding"}[$__range]))"#,
                            legend: "findings"),
                        Panel(
                            title: "Layers lost", kind: "stat",
                            expression: #"sum(increase(aibox_audit_events_total{type="gateway.cutoff"}[$__range]))"#,
                            legend: "lost"),
                    ])
            ),
            (
                "grafana/aibox-operations.json",
                dashboard(
                    "aibox-operations", "aibox: operations",
                    [
                        Panel(
                            title: "Events", kind: "timeseries",
                            expression: "sum(rate(aibox_audit_events_total[$__interval]))", legend: "events a second"),
                        Panel(
                            title: "Starts", kind: "timeseries",
                            expression:
                                #"sum by (outcome) (increase(aibox_audit_events_total{type="sandbox.start"}[$__interval]))"#,
                            legend: "{{outcome}}"),
                        Panel(
                            title: "Size of the log", kind: "timeseries", expression: "max(aibox_audit_log_bytes)",
                            legend: "bytes", unit: "bytes"),
                        Panel(
                            title: "Unsigned events", kind: "timeseries",
                            expression: "max(aibox_audit_unsigned_events)",
                            legend: "unsigned"),
                        Panel(
                            title: "Events that could not be written", kind: "stat",
                            expression: "max(aibox_audit_missing_events)", legend: "missing"),
                        Panel(
                            title: "Age of the newest event", kind: "stat",
                            expression: "time() - max(aibox_audit_last_event_timestamp_seconds)", legend: "age",
                            unit: "s"),
                    ])
            ),
            (
                "grafana/aibox-usage.json",
                dashboard(
                    "aibox-usage", "aibox: usage",
                    [
                        Panel(
                            title: "Tokens", kind: "timeseries",
                            expression: "sum by (direction) (increase(aibox_llm_tokens_total[$__interval]))",
                            legend: "{{direction}}"),
                        Panel(
                            title: "Cost", kind: "timeseries",
                            expression: "sum(increase(aibox_llm_cost_dollars_total[$__interval]))", legend: "dollars",
                            unit: "currencyUSD"),
                        Panel(
                            title: "Tool calls", kind: "timeseries",
                            expression:
                                #"sum by (type) (increase(aibox_audit_events_total{type=~"tool\\..*"}[$__interval]))"#,
                            legend: "{{type}}"),
                        Panel(
                            title: "Pushes", kind: "timeseries",
                            expression:
                                #"sum by (type) (increase(aibox_audit_events_total{type=~"push\\..*"}[$__interval]))"#,
                            legend: "{{type}}"),
                    ])
            ),
        ]
    }

    private static func dashboard(_ id: String, _ title: String, _ panels: [Panel]) -> String {
        let source: JSONValue = ["type": "prometheus", "uid": "${source}"]
        let rendered: [JSONValue] = panels.enumerated().map { index, panel in
            [
                "id": .integer(Int64(index + 1)), "title": .string(panel.title), "type": .string(panel.kind),
                "datasource": source,
                "gridPos": [
                    "h": 8, "w": 12, "x": .integer(index % 2 == 0 ? 0 : 12), "y": .integer(Int64(index / 2 * 8)),
                ],
                "fieldConfig": ["defaults": ["unit": .string(panel.unit)], "overrides": []],
                "targets": [
                    [
                        "refId": "A", "datasource": source, "expr": .string(panel.expression),
                        "legendFormat": .string(panel.legend),
                    ]
                ],
            ]
        }
        let document: JSONValue = [
            "uid": .string(id), "title": .string(title), "tags": ["aibox"], "schemaVersion": 39, "version": 1,
            "timezone": "browser", "refresh": "1m", "time": ["from": "now-24h", "to": "now"],
            "templating": [
                "list": [["name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"]]
            ],
            "panels": .array(rendered),
        ]
        return document.text + "\n"
    }
}
