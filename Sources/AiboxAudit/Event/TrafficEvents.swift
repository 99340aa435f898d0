extension AuditEventType {
    var trafficDefinition: AuditEventDefinition {
        switch self {
        case .networkAllow:
            AuditEventDefinition(
                "A connection or request went out.", subject: "host and port", retention: .tier2,
                .optional("host", .text, "the host asked for"),
                .optional("port", .integer, "the port asked for"),
                .optional("protocol", .text, "connect, http, https or tls"),
                .optional("method", .text, "the HTTP method, where it was seen"),
                .optional("path", .text, "the path without query, where it was seen"),
                .optional("rule", .text, "the rule that allowed it"),
                .optional("layer", .text, "org, team, project, user or session"),
                .optional("question", .object, "what the policies in Rego were asked, without the policy"),
                .optional("input", .text, "SHA-256 of their input document"),
                .optional("policies", .text, "SHA-256 of the policies in Rego"),
                .optional("learning", .boolean, "the sandbox learns, and its own policy refuses this"),
                .optional("would", .text, "what its own policy says: deny"),
                .optional("would_rule", .text, "the rule of its own policy"),
                .optional("would_layer", .text, "whose rule that is"),
                .optional("would_code", .text, "the stable word for the reason"))
        case .networkDeny:
            AuditEventDefinition(
                "A connection, request or packet was refused.", subject: "host and port, or the packet's target",
                severity: .warning, retention: .tier2,
                .optional("host", .text, "the host asked for"),
                .optional("port", .integer, "the port asked for"),
                .optional("protocol", .text, "connect, http, https, tls, tcp, udp, icmp or another IP protocol"),
                .optional("method", .text, "the HTTP method, where it was seen"),
                .optional("path", .text, "the path without query, where it was seen"),
                .optional("rule", .text, "the rule that refused it"),
                .optional("layer", .text, "org, team or project"),
                .optional("reason", .text, "the words that the agent got"),
                .optional("code", .text, "the stable word for the reason"),
                .optional("origin", .text, "where the rule in Rego stands: file and row"),
                .optional("question", .object, "what the policies in Rego were asked, without the policy"),
                .optional("input", .text, "SHA-256 of their input document"),
                .optional("policies", .text, "SHA-256 of the policies in Rego"),
                .optional("learning", .boolean, "the sandbox learns, and this is refused all the same"),
                .optional("org_rule", .text, "the rule by which the organisation alone refuses it"),
                .optional("org_code", .text, "the stable word for that reason"),
                .optional(
                    "packets", .integer,
                    "packets dropped that this stands for, where a counter of the packet filter saw them"))
        case .networkEnd:
            AuditEventDefinition(
                "What went out has ended.", subject: "host and port", retention: .tier2,
                .required("allow", .text, "the id of the network.allow event"),
                .optional(
                    "status", .integer,
                    "the answer's status, of a request in an opened tunnel; 0: the client left before one came"),
                .required("bytes_out", .integer, "bytes sent by the sandbox"),
                .required("bytes_in", .integer, "bytes received by the sandbox"),
                .required("duration_ms", .integer, "how long it took, in milliseconds"))
        case .dnsQuery:
            AuditEventDefinition(
                "The sandbox asked for a name, and the answer is not known; else dns.response tells of both.",
                subject: "the name", retention: .tier2,
                .optional("record", .text, "A, AAAA, TXT, ..."))
        case .dnsResponse:
            AuditEventDefinition(
                "What the sandbox was told about a name.", subject: "the name", retention: .tier2,
                .optional("record", .text, "A, AAAA, TXT, ..."),
                .required("code", .text, "NOERROR, NXDOMAIN, REFUSED"),
                .optional("learning", .boolean, "the sandbox learns, and the organisation does not list the name"),
                .optional("rule", .text, "the rule that refused it"),
                .optional("layer", .text, "org, team, project, user or session"),
                .optional("queries", .integer, "questions within a second that this stands for, where not one"))
        case .llmRequest:
            AuditEventDefinition(
                "A request to a language model was sent or refused.", subject: "the model", retention: .tier2,
                .optional("provider", .text, "the upstream"),
                .optional("path", .text, "the API's path"),
                .optional("request", .text, "the request's id"),
                .optional("bytes", .integer, "bytes of the body"),
                .optional("digest", .text, "SHA-256 of the body"),
                .optional("estimated_tokens", .integer, "tokens estimated before sending"),
                .optional("redactions", .integer, "values replaced in the body"),
                .optional("payload", .text, "where its content and the answer's are kept: aibox llm show ID"),
                .optional("dlp", .object, "the rules of llm.dlp that it met, each with how often at least"),
                .optional(
                    "reason", .text, "why it was refused; allowed: why the provider before this one did not get it"))
        case .llmExpire:
            AuditEventDefinition(
                "Requests and answers that were kept are removed: there is more of them than the policy keeps, or they are older.",
                subject: "how many", severity: .warning,
                .required("payloads", .texts, "which, as payload of llm.request and llm.response names them"),
                .required("bytes", .integer, "bytes of their files"))
        case .llmAbandoned:
            AuditEventDefinition(
                "Requests and answers that are kept have no end: the proxy that wrote them died.", subject: "how many",
                severity: .warning,
                .required("payloads", .texts, "which, as payload of llm.request names them"))
        default:
            AuditEventDefinition(
                "A language model answered.", subject: "the model", retention: .tier2,
                .optional("provider", .text, "the upstream"),
                .optional("request", .text, "the request's id"),
                .optional("status", .integer, "the HTTP status"),
                .optional("bytes", .integer, "bytes of the body"),
                .optional("digest", .text, "SHA-256 of the body"),
                .optional("input_tokens", .integer, "tokens read, as the provider counts"),
                .optional("output_tokens", .integer, "tokens written, as the provider counts"),
                .optional("cached_tokens", .integer, "tokens read from the provider's cache"),
                .optional(
                    "cache_write_tokens", .integer, "tokens written to the provider's cache, where there are any"),
                .optional("cache_write_1h_tokens", .integer, "of these, those for an hour, where there are any"),
                .optional("redactions", .integer, "copies of a key taken out of the answer"),
                .optional("payload", .text, "where the content is kept"),
                .optional("payload_digest", .text, "SHA-256 of that file"),
                .optional("cost_microdollars", .integer, "cost in millionths, in the currency of llm.prices"),
                .optional("duration_ms", .integer, "how long it took, in milliseconds"),
                .optional("reason", .text, "why it was broken off, where it was"))
        }
    }
}
