public import AiboxSystem
public import AiboxWire

/// One stay in a sandbox, told from the log: what was allowed, denied, spent, pushed and changed.
public struct SessionSummary: Sendable {
    public let session: String
    public let records: [AuditRecord]
    public let verification: AuditVerification

    /// - Throws: if the log has no event of the session.
    public init(folder: String, session: String, verification: AuditVerification) throws(AiboxError) {
        var query = AuditIndex.Query()
        query.session = session
        query.limit = .max
        let records = try AuditIndex(folder: folder).search(query)
        if records.isEmpty {
            throw AiboxError(
                .usage, "the log knows no session \(session)",
                remedy: "aibox audit search --type sandbox.start shows sessions")
        }
        self.session = session
        self.records = records
        self.verification = verification
    }

    public var sandbox: String { records.first { !$0.sandbox.isEmpty }?.sandbox ?? "" }
    public var user: String { records.first?.user ?? "" }
    public var began: String { records.first?.time ?? "" }
    public var ended: String { records.last?.time ?? "" }

    /// What a reader asks first, in this order.
    public var figures: [(name: String, value: Int64)] {
        [
            ("events", Int64(records.count)), ("allowed connections", count("network.allow")),
            ("denied connections", count("network.deny")), ("tool calls", count("tool.invoke")),
            ("denied tool calls", count("tool.deny")), ("denied by policy", count("policy.deny")),
            ("model requests", count("llm.request")), ("input tokens", sum("llm.response", "input_tokens")),
            ("output tokens", sum("llm.response", "output_tokens")),
            ("cost in microdollars", sum("llm.response", "cost_microdollars")), ("pushes", count("push.allow")),
            ("denied pushes", count("push.deny")), ("credentials used", count("credential.use")),
            ("programs run", Int64(records.count { $0.type == "runtime.trace" && $0.subject == "execve" })),
            ("workspace findings", count("workspace.finding")), ("recordings", count("recording.start")),
        ]
    }

    private func count(_ type: String) -> Int64 { Int64(records.count { $0.type == type }) }

    private func sum(_ type: String, _ field: String) -> Int64 {
        records.filter { $0.type == type }.reduce(0) { $0 + ($1.json["details"]?[field]?.wholeNumber ?? 0) }
    }

    /// The chapters of a report: a title, and the events it lists.
    public var chapters: [(title: String, records: [AuditRecord])] {
        let all: [(String, (AuditRecord) -> Bool)] = [
            ("What was refused", { $0.outcome == "denied" }),
            ("What needs a look", { ["high", "critical"].contains($0.severity) && $0.outcome != "denied" }),
            ("What changed in the workspace", { $0.type == "workspace.finding" || $0.type == "file.write" }),
            ("What was pushed", { $0.type.hasPrefix("push.") }),
            ("What was spent", { $0.type.hasPrefix("llm.") }),
            ("What ran", { $0.type == "runtime.trace" }),
            ("Where it connected to", { $0.type == "network.allow" }),
            ("Decisions of people", { $0.type.hasPrefix("approval.") }),
        ]
        return all.map { ($0.0, records.filter($0.1)) }
    }

    /// For programs.
    public var json: JSONValue {
        var figures = JSONObject()
        for (name, value) in self.figures { figures[name.replacing(" ", with: "_")] = .integer(value) }
        return [
            "session": .string(session), "sandbox": .string(sandbox), "user": .string(user), "began": .string(began),
            "ended": .string(ended), "figures": .object(figures),
            "log": [
                "origin": .string(verification.origin), "ok": .bool(verification.finding == nil),
                "events": .integer(Int64(verification.events)), "signed": .integer(Int64(verification.covered)),
                "agreeing_places": .array(verification.agreeingPlaces.map { .string($0) }),
                "silent_places": .array(verification.silentPlaces.map { .string($0) }),
                "finding": verification.finding.map { .string($0.explanation) } ?? .null,
            ],
            "events": .array(records.map(\.json)),
        ]
    }
}
