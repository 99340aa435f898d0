import AiboxSystem
import AiboxWire

/// Events as classes of the Open Cybersecurity Schema Framework (schema.ocsf.io, 1.3.0).
///
/// What has no place there stays in `unmapped`, and the line of the log in `raw_data`.
enum OCSFForm {
    /// A class of the framework, and which of its activities an event is.
    struct Activity: Equatable {
        var classID: Int64
        var className: String
        var category: Int64
        var activity: Int64
    }

    static func activity(_ type: AuditEventType) -> Activity {
        func of(_ id: Int64, _ name: String, _ activity: Int64) -> Activity {
            Activity(classID: id, className: name, category: id / 1000, activity: activity)
        }
        switch type {
        case .networkAllow: return of(4001, "Network Activity", 1)
        case .networkDeny: return of(4001, "Network Activity", 5)
        case .dnsQuery: return of(4003, "DNS Activity", 1)
        case .dnsResponse: return of(4003, "DNS Activity", 2)
        case .llmRequest, .llmResponse: return of(6003, "API Activity", 1)
        case .toolInvoke, .toolApprove, .toolDeny: return of(1007, "Process Activity", 1)
        case .fileRead: return of(1001, "File System Activity", 2)
        case .fileWrite: return of(1001, "File System Activity", 3)
        case .sshOpen: return of(4007, "SSH Activity", 1)
        case .sshClose: return of(4007, "SSH Activity", 2)
        case .sessionStart: return of(3002, "Authentication", 1)
        case .sessionEnd: return of(3002, "Authentication", 2)
        case .credentialIssue, .credentialUse, .credentialRotate, .credentialRevoke:
            return of(3003, "Authorize Session", type == .credentialIssue ? 1 : 99)
        case .workspaceFinding, .falcoAlert, .runtimeTrace, .gatewayCutOff, .gatewayDeny, .auditRecover, .auditGap:
            return of(2004, "Detection Finding", 1)
        case .policyAllow, .policyDeny, .approvalRequest, .approvalDecide, .pushRequest, .pushAllow, .pushDeny:
            return of(6003, "API Activity", 99)
        case .sandboxStart, .gatewayStart: return of(6002, "Application Lifecycle", 3)
        case .sandboxStop, .gatewayStop: return of(6002, "Application Lifecycle", 4)
        default: return of(6002, "Application Lifecycle", 99)
        }
    }

    static func document(_ record: AuditRecord) -> JSONValue {
        let type = AuditEventType(rawValue: record.type)
        let activity = type.map(activity) ?? Activity(classID: 0, className: "Base Event", category: 0, activity: 99)
        let details = record.json["details"] ?? .object([:])
        var object: JSONObject = [
            "class_uid": .integer(activity.classID), "class_name": .string(activity.className),
            "category_uid": .integer(activity.category), "activity_id": .integer(activity.activity),
            "type_uid": .integer(activity.classID * 100 + activity.activity),
            "time": .integer(Int64(CEFForm.milliseconds(record.time)) ?? 0),
            "severity_id": .integer(severity(record.severity)), "status_id": .integer(status(record.outcome)),
            "status": .string(record.outcome), "message": .string(record.subject),
            "metadata": [
                "version": "1.3.0", "uid": .string(record.id), "sequence": .integer(Int64(record.sequence)),
                "event_code": .string(record.type), "original_time": .string(record.time), "log_name": "aibox-audit",
                "product": ["name": "aibox", "vendor_name": "aibox"], "correlation_uid": .string(record.session),
            ],
            "actor": ["user": ["name": .string(record.user)], "session": ["uid": .string(record.session)]],
            "device": ["hostname": record.json["host"] ?? "", "type_id": 0],
            "raw_data": .string(String(decoding: record.line, as: UTF8.self)),
        ]
        if record.outcome == "allowed" || record.outcome == "denied" {
            object["action_id"] = .integer(record.outcome == "allowed" ? 1 : 2)
            object["disposition_id"] = .integer(record.outcome == "allowed" ? 1 : 2)
        }
        add(activity, record, details, to: &object)
        object["unmapped"] = [
            "sandbox": .string(record.sandbox), "source": .string(record.source), "details": details,
            "policy": record.json["policy"] ?? "", "prev": record.json["prev"] ?? "", "mac": record.json["mac"] ?? "",
        ]
        return .object(object)
    }

    /// What the class asks for beside the common part.
    private static func add(
        _ activity: Activity, _ record: AuditRecord, _ details: JSONValue, to object: inout JSONObject
    ) {
        switch activity.classID {
        case 4001:
            var endpoint: JSONObject = [:]
            endpoint["hostname"] = details["host"]
            endpoint["port"] = details["port"]
            endpoint["ip"] = details["address"]
            object["dst_endpoint"] = .object(endpoint)
        case 4003: object["query"] = ["hostname": .string(record.subject), "type": details["record"] ?? "A"]
        case 6003:
            object["api"] = ["operation": .string(record.type)]
            object["src_endpoint"] = ["name": .string(record.sandbox)]
        case 1007: object["process"] = ["cmd_line": .string(record.subject)]
        case 1001:
            object["file"] = [
                "path": .string(record.subject), "name": .string(Path.name(record.subject)), "type_id": 1,
            ]
        case 3002, 3003: object["user"] = ["name": .string(record.user)]
        case 2004: object["finding_info"] = ["uid": .string(record.id), "title": .string(record.type)]
        case 6002: object["app"] = ["name": .string(record.subject)]
        default: break
        }
    }

    private static func severity(_ word: String) -> Int64 {
        switch AuditSeverity(rawValue: word) {
        case .info: 1
        case .warning: 3
        case .high: 4
        case .critical: 5
        case nil: 0
        }
    }

    private static func status(_ outcome: String) -> Int64 {
        switch AuditOutcome(rawValue: outcome) {
        case .success, .allowed: 1
        case .denied, .failure: 2
        case .pending, .unknown, nil: 0
        }
    }
}
