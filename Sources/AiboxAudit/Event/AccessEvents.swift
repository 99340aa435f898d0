extension AuditEventType {
    var accessDefinition: AuditEventDefinition {
        switch self {
        case .sessionStart:
            AuditEventDefinition(
                "A person or an agent gets a terminal or a command in a sandbox. An ssh that aibox does not record has ssh.open instead.",
                subject: "the command; empty for a shell",
                .optional("kind", .text, "shell, command or ssh"),
                .optional("recorded", .boolean, "whether it is recorded"))
        case .sessionEnd:
            AuditEventDefinition(
                "A session ended. One whose aibox was killed has none.", subject: "the command; empty for a shell",
                .optional("kind", .text, "shell, command or ssh"),
                .optional("exit_code", .integer, "its exit status"),
                .optional("duration_ms", .integer, "how long it took, in milliseconds"),
                .optional("size_bytes", .integer, "bytes of its recording"))
        case .sshOpen:
            AuditEventDefinition(
                "An SSH connection to the sandbox was accepted or refused.", subject: "the client's address",
                .optional("key", .text, "the fingerprint of the key offered"),
                .optional("port", .integer, "the port on the host"),
                .optional("reason", .text, "why it was refused"))
        case .sshClose:
            AuditEventDefinition(
                "An SSH connection to the sandbox ended.", subject: "the client's address",
                .optional("bytes_in", .integer, "bytes to the sandbox"),
                .optional("bytes_out", .integer, "bytes from the sandbox"),
                .optional("duration_ms", .integer, "how long it took, in milliseconds"))
        case .portForwardOpen:
            AuditEventDefinition(
                "A port of the sandbox was made reachable from the host.", subject: "the address on the host",
                .required("container_port", .integer, "the port in the sandbox"),
                .optional("host_port", .integer, "the port on the host"),
                .optional("reason", .text, "why it was refused"))
        case .portForwardClose:
            AuditEventDefinition(
                "A forwarded port was closed.", subject: "the address on the host",
                .required("container_port", .integer, "the port in the sandbox"),
                .optional("host_port", .integer, "the port on the host"),
                .optional("connections", .integer, "connections that it carried"))
        case .recordingStart:
            AuditEventDefinition(
                "The recording of a session began.", subject: "the recording's id",
                .required("policy", .text, "required or optional"),
                .optional("recipient", .text, "the fingerprint of the key that can read it"))
        default:
            AuditEventDefinition(
                "The recording of a session ended.", subject: "the recording's id",
                .optional("size_bytes", .integer, "bytes on disk"),
                .optional("digest", .text, "SHA-256 of the container"),
                .optional("duration_ms", .integer, "how long it is, in milliseconds"),
                .optional("reason", .text, "why it ended early"))
        }
    }
}
