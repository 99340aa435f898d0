import AiboxCrypto
import AiboxSystem
import AiboxWire

/// A batch of events as each kind of sink takes it. Number, id, link and MAC travel along; the line is whole.
enum SinkMessage {
    // MARK: Syslog

    /// Frames of RFC 5425: the length of each message before it.
    static func syslog(_ records: [AuditRecord]) -> [UInt8] {
        records.flatMap { record in
            let message = syslog(record)
            return Array("\(message.count) ".utf8) + message
        }
    }

    /// RFC 5424. The facility is 13, log audit; the private number in the structured data is the one that RFC 5612
    /// sets apart for documentation, for want of one of our own.
    static func syslog(_ record: AuditRecord) -> [UInt8] {
        let priority = 13 * 8 + level(record.severity)
        // Six digits of a second at most (section 6.2.3).
        let time = record.time.prefix(26) + "Z"
        let host = record.json["host"]?.stringValue ?? ""
        let data = [
            ("seq", "\(record.sequence)"), ("id", record.id), ("session", record.session), ("sandbox", record.sandbox),
            ("user", record.user), ("outcome", record.outcome), ("prev", record.json["prev"]?.stringValue ?? ""),
            ("mac", record.json["mac"]?.stringValue ?? ""),
        ].map { "\($0.0)=\"\(parameter($0.1))\"" }
        let head =
            "<\(priority)>1 \(time) \(printable(host, 255)) aibox-audit - \(printable(record.type, 32)) "
            + "[aibox@32473 \(data.joined(separator: " "))] "
        // The mark says that UTF-8 follows (section 6.4).
        return Array(head.utf8) + [0xef, 0xbb, 0xbf] + record.line
    }

    /// A frame with a checkpoint: its text as JSON, because syslog servers escape line ends, each in its own way.
    static func syslog(_ checkpoint: Checkpoint, of log: LogIdentity) throws(AiboxError) -> [UInt8] {
        let body: JSONValue = [
            "origin": .string(checkpoint.origin), "size": .integer(Int64(clamping: checkpoint.size)),
            "key": .string(try log.key.text()), "checkpoint": .string(checkpoint.note.source),
        ]
        let time = checkpoint.time.prefix(26) + "Z"
        let data = "[aibox@32473 origin=\"\(parameter(checkpoint.origin))\" size=\"\(checkpoint.size)\"]"
        let head =
            "<\(13 * 8 + 5)>1 \(time) \(printable(AuditContext.hostName, 255)) aibox-audit - audit.checkpoint \(data) "
        let message = Array(head.utf8) + [0xef, 0xbb, 0xbf] + body.bytes
        return Array("\(message.count) ".utf8) + message
    }

    private static func level(_ severity: String) -> Int {
        switch AuditSeverity(rawValue: severity) {
        case .critical: 2
        case .high: 3
        case .warning: 4
        case .info, nil: 6
        }
    }

    /// PRINTUSASCII; `-` for nothing.
    private static func printable(_ text: String, _ longest: Int) -> String {
        let plain = String(decoding: text.utf8.filter { $0 > 0x20 && $0 < 0x7f }.prefix(longest), as: UTF8.self)
        return plain.isEmpty ? "-" : plain
    }

    private static func parameter(_ text: String) -> String {
        var result = ""
        for character in SafeText.escaped(text) {
            if "\"\\]".contains(character) { result += "\\" }
            result.append(character)
        }
        return result
    }

    // MARK: HTTP

    static func lines(_ records: [AuditRecord]) -> [UInt8] { Array(records.map { $0.line + [0x0a] }.joined()) }

    /// ExportLogsServiceRequest in OTLP's JSON form.
    static func otlp(_ records: [AuditRecord]) -> [UInt8] {
        func attribute(_ name: String, _ value: String) -> JSONValue {
            ["key": .string(name), "value": ["stringValue": .string(value)]]
        }
        let entries: [JSONValue] = records.map { record in
            let names = [
                "id", "type", "outcome", "source", "user", "session", "sandbox", "policy", "subject", "prev", "mac",
            ]
            var attributes = names.map { attribute("aibox." + $0, record.json[$0]?.stringValue ?? "") }
            attributes.append(["key": "aibox.seq", "value": ["intValue": .string("\(record.sequence)")]])
            let time = AuditTime.parse(record.time, now: Timestamp(seconds: 0)) ?? Timestamp(seconds: 0)
            return [
                "timeUnixNano": .string("\(time.seconds)" + digits(Int(time.nanoseconds))),
                "severityNumber": .integer(number(record.severity)), "severityText": .string(record.severity),
                "body": ["stringValue": .string(String(decoding: record.line, as: UTF8.self))],
                "attributes": .array(attributes),
            ]
        }
        let host = records.first?.json["host"]?.stringValue ?? ""
        let document: JSONValue = [
            "resourceLogs": [
                [
                    "resource": ["attributes": [attribute("service.name", "aibox"), attribute("host.name", host)]],
                    "scopeLogs": [["scope": ["name": "aibox.audit"], "logRecords": .array(entries)]],
                ]
            ]
        ]
        return document.bytes
    }

    private static func digits(_ nanoseconds: Int) -> String {
        let text = String(nanoseconds)
        return String(repeating: "0", count: 9 - text.count) + text
    }

    /// The numbers of OpenTelemetry's log data model.
    private static func number(_ severity: String) -> Int64 {
        switch AuditSeverity(rawValue: severity) {
        case .info: 9
        case .warning: 13
        case .high: 17
        case .critical: 21
        case nil: 0
        }
    }
}
