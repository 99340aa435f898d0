extension AuditEventType {
    var decisionDefinition: AuditEventDefinition {
        switch self {
        case .policyAllow, .policyDeny:
            AuditEventDefinition(
                self == .policyAllow ? "A policy allowed an action." : "A policy refused an action.",
                subject: "what was asked for", severity: self == .policyAllow ? .info : .warning,
                .required("action", .text, "start, command, network, file, push, credential, ..."),
                .required("rule", .text, "the rule that decided; default-deny if none matched"),
                .optional("layer", .text, "org, team or project"),
                .optional("origin", .text, "where the rule stands: file and line"),
                .optional("reason", .text, "the rule's words"),
                .optional("question", .object, "the input document without the policy"),
                .optional("input", .text, "SHA-256 of the input document"),
                .optional("policies", .text, "SHA-256 of the policies in Rego that decided"),
                .optional("approval", .text, "the approval's id, if a person was asked"),
                .optional("approver", .text, "the person who answered"),
                .optional("review", .text, "afterwards: it goes on, and is to be looked at"),
                .optional("learning", .boolean, "the sandbox learns, and its own policy refuses this"),
                .optional("would", .text, "what its own policy says: deny or review"),
                .optional("would_rule", .text, "the rule of its own policy"),
                .optional("would_layer", .text, "whose rule that is"),
                .optional("org_rule", .text, "the rule by which the organisation refuses it as well"),
                .optional("duration_us", .integer, "how long the decision took, in microseconds"))
        case .policyChange:
            AuditEventDefinition(
                "The policy in force changed.", subject: "the file or the layer", severity: .high,
                .required("layer", .text, "org, team, project or session"),
                .optional("change", .text, "what was changed, in words"),
                .optional("from", .text, "SHA-256 before"),
                .optional("to", .text, "SHA-256 from now on"),
                .optional("reason", .text, "why a change was refused"))
        case .approvalRequest:
            AuditEventDefinition(
                "A person was asked.", subject: "what was asked for",
                .required("approval", .text, "the approval's id"),
                .required("action", .text, "command, network, push, credential, ..."),
                .optional("expires", .text, "when the question lapses, UTC"),
                .optional("rule", .text, "the rule that asks"),
                .optional("directory", .text, "the working directory, inside"))
        case .approvalDecide:
            AuditEventDefinition(
                "A person answered, or the question lapsed.", subject: "what was asked for",
                .required("approval", .text, "the approval's id"),
                .optional("approver", .text, "the person; absent if it lapsed"),
                .optional("scope", .text, "once, session or a duration"),
                .optional("reason", .text, "the person's words"))
        case .learnStart:
            AuditEventDefinition(
                "From now on what the organisation permits is let through although team or project refuse it, and told.",
                subject: "the sandbox", severity: .high,
                .required("person", .text, "who asked for it"),
                .required("seconds", .integer, "for how long at most"))
        case .learnStop:
            AuditEventDefinition(
                "The sandbox learns no more.", subject: "the sandbox",
                .optional("person", .text, "who asked for it; absent if its time was over"),
                .required("reason", .text, "why"))
        case .configChange:
            AuditEventDefinition(
                "A setting was changed.", subject: "the key", severity: .warning,
                .required("file", .text, "the file that was written"),
                .optional("from", .text, "the value before"),
                .optional("to", .text, "the value from now on; absent if removed"),
                .optional("reason", .text, "why a change was refused"))
        default: credentialDefinition
        }
    }

    private var credentialDefinition: AuditEventDefinition {
        switch self {
        case .credentialIssue:
            AuditEventDefinition(
                "A credential was lent to a sandbox's broker, or refused. Never the value of it or of its surrogate.",
                subject: "the credential's name",
                .optional("kind", .text, "git, llm, mirror, custom, ..."),
                .optional("surrogate", .text, "the first 8 hexadecimal digits of the surrogate's SHA-256"),
                .optional("host", .text, "where it is good, and below which path"),
                .optional("expires", .text, "when it dies, UTC"),
                .optional("store", .text, "file, keyring, vault, spiffe, ..."),
                .optional("lease", .text, "Vault's id of the lease, as its own log has it"),
                .optional("reason", .text, "why it was refused"))
        case .credentialUse:
            AuditEventDefinition(
                "A credential was added to a request on the way out, or git on the host got one; or that was refused, as is a stand-in or a key that is shown where it does not belong (severity high).",
                subject: "the credential's name",
                .optional("kind", .text, "git, llm, mirror, custom, ..."),
                .optional("surrogate", .text, "the first 8 hexadecimal digits of the surrogate's SHA-256"),
                .optional("request", .text, "tells the broker's requests apart"),
                .optional("host", .text, "the host it was used for"),
                .optional("path", .text, "the repository; of a mirror and another place the path"),
                .optional("operation", .text, "fetch, push; read; of another place the method"),
                .optional("store", .text, "file, keyring, vault, spiffe, ..."),
                .optional("reason", .text, "why it was refused"))
        case .credentialRotate:
            AuditEventDefinition(
                "A credential was added or replaced, or its surrogate was replaced.", subject: "the credential's name",
                .optional("kind", .text, "git, llm, mirror, custom, ..."),
                .optional("store", .text, "file, keyring, vault, spiffe, ..."),
                .optional("surrogate", .text, "the first 8 hexadecimal digits of the new surrogate's SHA-256"),
                .optional("expires", .text, "when the new one dies, UTC"),
                .optional("lease", .text, "Vault's id of the new lease, as its own log has it"),
                .optional("reason", .text, "why it was replaced, or could not be"))
        default:
            AuditEventDefinition(
                "A credential or its surrogate died.", subject: "the credential's name",
                .optional("kind", .text, "git, llm, mirror, custom, ..."),
                .optional("store", .text, "file, keyring, vault, spiffe, ..."),
                .optional("surrogate", .text, "the first 8 hexadecimal digits of the surrogate's SHA-256"),
                .optional("lease", .text, "Vault's id of the lease, as its own log has it"),
                .optional("reason", .text, "stop, expiry, asked for, store; why it could not be revoked"))
        }
    }
}
