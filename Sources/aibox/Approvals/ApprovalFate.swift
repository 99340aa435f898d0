import AiboxAudit
import AiboxSystem
import AiboxWire

/// What the audit log tells of a question that is not open.
struct ApprovalFate: Equatable {
    let words: String

    /// - Parameter id: in full.
    /// - Returns: nil where the log has no such question, or cannot be read.
    init?(_ id: String, auditFolder: String) {
        guard id.utf8.count == 8, id.allSatisfy(\.isHexDigit) else { return nil }
        var query = AuditIndex.Query()
        query.types = [.approvalRequest, .approvalDecide]
        query.text = id
        query.limit = 100
        guard let records = try? AuditIndex(folder: auditFolder).search(query) else { return nil }
        self.init(records.filter { $0.json["details"]?["approval"]?.stringValue == id })
    }

    /// - Parameter records: of one question, oldest first.
    init?(_ records: [AuditRecord]) {
        guard let last = records.last else { return nil }
        let details = last.json["details"]
        if last.type != AuditEventType.approvalDecide.rawValue {
            words = "it was asked in the sandbox \(SafeText.escaped(last.sandbox)), and no answer is written down"
        } else if let person = details?["approver"]?.stringValue {
            let verb = last.outcome == AuditOutcome.allowed.rawValue ? "approved" : "denied"
            words = "\(SafeText.escaped(person)) \(verb) it at \(SafeText.escaped(last.time))"
        } else {
            words = SafeText.escaped(details?["reason"]?.stringValue ?? "it has lapsed")
        }
    }
}
