import AiboxSystem
import AiboxWire

/// The forms in which events leave for other programs. Each keeps number, id, link and MAC, so that what arrives can
/// be matched with the log.
public enum AuditExportFormat: String, Sendable, CaseIterable {
    /// The lines as they stand in the log.
    case jsonl
    /// ArcSight's Common Event Format, version 0.
    case cef
    /// Open Cybersecurity Schema Framework, schema.ocsf.io version 1.3.0; one JSON object a line.
    case ocsf
    /// RFC 4180 with a header line.
    case csv

    /// What stands before the first event.
    public var preamble: String { self == .csv ? CSVForm.header : "" }

    /// One event with its newline.
    public func render(_ record: AuditRecord) -> [UInt8] {
        switch self {
        case .jsonl: record.line + [0x0a]
        case .cef: Array((CEFForm.text(record) + "\n").utf8)
        case .ocsf: OCSFForm.document(record).bytes + [0x0a]
        case .csv: Array(CSVForm.row(record).utf8)
        }
    }
}

/// Cells that begin like a formula get an apostrophe, as spreadsheets understand it: the text may be an adversary's.
enum CSVForm {
    private static let columns = [
        "seq", "id", "time", "type", "severity", "risk", "outcome", "source", "host", "user", "session", "sandbox",
        "policy", "subject", "details", "prev", "mac",
    ]

    static var header: String { columns.joined(separator: ",") + "\r\n" }

    static func row(_ record: AuditRecord) -> String {
        columns.map { cell(text(record.json[$0])) }.joined(separator: ",") + "\r\n"
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: ""
        case .string(let text): text
        case .integer(let number): String(number)
        case let other?: other.text
        }
    }

    static func cell(_ text: String) -> String {
        var text = text
        if let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) { text = "'" + text }
        if !text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}

/// CEF:0|Vendor|Product|Version|Signature|Name|Severity|Extension
enum CEFForm {
    static func text(_ record: AuditRecord) -> String {
        let definition = AuditEventType(rawValue: record.type)?.definition
        let head = [
            "CEF:0", "aibox", "aibox", "\(AuditEventSchema.version)", header(record.type),
            header(definition?.summary ?? record.type), severity(record.severity),
        ]
        var fields: [(String, String)] = [
            ("rt", milliseconds(record.time)), ("externalId", record.id), ("dvchost", string(record, "host")),
            ("suser", record.user), ("outcome", record.outcome), ("deviceProcessName", record.source),
            ("cn1Label", "seq"), ("cn1", "\(record.sequence)"), ("cs1Label", "session"), ("cs1", record.session),
            ("cs2Label", "sandbox"), ("cs2", record.sandbox), ("cs3Label", "mac"), ("cs3", string(record, "mac")),
            ("cs4Label", "prev"), ("cs4", string(record, "prev")), ("cs5Label", "policy"),
            ("cs5", string(record, "policy")), ("cs6Label", "details"),
            ("cs6", record.json["details"]?.text ?? "{}"), ("msg", record.subject),
        ]
        let details = record.json["details"]
        if let host = details?["host"]?.stringValue { fields.append(("dhost", host)) }
        if let port = details?["port"]?.wholeNumber { fields.append(("dpt", "\(port)")) }
        if let method = details?["method"]?.stringValue { fields.append(("requestMethod", method)) }
        if let reason = details?["reason"]?.stringValue { fields.append(("reason", reason)) }
        let extensions = fields.filter { !$0.1.isEmpty }.map { $0.0 + "=" + value($0.1) }
        return (head + [extensions.joined(separator: " ")]).joined(separator: "|")
    }

    static func milliseconds(_ time: String) -> String {
        guard let moment = AuditTime.parse(time, now: Timestamp(seconds: 0)) else { return "" }
        return String(moment.seconds * 1000 + Int64(moment.nanoseconds) / 1_000_000)
    }

    private static func string(_ record: AuditRecord, _ name: String) -> String {
        record.json[name]?.stringValue ?? ""
    }

    /// 0 to 10.
    private static func severity(_ word: String) -> String {
        switch AuditSeverity(rawValue: word) {
        case .info, nil: "2"
        case .warning: "5"
        case .high: "8"
        case .critical: "10"
        }
    }

    private static func header(_ text: String) -> String { escaped(text, "|") }
    private static func value(_ text: String) -> String { escaped(text, "=") }

    private static func escaped(_ text: String, _ mark: Unicode.Scalar) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case mark: result += "\\" + String(mark)
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return SafeText.escaped(result)
    }
}
