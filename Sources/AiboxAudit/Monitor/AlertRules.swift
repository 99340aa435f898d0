/// Alerts for Prometheus over what the gateways and `aibox monitor metrics` export.
enum AlertRules {
    private static let alerts: [(name: String, expression: String, duration: String, severity: String, words: String)] =
        [
            (
                "AiboxLayerLost", #"increase(aibox_audit_events_total{type="gateway.cutoff"}[10m]) > 0"#, "0m",
                "critical", "A layer of a running sandbox was lost; the sandbox was cut off."
            ),
            (
                "AiboxHostTrigger", #"increase(aibox_audit_events_total{type="workspace.finding"}[10m]) > 0"#, "0m",
                "critical", "A file that the host would execute was touched by a sandbox."
            ),
            (
                "AiboxManyConnectionsRefused", #"increase(aibox_audit_events_total{type="network.deny"}[10m]) > 50"#,
                "0m", "warning", "Many connections were refused within ten minutes."
            ),
            (
                "AiboxManyNamesRefused", #"increase(aibox_audit_events_total{type="dns.response"}[5m]) > 500"#, "0m",
                "warning", "Many names were asked for within five minutes."
            ),
            (
                "AiboxCredentialRefused",
                #"increase(aibox_audit_events_total{type="credential.use",outcome="denied"}[10m]) > 0"#, "0m",
                "critical", "A surrogate was used where it does not belong."
            ),
            (
                "AiboxPushRefused", #"increase(aibox_audit_events_total{type="push.deny"}[10m]) > 0"#, "0m", "warning",
                "A push was refused."
            ),
            (
                "AiboxPolicyDenialBurst", #"increase(aibox_audit_events_total{type="policy.deny"}[5m]) > 20"#, "0m",
                "warning", "Policy refused many actions within five minutes."
            ),
            (
                "AiboxEventsMissing", "aibox_audit_missing_events > 0", "0m", "critical",
                "The audit log cannot be written, and actions go on."
            ),
            (
                "AiboxEventsUnsigned", "aibox_audit_unsigned_events > 2048", "5m", "warning",
                "Events wait for a signature: checkpoints cannot be written."
            ),
            (
                "AiboxModelCost", "increase(aibox_llm_cost_dollars_total[1h]) > 50", "0m", "warning",
                "Models cost more than 50 dollars within an hour."
            ),
        ]

    static var text: String {
        "# Alerts over the figures of sandboxes' gateways (aibox-scrape.yml), or of: aibox monitor metrics\ngroups:\n  - name: aibox\n    rules:\n"
            + alerts.map { alert in
                """
                      - alert: \(alert.name)
                        expr: '\(alert.expression)'
                        for: \(alert.duration)
                        labels:
                          severity: \(alert.severity)
                        annotations:
                          summary: '\(alert.words)'

                """
            }.joined()
    }
}
