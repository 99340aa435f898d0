/// The types of event. The raw value is what stands in the log; one that was published never changes its meaning.
public enum AuditEventType: String, Sendable, CaseIterable {
    // Lifecycle of a sandbox.
    case sandboxCreate = "sandbox.create"
    case sandboxStart = "sandbox.start"
    case sandboxStop = "sandbox.stop"
    case sandboxDestroy = "sandbox.destroy"
    case sandboxConfig = "sandbox.config"
    case gatewayStart = "gateway.start"
    case gatewayStop = "gateway.stop"
    case gatewayCutOff = "gateway.cutoff"
    case gatewayRepair = "gateway.repair"
    case gatewayDeny = "gateway.deny"
    case layerFallback = "layer.fallback"
    case layerVerify = "layer.verify"
    case imageBuild = "image.build"
    case imageUpdate = "image.update"
    case packInstall = "pack.install"
    case packRemove = "pack.remove"
    case mcpChange = "mcp.change"

    // A person's ways in.
    case sessionStart = "session.start"
    case sessionEnd = "session.end"
    case sshOpen = "ssh.open"
    case sshClose = "ssh.close"
    case portForwardOpen = "portforward.open"
    case portForwardClose = "portforward.close"
    case recordingStart = "recording.start"
    case recordingEnd = "recording.end"

    // The way out.
    case networkAllow = "network.allow"
    case networkDeny = "network.deny"
    case networkEnd = "network.end"
    case dnsQuery = "dns.query"
    case dnsResponse = "dns.response"
    case llmRequest = "llm.request"
    case llmResponse = "llm.response"
    case llmExpire = "llm.expire"
    case llmAbandoned = "llm.abandoned"

    // What the agent does and asks for.
    case toolInvoke = "tool.invoke"
    case toolApprove = "tool.approve"
    case toolDeny = "tool.deny"
    case fileRead = "file.read"
    case fileWrite = "file.write"
    case workspaceFinding = "workspace.finding"
    case pushRequest = "push.request"
    case pushAllow = "push.allow"
    case pushDeny = "push.deny"

    // Decisions and their rules.
    case policyAllow = "policy.allow"
    case policyDeny = "policy.deny"
    case policyChange = "policy.change"
    case approvalRequest = "approval.request"
    case approvalDecide = "approval.decide"
    case learnStart = "learn.start"
    case learnStop = "learn.stop"
    case configChange = "config.change"

    // Credentials.
    case credentialIssue = "credential.issue"
    case credentialUse = "credential.use"
    case credentialRotate = "credential.rotate"
    case credentialRevoke = "credential.revoke"

    // What watches from outside.
    case falcoAlert = "falco.alert"
    case runtimeTrace = "runtime.trace"

    // The log itself.
    case auditOpen = "audit.open"
    case auditRotate = "audit.rotate"
    case auditRecover = "audit.recover"
    case auditPlace = "audit.place"
    case auditExpire = "audit.expire"
    case auditGap = "audit.gap"

    /// What it means and carries.
    public var definition: AuditEventDefinition { Self.definitions[self] ?? makeDefinition() }

    /// Made once: every append looks into them.
    private static let definitions = Dictionary(uniqueKeysWithValues: allCases.map { ($0, $0.makeDefinition()) })

    private func makeDefinition() -> AuditEventDefinition {
        switch group {
        case .lifecycle: lifecycleDefinition
        case .access: accessDefinition
        case .traffic: trafficDefinition
        case .action: actionDefinition
        case .decision: decisionDefinition
        case .observation: observationDefinition
        case .log: logDefinition
        }
    }

    /// The chapters of docs/audit-events.md.
    enum Group: String, CaseIterable {
        case lifecycle = "Lifecycle of a sandbox"
        case access = "A person's ways in"
        case traffic = "The way out"
        case action = "What the agent does and asks for"
        case decision = "Decisions, rules and credentials"
        case observation = "What watches from outside"
        case log = "The log itself"
    }

    var group: Group {
        switch rawValue.prefix(while: { $0 != "." }) {
        case "sandbox", "gateway", "layer", "image", "pack", "mcp": .lifecycle
        case "session", "ssh", "portforward", "recording": .access
        case "network", "dns", "llm": .traffic
        case "tool", "file", "workspace", "push": .action
        case "policy", "approval", "learn", "config", "credential": .decision
        case "falco", "runtime": .observation
        default: .log
        }
    }
}
