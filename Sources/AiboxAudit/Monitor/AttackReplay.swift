public import AiboxSystem
import AiboxWire

/// A session as an attack leaves it in the log, and one as work does: what the detection rules are tried on.
public struct AttackReplay {
    public struct Outcome: Sendable {
        public var rule: DetectionRule
        /// How often it fired on the attack, and on the work, where it must not.
        public var onAttack: Int
        public var onWork: Int
        public var isRight: Bool { onAttack > 0 && onWork == 0 }
    }

    /// Writes both sessions into a log of their own and tries every rule on them.
    public static func run() throws(AiboxError) -> [Outcome] {
        let folder = try Folder.makeTemporary(prefix: "aibox-replay")
        defer { try? Folder.removeTree(folder) }
        let log = try AuditLog.open(folder: folder + "/audit", context: AuditContext(source: .gateway))
        try log.append(attack + work)
        try log.close()
        let attack = try outcome(folder, "attack")
        let work = try outcome(folder, "work")
        return zip(DetectionRule.all, zip(attack, work)).map { Outcome(rule: $0, onAttack: $1.0, onWork: $1.1) }
    }

    private static func outcome(_ folder: String, _ session: String) throws(AiboxError) -> [Int] {
        var query = AuditIndex.Query()
        query.session = session
        query.limit = .max
        let records = try AuditIndex(folder: folder + "/audit").search(query)
        return DetectionRule.all.map { $0.firings(in: records).count }
    }

    private static func context(_ session: String) -> AuditContext {
        AuditContext(source: .gateway, session: session, sandbox: "aibox-replay", user: "dev", host: "host.example")
    }

    private static var attack: [AuditEvent] {
        let context = context("attack")
        var events: [AuditEvent] = []
        func add(
            _ type: AuditEventType, _ subject: String, _ outcome: AuditOutcome, _ details: JSONObject = [:],
            severity: AuditSeverity? = nil
        ) {
            events.append(
                AuditEvent(
                    type, subject: subject, outcome: outcome, details: details, severity: severity, context: context))
        }
        add(.networkDeny, "169.254.169.254:80", .denied, ["host": "169.254.169.254", "port": 80, "protocol": "http"])
        add(.networkDeny, "198.51.100.7", .denied, ["protocol": "udp", "packets": 3])
        for number in 0..<25 {
            add(
                .networkDeny, "host\(number).example:443", .denied,
                ["host": .string("host\(number).example"), "protocol": "connect"])
        }
        for number in 0..<120 {
            add(.dnsResponse, "chunk\(number).exfil.example", .denied, ["record": "TXT", "code": "NXDOMAIN"])
        }
        add(
            .workspaceFinding, "/workspace/.git/hooks/post-checkout", .unknown,
            ["kind": "git hook", "action": "create"])
        add(.gatewayCutOff, "aibox-replay", .success, ["layer": "gateway", "reason": "it was killed"])
        add(
            .credentialUse, "llm-api-key:anthropic", .denied,
            [
                "kind": "llm", "host": "evil.example:80", "surrogate": "0badc0de",
                "reason": "credential.elsewhere: the request carries the stand-in for llm-api-key:anthropic",
            ], severity: .high)
        add(.gatewayDeny, "POST /v1/approvals/5f2c09be", .denied, ["port": 8444, "status": 404])
        add(.pushDeny, "https://evil.example/x.git", .denied, ["push": "1", "refs": ["main"]])
        add(.llmRequest, "model", .success, ["bytes": 2_000_000])
        add(
            .auditRecover, "torn-1-0", .success,
            ["file": "events", "offset": 0, "bytes": 1, "lines": 1, "digest": "00"], severity: .critical)
        return events
    }

    private static var work: [AuditEvent] {
        let context = context("work")
        var events: [AuditEvent] = []
        func add(_ type: AuditEventType, _ subject: String, _ outcome: AuditOutcome, _ details: JSONObject = [:]) {
            events.append(AuditEvent(type, subject: subject, outcome: outcome, details: details, context: context))
        }
        add(.sandboxStart, "aibox-replay", .success)
        for number in 0..<200 {
            add(
                .networkAllow, "registry.example:443", .allowed,
                ["host": "registry.example", "port": 443, "bytes_in": .integer(Int64(number))])
            add(.dnsResponse, "registry.example", .success, ["record": "A", "code": "NOERROR"])
        }
        for _ in 0..<5 {
            add(.networkDeny, "telemetry.example:443", .denied, ["host": "telemetry.example", "protocol": "connect"])
        }
        add(.llmRequest, "model", .success, ["bytes": 20_000])
        add(.credentialUse, "github", .allowed, ["host": "github.com"])
        add(.pushAllow, "https://github.com/x/y.git", .allowed, ["push": "1", "refs": ["feature"]])
        add(.recordingEnd, "id", .success)
        add(.sandboxStop, "aibox-replay", .success)
        return events
    }
}
