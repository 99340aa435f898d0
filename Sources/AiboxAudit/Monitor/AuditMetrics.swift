public import AiboxSystem
import AiboxWire
import Glibc

/// Figures of the log for Prometheus, in its text format (prometheus.io, exposition formats): to be written where
/// node_exporter's textfile collector reads, or served by any web server.
public enum AuditMetrics {
    /// Name, type and meaning of every figure; what dashboards and alerts may use.
    static let families: [(name: String, type: String, help: String)] = [
        ("aibox_audit_events_total", "counter", "Events in the log, by type and outcome."),
        ("aibox_audit_severe_events_total", "counter", "Events in the log, by severity."),
        ("aibox_audit_log_bytes", "gauge", "Size of the files of events."),
        ("aibox_audit_unsigned_events", "gauge", "Events that no checkpoint covers yet."),
        ("aibox_audit_missing_events", "gauge", "Events that could not be written and are not told of yet."),
        ("aibox_audit_last_event_timestamp_seconds", "gauge", "When the newest event was written."),
        ("aibox_llm_tokens_total", "counter", "Tokens that models read and wrote, by direction."),
        ("aibox_llm_cost_dollars_total", "counter", "What models cost."),
    ]

    /// - Parameter folder: the audit folder.
    public static func text(folder: String) throws(AiboxError) -> String {
        let index = try AuditIndex(folder: folder)
        var samples: [String: [String]] = [:]
        for (type, outcome, count) in try index.counts("type", "outcome") {
            samples["aibox_audit_events_total", default: []].append(
                "{outcome=\"\(label(outcome))\",type=\"\(label(type))\"} \(count)")
        }
        for (severity, _, count) in try index.counts("severity", "severity") {
            samples["aibox_audit_severe_events_total", default: []].append("{severity=\"\(label(severity))\"} \(count)")
        }
        let files = LogFolder(path: folder)
        var bytes: UInt64 = 0
        for first in try files.segments() {
            let path = files.path(segment: first)
            bytes += try FileBytes.length(try LogWriter.open(path, O_RDONLY), path)
        }
        samples["aibox_audit_log_bytes"] = [" \(bytes)"]
        let state = try KeyState.read(try LogWriter.open(files.state, O_RDONLY), files.state)
        samples["aibox_audit_unsigned_events"] = [" \(state.sequence - min(state.sequence, state.checkpointSize))"]
        samples["aibox_audit_missing_events"] = [" \(state.lost)"]
        if let last = try index.event("\(state.sequence)"), let time = AuditTime.parse(last.time, now: .now) {
            samples["aibox_audit_last_event_timestamp_seconds"] = [" \(time.seconds)"]
        }
        var (input, output, cost): (Int64, Int64, Int64) = (0, 0, 0)
        var query = AuditIndex.Query()
        query.type = AuditEventType.llmResponse.rawValue
        try index.forEach(query) { (record) throws(AiboxError) in
            let details = record.json["details"]
            input += details?["input_tokens"]?.wholeNumber ?? 0
            output += details?["output_tokens"]?.wholeNumber ?? 0
            cost += details?["cost_microdollars"]?.wholeNumber ?? 0
        }
        samples["aibox_llm_tokens_total"] = ["{direction=\"input\"} \(input)", "{direction=\"output\"} \(output)"]
        samples["aibox_llm_cost_dollars_total"] = [" \(Double(cost) / 1_000_000)"]
        return families.map { family in
            "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.type)\n"
                + (samples[family.name] ?? []).map { family.name + $0 + "\n" }.joined()
        }.joined()
    }

    private static func label(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
