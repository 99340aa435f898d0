public import AiboxSystem
import AiboxWire
import Glibc

/// Figures of the log for Prometheus, in its text format (prometheus.io, exposition formats), version 0.0.4.
public enum AuditMetrics {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

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

    /// Of the whole log, from its index.
    public static func text(folder: String) throws(AiboxError) -> String {
        let index = try AuditIndex(folder: folder)
        var figures = AuditFigures()
        for (type, outcome, count) in try index.counts("type", "outcome") {
            figures.count(type: type, outcome: outcome, by: count)
        }
        for (severity, _, count) in try index.counts("severity", "severity") {
            figures.count(severity: severity, by: count)
        }
        var query = AuditIndex.Query()
        query.type = AuditEventType.llmResponse.rawValue
        try index.forEach(query) { (record) throws(AiboxError) in figures.spend(record.json["details"]) }
        let state = try state(folder)
        if let last = try index.event("\(state.sequence)") { figures.saw(last.time) }
        return try text(figures, state, folder)
    }

    /// Of what was counted, and of the log as it stands.
    public static func text(_ figures: AuditFigures, folder: String) throws(AiboxError) -> String {
        try text(figures, try state(folder), folder)
    }

    private static func state(_ folder: String) throws(AiboxError) -> KeyState {
        let path = LogFolder(path: folder).state
        let file = try LogWriter.open(path, O_RDONLY)
        // A writer may be in the middle of it.
        for _ in 0..<10 {
            if let state = try? KeyState.read(file, path) { return state }
            usleep(1000)
        }
        return try KeyState.read(file, path)
    }

    private static func text(_ figures: AuditFigures, _ state: KeyState, _ folder: String) throws(AiboxError) -> String
    {
        var samples = figures.samples
        let files = LogFolder(path: folder)
        var bytes: UInt64 = 0
        for first in try files.segments() {
            let path = files.path(segment: first)
            bytes += try FileBytes.length(try LogWriter.open(path, O_RDONLY), path)
        }
        samples["aibox_audit_log_bytes"] = [" \(bytes)"]
        samples["aibox_audit_unsigned_events"] = [" \(state.sequence - min(state.sequence, state.checkpointSize))"]
        samples["aibox_audit_missing_events"] = [" \(state.lost)"]
        return families.map { family in
            "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.type)\n"
                + (samples[family.name] ?? []).map { family.name + $0 + "\n" }.joined()
        }.joined()
    }
}
