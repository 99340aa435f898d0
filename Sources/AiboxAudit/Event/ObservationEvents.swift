extension AuditEventType {
    var observationDefinition: AuditEventDefinition {
        switch self {
        case .falcoAlert:
            AuditEventDefinition(
                "Falco reported.", subject: "Falco's rule", severity: .high, retention: .tier2,
                .required("output", .text, "Falco's words"),
                .optional("priority", .text, "Falco's priority"),
                .optional("fields", .object, "Falco's output fields"))
        default:
            AuditEventDefinition(
                "A program of the sandbox, seen from outside: by gVisor after it had begun, by the kernel under crun before.",
                subject:
                    "start: the first program; execve: another; killed: one that a signal ended; lost: points of which"
                    + " there is no event; ended: there are no more",
                severity: .info, retention: .tier2,
                .optional("process", .text, "the file that was loaded"),
                .optional("pid", .integer, "its process inside the sandbox"),
                .optional("uid", .integer, "its effective user inside the sandbox"),
                .optional("folder", .text, "its working folder"),
                .optional("arguments", .texts, "what it was called with, 64 words and 4096 bytes at most"),
                .optional("arguments_cut", .boolean, "there were more, or longer ones"),
                .optional("arguments_count", .integer, "how many there were"),
                .optional("signal", .integer, "what ended it"),
                .optional("lost", .integer, "how many points"),
                .optional("reason", .text, "why they are lost, or why there are no more"))
        }
    }

    var logDefinition: AuditEventDefinition {
        switch self {
        case .auditOpen:
            AuditEventDefinition(
                "The first event of every log: it begins here.", subject: "the log's origin",
                .required("schema", .integer, "the version of the event schema"),
                .required("anchor", .text, "SHA-256 of log.pub"),
                .required("key", .text, "the log's verifier key"),
                .optional("places", .texts, "the second places of its checkpoints"))
        case .auditRotate:
            AuditEventDefinition(
                "The first event of every further file: the log goes on here.", subject: "the file before",
                .required("first", .integer, "the sequence number that the file before begins with"),
                .required("last", .integer, "the sequence number that it ends with"),
                .required("bytes", .integer, "its size"))
        case .auditRecover:
            AuditEventDefinition(
                "A writer died in the middle of writing. What it left was set aside; nothing acknowledged was lost.",
                subject: "the file that holds the left-over bytes", severity: .warning,
                .required("file", .text, "the file that was repaired"),
                .required("offset", .integer, "where the left-over bytes began"),
                .required("bytes", .integer, "how many there were"),
                .required("lines", .integer, "how many whole lines were among them; 0 after a plain crash"),
                .required("digest", .text, "SHA-256 of them"))
        case .auditPlace:
            AuditEventDefinition(
                "A second place cannot be written, or can be again.", subject: "the place", severity: .high,
                .optional("reason", .text, "why not"))
        case .auditExpire:
            AuditEventDefinition(
                "Events past their retention were removed.", subject: "the files removed", severity: .warning,
                .required("first", .integer, "the first sequence number removed"),
                .required("last", .integer, "the last sequence number removed"),
                .required("tombstone", .text, "the file that stands for them"),
                .required("digest", .text, "SHA-256 of that file"))
        default:
            AuditEventDefinition(
                "Events are missing before this one: the disk took none, and the organisation lets actions go on.",
                subject: "the log's origin", severity: .critical,
                .required("events", .integer, "how many are missing"),
                .required("since", .text, "when the first of them was to be written, UTC"))
        }
    }
}
