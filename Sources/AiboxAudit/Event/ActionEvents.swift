extension AuditEventType {
    var actionDefinition: AuditEventDefinition {
        switch self {
        case .toolInvoke:
            AuditEventDefinition(
                "A gated tool was called.", subject: "the command as typed",
                .required("argv", .texts, "the program and its arguments"),
                .optional("directory", .text, "the working directory"),
                .optional("rule", .text, "the rule that matched"),
                .optional("layer", .text, "org, team or project"),
                .optional("pid", .integer, "the process in the sandbox"),
                .optional("exit_code", .integer, "its exit status, when it ended"))
        case .toolApprove:
            AuditEventDefinition(
                "A call of a gated tool was let through.", subject: "the command as typed",
                .required("argv", .texts, "the program and its arguments"),
                .optional("rule", .text, "the rule that matched"),
                .optional("layer", .text, "org, team or project"),
                .optional("approval", .text, "the approval's id, if a person decided"),
                .optional("approver", .text, "the person who decided"))
        case .toolDeny:
            AuditEventDefinition(
                "A call of a gated tool was refused.", subject: "the command as typed", severity: .warning,
                .required("argv", .texts, "the program and its arguments"),
                .optional("rule", .text, "the rule that matched"),
                .optional("layer", .text, "org, team or project"),
                .optional("reason", .text, "the words that the agent got"),
                .optional("approval", .text, "the approval's id, if a person decided"))
        case .fileRead:
            AuditEventDefinition(
                "A watched file was read.", subject: "the path", retention: .tier2,
                .optional("process", .text, "the program that read it"),
                .optional("pid", .integer, "its process"))
        case .fileWrite:
            AuditEventDefinition(
                "A watched file was written, made or removed.", subject: "the path", retention: .tier2,
                .optional("action", .text, "write, create, remove, rename or mode"),
                .optional("process", .text, "the program that wrote it"),
                .optional("pid", .integer, "its process"))
        case .workspaceFinding:
            AuditEventDefinition(
                "A file that the host would execute was changed, or an attempt was stopped.",
                subject: "the path in the workspace", severity: .high,
                .required("kind", .text, "git hook, git config, editor task, agent settings, ..."),
                .required("action", .text, "create, change, remove or attempt"),
                .optional("before", .text, "SHA-256 before"),
                .optional("after", .text, "SHA-256 after"),
                .optional("restored", .boolean, "whether it was put back"))
        case .pushRequest:
            AuditEventDefinition(
                "A push arrived at the broker.", subject: "the remote's URL without user and password",
                .required("push", .text, "the push's id"),
                .required("refs", .texts, "old id, new id and name of each ref"),
                .optional("commits", .integer, "commits that are new to the remote"),
                .optional("bytes", .integer, "bytes of the pack"))
        case .pushAllow:
            AuditEventDefinition(
                "A push was forwarded to its remote.", subject: "the remote's URL without user and password",
                .required("push", .text, "the push's id"),
                .required("refs", .texts, "old id, new id and name of each ref"),
                .optional("rule", .text, "the rule that allowed it"),
                .optional("approval", .text, "the approval's id, if a person decided"),
                .optional("approver", .text, "the person who decided"))
        default:
            AuditEventDefinition(
                "A push was refused.", subject: "the remote's URL without user and password", severity: .warning,
                .required("push", .text, "the push's id"),
                .required("refs", .texts, "old id, new id and name of each ref"),
                .optional("rule", .text, "the rule that refused it"),
                .optional("reason", .text, "the words that the agent got"),
                .optional("approval", .text, "the approval's id, if a person decided"))
        }
    }
}
