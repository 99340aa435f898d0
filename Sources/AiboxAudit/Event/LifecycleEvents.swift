extension AuditEventType {
    var lifecycleDefinition: AuditEventDefinition {
        switch self {
        case .sandboxCreate:
            AuditEventDefinition(
                "A sandbox is about to be made.", subject: "the sandbox's name",
                .required("workspace", .text, "the real path of the workspace"),
                .optional("image", .text, "the image with its digest"),
                .optional("runtime", .text, "runsc or crun"),
                .optional("rootless", .boolean, "whether podman runs without root"))
        case .sandboxStart:
            AuditEventDefinition(
                "A sandbox runs, with every promised layer checked; or its start failed.",
                subject: "the sandbox's name",
                .optional("container", .text, "the container's id"),
                .optional("runtime", .text, "runsc or crun"),
                .optional("workspace", .text, "the real path of the workspace"),
                .optional("image", .text, "the image with its digest"),
                .optional("layers", .texts, "the layers in force"),
                .optional("reason", .text, "why the start failed"),
                .optional("duration_ms", .integer, "milliseconds from the command to the prompt"))
        case .sandboxStop:
            AuditEventDefinition(
                "A sandbox stopped.", subject: "the sandbox's name",
                .optional("container", .text, "the container's id"),
                .optional("reason", .text, "asked for, idle, gateway gone, layer lost"),
                .optional("exit_code", .integer, "the exit status of the container's first process"))
        case .sandboxDestroy:
            AuditEventDefinition(
                "A sandbox and its volumes are removed.", subject: "the sandbox's name",
                .optional("container", .text, "the container's id"),
                .optional("volumes", .texts, "the volumes removed with it"))
        case .sandboxConfig:
            AuditEventDefinition(
                "The settings that a sandbox starts with.", subject: "the sandbox's name",
                .required("settings", .object, "the settings in force, without secrets"),
                .optional("digest", .text, "SHA-256 of the merged configuration"))
        case .gatewayStart:
            AuditEventDefinition(
                "The gateway of a sandbox is ready.", subject: "the sandbox's name",
                .optional("pid", .integer, "its process"),
                .optional("listeners", .texts, "the addresses it listens on"),
                .optional("version", .text, "aibox's version"),
                .optional("reason", .text, "why it could not start"))
        case .gatewayStop:
            AuditEventDefinition(
                "The gateway of a sandbox ended.", subject: "the sandbox's name",
                .optional("pid", .integer, "its process"),
                .optional("reason", .text, "why it ended"),
                .optional("allowed", .integer, "requests that it let through"),
                .optional("denied", .integer, "requests that it refused"))
        case .gatewayCutOff:
            AuditEventDefinition(
                "A promised layer died while the sandbox ran, so its way out was cut.", subject: "the sandbox's name",
                severity: .critical,
                .required("layer", .text, "the layer that died"),
                .required("reason", .text, "how it died"))
        case .gatewayRepair:
            AuditEventDefinition(
                "A person's command connects a sandbox again that was cut off.", subject: "the sandbox's name",
                severity: .high,
                .required("reason", .text, "why it was cut off"))
        case .gatewayDeny:
            AuditEventDefinition(
                "Somebody in the sandbox asked the gateway for what it does for nobody there: an answer to a review, say. Refused.",
                subject: "method and path as they came", severity: .high,
                .required("port", .integer, "the door of the gateway"),
                .optional("status", .integer, "the HTTP status; absent if there was no answer"),
                .optional("count", .integer, "so many more, which no line of their own tells of"))
        default: equipmentDefinition
        }
    }

    private var equipmentDefinition: AuditEventDefinition {
        switch self {
        case .layerFallback:
            AuditEventDefinition(
                "A layer is missing and the organisation's policy permits to go without it.",
                subject: "the sandbox's name", severity: .high,
                .required("layer", .text, "the missing layer"),
                .required("reason", .text, "why it is missing"),
                .optional("replacement", .text, "what stands in for it"))
        case .layerVerify:
            AuditEventDefinition(
                "The layers of a sandbox were probed.", subject: "the sandbox's name",
                .required("probes", .integer, "probes made"),
                .required("passed", .integer, "probes that were refused as promised"),
                .optional("failed", .texts, "probes that got through, or could not be made"))
        case .imageBuild:
            AuditEventDefinition(
                "An image was built.", subject: "the image's reference",
                .optional("digest", .text, "its digest"),
                .optional("base", .text, "the image it builds on, with digest"),
                .optional("reason", .text, "why the build failed"))
        case .imageUpdate:
            AuditEventDefinition(
                "The image that new sandboxes use changed.", subject: "the image's reference",
                .optional("from", .text, "the digest before"),
                .optional("to", .text, "the digest from now on"),
                .optional("reason", .text, "why the update failed"))
        case .packInstall:
            AuditEventDefinition(
                "A tool pack was installed.", subject: "the pack's name and version",
                .optional("digest", .text, "the pack's digest"),
                .optional("reason", .text, "why it was not installed"))
        case .packRemove:
            AuditEventDefinition(
                "A tool pack was removed.", subject: "the pack's name and version",
                .optional("reason", .text, "why it was not removed"))
        default:
            AuditEventDefinition(
                "An MCP server was enabled, disabled or changed.", subject: "the server's name",
                .required("action", .text, "enable, disable or change"),
                .optional("command", .texts, "what it runs"),
                .optional("reason", .text, "why it was refused"))
        }
    }
}
