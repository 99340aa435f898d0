public import AiboxAudit
import AiboxConfig
import AiboxCrypto
import AiboxPolicy
import AiboxState
public import AiboxSystem
import AiboxWire

/// The audit events of one sandbox's life. What they tell of happens only after they are on the disk (P7).
public struct SandboxAudit {
    private let log: AuditLog
    private let name: String

    /// - Parameters:
    ///   - session: names the stay from start to stop.
    ///   - policy: the digest of the policy in force; nil stands for the one that was kept.
    init(_ context: SandboxContext, sandbox: String, session: String, policy: String? = nil) throws(AiboxError) {
        name = sandbox
        log = try AuditLog.open(
            folder: context.paths.auditFolder,
            context: AuditContext(
                source: .cli, session: session, sandbox: sandbox, user: context.user.name,
                policy: policy ?? (try? context.keptDigest(of: sandbox)) ?? ""),
            options: try Self.options(context, sandbox: sandbox))
    }

    /// How this machine's log is written: where its checkpoints go, and what the policy says to a full disk.
    public static func options(_ context: SandboxContext, sandbox: String? = nil) throws(AiboxError) -> AuditLog.Options
    {
        var options = AuditLog.Options()
        options.secondPlaces = [SecondPlace(folder: context.paths.auditCheckpoints)]
        // A sandbox whose kept policy cannot be read can still be stopped.
        let kept = try? context.policy(of: sandbox)
        let policy =
            if let kept { kept } else { try context.policySet(workspace: nil, evenExpired: true).effective() }
        options.onFailure = policy.auditFailure == .markGap ? .markGap : .stop
        return options
    }

    /// 128 random bits in hexadecimal.
    static func newSession() -> String {
        (0..<2).map { _ in
            let text = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }

    func creating(_ workspace: Workspace, _ context: SandboxContext, _ admission: SandboxAdmission) throws(AiboxError) {
        let settings = JSONObject(
            ConfigurationSchema.keys.map { key in
                let value = key.value(in: context.configuration).description
                return JSONObject.Member(key.name, .string(AuditText.carried(Array(value.utf8))))
            })
        try log.append([
            try admitting(admission),
            AuditEvent(
                .sandboxCreate, subject: name,
                details: [
                    "workspace": .string(AuditText.carried(Array(workspace.path.utf8))),
                    "runtime": .string(context.configuration.isolation.rawValue),
                    "rootless": .bool(!context.host.isRoot),
                ]),
            AuditEvent(
                .sandboxConfig, subject: name,
                details: [
                    "settings": .object(settings),
                    "digest": .string(try SHA256.digest(JSONValue.object(settings).bytes).hex),
                ]),
        ])
    }

    /// Somebody gets a shell or a command, unrecorded.
    func began(_ title: String, _ kind: String) throws(AiboxError) {
        try log.append(
            AuditEvent(
                .sessionStart, subject: AuditText.carried(Array(title.utf8)),
                details: ["kind": .string(kind), "recorded": false]))
    }

    func ended(_ title: String, _ kind: String, status: Int32, after time: Duration) throws(AiboxError) {
        try log.append(
            AuditEvent(
                .sessionEnd, subject: AuditText.carried(Array(title.utf8)),
                details: [
                    "kind": .string(kind), "exit_code": .integer(Int64(status)),
                    "duration_ms": .integer(Int64(time.milliseconds)),
                ]))
    }

    /// What stands for keys is about to be handed over: to the sandbox, and with the keys to its gateway.
    func lending(_ lending: CredentialLending) throws(AiboxError) {
        var events = lending.rulings.map(\.event)
        for grant in lending.plan?.grants ?? [] {
            var details: JSONObject = [
                "kind": "llm", "surrogate": .string(String(try SHA256.digest(grant.surrogate).hex.prefix(8))),
            ]
            details["expires"] = grant.expires.map { .string(Timestamp(seconds: $0).rfc3339) }
            events.append(AuditEvent(.credentialIssue, subject: grant.name, details: details))
        }
        for grant in lending.plan?.places ?? [] {
            var details: JSONObject = [
                "kind": .string(grant.kind.rawValue), "host": .string(grant.authority + grant.path),
            ]
            details["expires"] = grant.expires.map { .string(Timestamp(seconds: $0).rfc3339) }
            events.append(AuditEvent(.credentialIssue, subject: grant.name, details: details))
        }
        try log.append(events)
    }

    func fallback(_ words: String, _ engine: String) throws(AiboxError) {
        try log.append(
            AuditEvent(
                .layerFallback, subject: name,
                details: ["layer": "gvisor", "reason": .string(words), "replacement": .string(engine)]))
    }

    /// The policy differs from that of the sandbox's start before.
    func policyChanged(from: String, to: String) throws(AiboxError) {
        try log.append(
            AuditEvent(
                .policyChange, subject: name,
                details: ["layer": "effective", "from": .string(from), "to": .string(to)]))
    }

    /// The policies in Rego refuse the start.
    func refused(_ admission: SandboxAdmission) throws(AiboxError) { try log.append(try admitting(admission)) }

    /// The decision with everything that makes it again.
    private func admitting(_ admission: SandboxAdmission) throws(AiboxError) -> AuditEvent {
        let decision = admission.decision
        let isAllowed = decision.outcome == .allow
        var details: JSONObject = ["action": "start", "rule": .string(decision.rule)]
        details["layer"] = .string(admission.layer)
        details["origin"] = admission.place.map { .string(AuditText.carried(Array($0.utf8))) }
        details["reason"] = .string(AuditText.carried(Array(decision.reason.utf8)))
        details["question"] = admission.question
        details["input"] = .string(try PolicyInput.digest(admission.input))
        details["policies"] = .string(try admission.modules.digest())
        details["duration_us"] = .integer(Int64(admission.duration / .microseconds(1)))
        return AuditEvent(
            isAllowed ? .policyAllow : .policyDeny, subject: name, outcome: isAllowed ? .allowed : .denied,
            details: details, risk: AuditRisk(rawValue: decision.risk))
    }

    /// The policy refuses the start.
    func refused(_ error: AiboxError, rule: String) throws(AiboxError) {
        let reason = [error.what, error.why].compactMap { $0 }.joined(separator: ": ")
        try log.append(
            AuditEvent(
                .policyDeny, subject: name, outcome: .denied,
                details: [
                    "action": "start", "rule": .string(rule), "reason": .string(AuditText.carried(Array(reason.utf8))),
                ]))
    }

    func started(_ record: SandboxRecord, _ findings: [HardeningCheck.Finding]) throws(AiboxError) {
        try log.append(
            AuditEvent(
                .sandboxStart, subject: record.name,
                details: [
                    "workspace": .string(AuditText.carried(Array(record.workspace.utf8))),
                    "runtime": .string(record.engine),
                    "image": .string(record.image + "@" + record.imageID),
                    "layers": .array(findings.map { .string($0.layer) }),
                ]))
    }

    func failed(_ error: AiboxError) throws(AiboxError) {
        try log.append(
            AuditEvent(
                .sandboxStart, subject: name, outcome: error.code == .denied ? .denied : .failure,
                details: ["reason": .string(AuditText.carried(Array(error.reason.utf8)))]))
    }

    func stopping(_ name: String, reason: String) throws(AiboxError) {
        try log.append(AuditEvent(.sandboxStop, subject: name, details: ["reason": .string(reason)]))
    }

    func destroying(_ volumes: [String]) throws(AiboxError) {
        try log.append(
            AuditEvent(.sandboxDestroy, subject: name, details: ["volumes": .array(volumes.map { .string($0) })]))
    }

    func cutOff(_ name: String) throws(AiboxError) {
        try log.append([
            AuditEvent(
                .gatewayCutOff, subject: name,
                details: ["layer": "gateway", "reason": "the gateway's process had ended"]),
            AuditEvent(.sandboxStop, subject: name, details: ["reason": "gateway gone"]),
        ])
    }

    /// The layers were probed from inside.
    func verified(_ probes: Int, failed: [String]) throws(AiboxError) {
        try log.append(
            AuditEvent(
                .layerVerify, subject: name, outcome: failed.isEmpty ? .success : .failure,
                details: [
                    "probes": .integer(Int64(probes)), "passed": .integer(Int64(probes - failed.count)),
                    "failed": .array(failed.map { .string($0) }),
                ]))
    }

    /// Signs what was written.
    func close() throws(AiboxError) { try log.close() }
}
