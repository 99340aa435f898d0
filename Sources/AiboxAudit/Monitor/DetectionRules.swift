import AiboxWire

extension DetectionRule {
    /// The rules that `aibox monitor generate` writes.
    public static let all: [DetectionRule] = [
        DetectionRule(
            "aibox-metadata-address", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a01",
            "Sandbox asked for a cloud metadata service", "critical",
            tags: ["attack.credential-access", "attack.t1552.005"],
            falsePositives: "Cloud tools that probe where they run.",
            "An agent tried to reach the address from which a cloud machine hands out its credentials.",
            Condition("type", .equals, "network.deny"),
            Condition(
                "subject", .contains, "169.254.169.254", "metadata.google.internal", "100.100.100.200", "fd00:ec2::254")
        ),
        DetectionRule(
            "aibox-odd-protocol", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a02", "Sandbox sent packets past its gateway",
            "high", tags: ["attack.command-and-control", "attack.t1095"],
            falsePositives: "Programs that look for servers in their network.",
            "Packets of a protocol that the sandbox has no use for were dropped at its wall.",
            Condition("type", .equals, "network.deny"), Condition("details.protocol", .equals, "tcp", "udp", "icmp")),
        DetectionRule(
            "aibox-denied-burst", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a03",
            "Many connections of one session were refused",
            "high", tags: ["attack.command-and-control", "attack.t1090"], threshold: (20, 10),
            falsePositives: "A package manager whose registry is not on the allow-list.",
            "An agent tries one way out after the other.", Condition("type", .equals, "network.deny")),
        DetectionRule(
            "aibox-name-burst", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a04",
            "Many names that do not exist were asked for",
            "medium", tags: ["attack.command-and-control", "attack.t1071.004"], threshold: (100, 5),
            falsePositives: "A build that tries many mirrors.",
            "Names can carry data out; no query leaves the sandbox, but somebody tries.",
            Condition("type", .equals, "dns.response"), Condition("details.code", .equals, "NXDOMAIN", "REFUSED")),
        DetectionRule(
            "aibox-host-trigger", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a05",
            "A file that the host would execute was touched", "critical", tags: ["attack.persistence", "attack.t1546"],
            falsePositives: "A task that is about hooks or editor settings.",
            "Git hooks, editor tasks and their kin run on the developer's machine, outside the sandbox.",
            Condition("type", .equals, "workspace.finding")),
        DetectionRule(
            "aibox-layer-lost", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a06", "A layer of a running sandbox was lost",
            "critical", tags: ["attack.privilege-escalation", "attack.t1611"],
            falsePositives: "A machine under which the gateway was killed for want of memory.",
            "A promised layer died while the sandbox ran, which was cut off.",
            Condition("type", .equals, "gateway.cutoff", "layer.fallback")),
        DetectionRule(
            "aibox-credential-refused", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a07",
            "A surrogate was used where it does not belong",
            "critical", tags: ["attack.credential-access", "attack.t1528"],
            falsePositives: "A tool configured for another host than its credential.",
            "A stand-in for a credential went to another host or to another sandbox's broker, or a request for a place of the broker was refused.",
            Condition("type", .equals, "credential.use"), Condition("outcome", .equals, "denied", "failure")),
        DetectionRule(
            "aibox-push-refused", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a08", "A push was refused", "high",
            tags: ["attack.exfiltration", "attack.t1567.001"], falsePositives: "A developer who asked for that push.",
            "An agent tried to push to a remote or branch that it has no right to.",
            Condition("type", .equals, "push.deny")),
        DetectionRule(
            "aibox-large-prompt", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a09",
            "A very large request to a language model",
            "medium", tags: ["attack.exfiltration", "attack.t1567"], falsePositives: "Long files in a prompt.",
            "More than a mebibyte in one request to a model.", Condition("type", .equals, "llm.request"),
            Condition("details.bytes", .atLeast, 1_048_576)),
        DetectionRule(
            "aibox-evidence-damaged", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a10", "Events or a recording are missing",
            "critical", tags: ["attack.defense-evasion", "attack.t1070"],
            falsePositives: "A full disk.",
            "The log had to set whole lines aside, could not be written, or a recording ended before its session.",
            Condition("type", .equals, "audit.recover", "audit.gap", "audit.place", "recording.end"),
            Condition("severity", .equals, "critical", "high")),
        DetectionRule(
            "aibox-self-approval", id: "5f0c1f2e-8f0e-4f0e-9d3e-2b8c6f1f6a11",
            "Sandbox asked its gateway for what only people are given", "high",
            tags: ["attack.privilege-escalation", "attack.t1548"],
            falsePositives: "A scanner of ports that greets whatever it finds.",
            "An agent sent the gateway something that no gate asks, as one does who looks for a way to answer a review.",
            Condition("type", .equals, "gateway.deny")),
    ]
}
