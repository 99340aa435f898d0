import AiboxConfig
import AiboxWire

/// Every field that a policy may have. Reading, merging, `policy show` and `diff`, the JSON schema and docs/policy.md
/// all follow this table: a new field is one row here.
public enum PolicySchema {
    /// The layout of the documents (`version`).
    static let version = 1

    /// The row of a name with its section.
    public static func field(_ name: String) -> PolicyField? { byName[name] }

    private static let byName = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0) })

    /// What holds where nobody says anything.
    static let standards: [String: [PolicyItem]] = fields.reduce(into: [:]) { standards, field in
        if let standard = field.standard { standards[field.name] = [PolicyItem(standard, .builtIn)] }
    }

    /// The sections and the fields without one, in the order of the table.
    static let sections: [String] = fields.reduce(into: []) { sections, field in
        if !sections.contains(field.section) { sections.append(field.section) }
    }

    /// The names that `names(part:)` knows: sections first.
    static let parts: [String] = sections + fields.filter { $0.key != nil }.map(\.name)

    /// The fields that a section's or a field's name stands for; nil if there is no such name.
    static func names(part: String) -> [String]? {
        let names = fields.map(\.name).filter { $0 == part || $0.hasPrefix(part + ".") }
        return names.isEmpty ? nil : names
    }

    private static let none = PolicyItem.Content.list([])

    public static let fields: [PolicyField] =
        network + filesystem + tools + resources + runtime + credentials + llm + push + audit + extensions + learn
        + rules

    private static let network: [PolicyField] = [
        PolicyField(
            "network.mode", .choice(["deny-by-default"]), .same, standard: .text("deny-by-default"),
            .always("deny-by-default"), "What is not allowed is refused; there is no other mode."),
        PolicyField(
            "network.allow", .list(.group(allowEntry)), .allowList, standard: none, .enforced("gateway and Squid"),
            "Where sandboxes may connect (network.md)."),
        PolicyField(
            "network.user_hosts", .choice(["any", "none"]), .later, standard: .text("none"),
            .enforced("aibox start and aibox network allow"),
            "Who may add public hosts on 443 and 80: any (the person at this machine) or none."),
        PolicyField(
            "network.targets", .list(.text(.addresses)), .ranges, standard: none, .enforced("gateway and Squid"),
            "Blocks of addresses that are not public and may be reached all the same."),
        PolicyField(
            "network.names",
            .list(
                .group([
                    PolicyMember("name", .text(.hostName), isRequired: true, "The name."),
                    PolicyMember("addresses", .list(.text(.address)), isRequired: true, "Its addresses."),
                ])), .organisation, standard: none, .enforced("gateway and Squid"), "Names with fixed addresses."),
        PolicyField(
            "network.upstream_proxy",
            .group([
                PolicyMember("host", .text(.hostNameOrAddress), isRequired: true, "Its host."),
                PolicyMember("port", .integer(1...65535), isRequired: true, "Its port."),
                PolicyMember("tls", .boolean, "Whether it is spoken to over TLS."),
            ]), .organisation, standard: nil, .enforced("Squid"),
            "A proxy of the company's through which everything has to go."),
        PolicyField(
            "network.inspection", .choice(["permitted", "forbidden"]), .organisation, standard: .text("permitted"),
            .enforced("policy validate and aibox start"),
            "Whether entries may open TLS (methods, paths, inspect): forbidden makes every such entry an error."),
        PolicyField(
            "network.authorities", .list(.text(.path)), .organisation, standard: none, .enforced("Squid"),
            "PEM files of the organisation's own certificate authorities."),
    ]

    private static let allowEntry: [PolicyMember] = [
        PolicyMember("id", .text(.identifier), isRequired: true, "Stands in every decision."),
        PolicyMember(
            "hosts", .list(.text(.any), least: 1), isRequired: true, "Names, or *.name for one label below it."),
        PolicyMember("ports", .list(.integer(1...65535), least: 1), "Absent: 443."),
        PolicyMember(
            "schemes", .list(.choice(["https", "http"]), least: 1), "Absent: https, and http with port 80."),
        PolicyMember("methods", .list(.text(.any), least: 1), "Absent: every method."),
        PolicyMember("paths", .list(.text(.any), least: 1), "Absent: every path."),
        PolicyMember("inspect", .boolean, "Open TLS although nothing but methods and paths needs it."),
        PolicyMember(
            "rate_limit",
            .group([
                PolicyMember("requests_per_min", .integer(1...1_000_000), "Requests, or tunnels, in a minute."),
                PolicyMember("connections", .integer(1...1_000_000), "Connections at a time."),
            ]), "How much one sandbox may use it."),
        PolicyMember("max_upload", .size, "Bytes that one connection may send."),
    ]

    private static let filesystem: [PolicyField] = [
        PolicyField(
            "filesystem.workspace_root", .text(.path), .below, standard: .text("/workspace"), .always("/workspace"),
            "Where the workspace is seen inside, and what may be written."),
        PolicyField(
            "filesystem.deny", .list(.text(.path)), .union, standard: none, .notYet,
            "Paths inside that are neither read nor written."),
        PolicyField(
            "filesystem.protected", .list(.text(.path)), .union, standard: none, .notYet,
            "Paths inside that are read but not changed."),
    ]

    private static let risks = ["safe", "review-required", "blocked-by-default"]

    private static let tools: [PolicyField] = [
        PolicyField(
            "tools.rules",
            .list(
                .group([
                    PolicyMember("id", .text(.identifier), "Stands in every decision; absent: the words of match."),
                    PolicyMember(
                        "match", .list(.text(.word), least: 1), isRequired: true,
                        "The beginning of the command line. A program without a slash is meant wherever it lies."),
                    PolicyMember("allow", .boolean, isRequired: true, "False: it never runs."),
                    PolicyMember("risk", .choice(risks), "What becomes of it; needed with allow: true."),
                    PolicyMember("async", .boolean, "It goes on while the review is open."),
                ])), .tools, standard: none, .enforced("tool gate (tools.md)"), "Which tools may run."),
        PolicyField(
            "tools.review_timeout", .duration, .less, standard: .integer(600), .enforced("tool gate (tools.md)"),
            "How long a call waits for a person who has to agree to it; a day at most."),
    ]

    private static let resources: [PolicyField] = [
        PolicyField(
            "resources.cpus", .integer(1...1024), .less, standard: nil, .enforced("podman, and refused by start"),
            "Processors at most."),
        PolicyField(
            "resources.memory", .size, .less, standard: nil, .enforced("podman, and refused by start"),
            "Memory at most."),
        PolicyField(
            "resources.pids", .integer(64...4_194_304), .less, standard: nil,
            .enforced("podman, and refused by start"), "Processes and threads at most."),
        PolicyField(
            "resources.tmp_size", .size, .less, standard: nil, .enforced("the mount of /tmp"), "Size of /tmp at most."),
        PolicyField("resources.disk", .size, .less, standard: nil, .notYet, "Disk space at most."),
    ]

    private static let runtime: [PolicyField] = [
        PolicyField(
            "runtime.engine", .choice(Configuration.Isolation.allCases.map(\.rawValue)),
            .tighter(["crun": ["gvisor", "kata"]]), standard: .text("gvisor"), .enforced("aibox start"),
            "What separates sandboxes from the kernel, at least."),
        PolicyField(
            "runtime.fallback", .list(.choice(Configuration.Isolation.allCases.map(\.rawValue))), .part,
            standard: none, .enforced("aibox start"), "Engines that may be used in its place; each use is said."),
        PolicyField(
            "runtime.rootless", .boolean, .on, standard: .boolean(false), .enforced("aibox start"),
            "Refuse to run containers as the machine's root."),
        PolicyField(
            "runtime.ephemeral", .boolean, .on, standard: .boolean(false), .notYet,
            "Keep nothing of a sandbox's home and caches."),
    ]

    private static let credentials: [PolicyField] = [
        PolicyField(
            "credentials.git_token_ttl", .duration, .less, standard: .integer(0), .enforced("credential broker"),
            "How long a Git token is lent; 0s: not at all."),
        PolicyField(
            "credentials.llm_api_key_ttl", .duration, .less, standard: .integer(0), .enforced("LLM proxy"),
            "How long a key for a language model is lent; 0s: not at all."),
        PolicyField(
            "credentials.mirror_token_ttl", .duration, .less, standard: .integer(0), .enforced("credential broker"),
            "How long a token for package mirrors is lent; 0s: not at all."),
        PolicyField(
            "credentials.custom_ttl", .duration, .less, standard: .integer(0), .enforced("credential broker"),
            "How long a credential of a name of your own is lent; 0s: not at all."),
        PolicyField(
            "credentials.injection", .choice(["surrogate"]), .same, standard: .text("surrogate"),
            .always("surrogate"), "Real values stay outside; there is no other way, so that `direct` is an error."),
        PolicyField(
            "credentials.on_misuse", .choice(["report", "stop"]), .later, standard: .text("report"),
            .enforced("gateway"),
            "A stand-in or key where it does not belong is refused and told of; stop: the sandbox is cut off as well."),
        PolicyField(
            "credentials.revoke_on_stop", .boolean, .on, standard: .boolean(true), .enforced("keeper of leases"),
            "Leases of Vault are revoked when the sandbox ends; stand-ins always end with it."),
        PolicyField(
            "credentials.no_persist_to_workspace", .boolean, .on, standard: .boolean(true), .notYet,
            "Nothing lent is written to the workspace."),
    ]

    private static let llm: [PolicyField] = [
        PolicyField(
            "llm.models", .list(.text(.pattern)), .models, standard: none, .enforced("LLM proxy"),
            "Models that may be asked. An ARN is permitted by a pattern that begins with arn: alone."),
        PolicyField(
            "llm.requests_per_minute", .integer(1...1_000_000), .less, standard: nil, .enforced("LLM proxy"),
            "Requests of one sandbox in a minute."),
        PolicyField(
            "llm.tokens_per_minute", .integer(1...1_000_000_000), .less, standard: nil, .enforced("LLM proxy"),
            "Tokens of one sandbox in a minute."),
        PolicyField(
            "llm.budget_tokens", .integer(0...1_000_000_000_000), .less, standard: nil, .enforced("LLM proxy"),
            "Tokens of one sandbox in all."),
        PolicyField(
            "llm.daily_tokens", .integer(0...1_000_000_000_000), .less, standard: nil,
            .enforced("gateway and LLM proxy"), "Tokens of all of a user's sandboxes on one day (UTC)."),
        PolicyField(
            "llm.daily_cost", .amount, .less, standard: nil, .enforced("gateway and LLM proxy"),
            "What all of a user's sandboxes may cost on one day (UTC), by llm.prices; a model without a price is refused."
        ),
        PolicyField(
            "llm.sandbox_daily_tokens", .integer(0...1_000_000_000_000), .less, standard: nil,
            .enforced("gateway and LLM proxy"), "Tokens of one sandbox on one day (UTC)."),
        PolicyField(
            "llm.sandbox_daily_cost", .amount, .less, standard: nil, .enforced("gateway and LLM proxy"),
            "What one sandbox may cost on one day (UTC), by llm.prices; a model without a price is refused."),
        PolicyField(
            "llm.prices",
            .list(
                .group([
                    PolicyMember(
                        "model", .text(.pattern), isRequired: true, "The models; the first entry that fits counts."),
                    PolicyMember("input", .amount, isRequired: true, "For a million tokens that go in."),
                    PolicyMember("output", .amount, isRequired: true, "For a million tokens that come out."),
                    PolicyMember(
                        "cached", .amount, "For a million that go in and are in the provider's cache; absent: as input."
                    ),
                    PolicyMember(
                        "cache_write", .amount,
                        "For a million that go in and are written to the provider's cache; absent: as input."),
                    PolicyMember(
                        "cache_write_1h", .amount, "The same, for what is written for an hour; absent: as cache_write."),
                ])), .organisation, standard: none, .enforced("LLM proxy and aibox llm usage"),
            "What models cost, in the currency of llm.daily_cost."),
        PolicyField(
            "llm.dlp",
            .list(
                .group([
                    PolicyMember("id", .text(.identifier), isRequired: true, "Stands in every decision."),
                    PolicyMember(
                        "canary", .text(.canary),
                        "A text that must never leave, however it is written. One of canary, pattern and known."),
                    PolicyMember("pattern", .text(.expression), "A regular expression in RE2's syntax."),
                    PolicyMember("known", .choice(LeakRule.known.map(\.name)), "A pattern that has a name."),
                    PolicyMember(
                        "action", .choice(["block", "report"]), isRequired: true,
                        "block: the request is refused; report: it passes, and the log says so."),
                ])), .union, standard: none, .enforced("LLM proxy (llm-proxy.md)"),
            "What must not leave with a request to a model."),
        PolicyField(
            "llm.logging", .choice(CredentialPolicy.Logging.allCases.map(\.rawValue)), .later, standard: .text("none"),
            .enforced("LLM proxy (llm-proxy.md)"),
            "What is kept of requests and answers: counts (none and metadata), digests (hash), the content, encrypted (full)."
        ),
        PolicyField(
            "llm.payload_size", .size, .organisation, standard: nil, .enforced("LLM proxy (llm-proxy.md)"),
            "Bytes of all content that is kept (llm.logging: full): where there is more, the oldest is removed."),
        PolicyField(
            "llm.payload_days", .integer(1...36_500), .organisation, standard: nil,
            .enforced("LLM proxy (llm-proxy.md)"),
            "Days for which content is kept (llm.logging: full): what is older is removed."),
        PolicyField(
            "llm.uploads", .choice(["permitted", "forbidden"]), .later, standard: .text("forbidden"),
            .enforced("LLM proxy (llm-proxy.md)"),
            "Whether files may be kept at the provider: the file endpoints of the APIs, uploads among them."),
        PolicyField(
            "llm.redact", .boolean, .on, standard: .boolean(true), .enforced("LLM proxy (llm-proxy.md)"),
            "Mask what llm.dlp looks for in content that is kept; lent keys are masked always."),
    ]

    private static let push: [PolicyField] = [
        PolicyField(
            "push.protected", .list(.text(.refPattern)), .union, standard: none, .notYet,
            "Branches and tags that are neither rewritten nor removed, and always reviewed."),
        PolicyField(
            "push.unreviewed", .list(.text(.refPattern)), .covered(paths: true), standard: none, .notYet,
            "Branches and tags that may be pushed without a review."),
        PolicyField(
            "push.reviewers", .integer(1...10), .more, standard: .integer(1), .notYet,
            "How many people have to agree to a push."),
    ]

    private static let audit: [PolicyField] = [
        PolicyField(
            "audit.on_failure", .choice(["continue", "stop"]), .later, standard: .text("stop"),
            .enforced("the audit log"),
            "What becomes of actions while the audit log cannot be written: continue marks the gap afterwards."),
        PolicyField(
            "audit.recording_policy",
            .choice(Configuration.Audit.RecordingPolicy.allCases.map(\.rawValue)), .later,
            standard: .text("disabled"), .enforced("aibox shell and SSH"),
            "Whether what sessions show is recorded, at least."),
        PolicyField(
            "audit.trace_policy",
            .choice(Configuration.Audit.TracePolicy.allCases.map(\.rawValue)), .later,
            standard: .text("disabled"), .enforced("trace points"),
            "Whether the log tells which programs run inside, at least; required needs gVisor, or crun with podman. Said by "
                + "nobody: optional there, where gates for tools stand."),
        PolicyField(
            "audit.recording_recipient", .text(.recipient), .same, standard: nil, .enforced("aibox shell and SSH"),
            "Whose key recordings are encrypted for."),
    ]

    private static let extensions: [PolicyField] = [
        PolicyField(
            "mcp.servers",
            .list(
                .group([
                    PolicyMember("id", .text(.identifier), isRequired: true, "The server."),
                    PolicyMember(
                        "tools", .table(.pattern, .choice(risks)), isRequired: true, "Its tools with their risk."),
                ])), .servers, standard: none, .enforced("hooks of Claude Code and Codex"),
            "MCP servers and their tools."),
        PolicyField(
            "toolpacks.allow", .list(.text(.pattern)), .covered(paths: false), standard: none, .notYet,
            "Tool packs that may be installed, as name or name@version."),
        PolicyField(
            "toolpacks.deny", .list(.text(.pattern)), .union, standard: none, .notYet,
            "Tool packs that may not, whatever allow says."),
    ]

    private static let learn: [PolicyField] = [
        PolicyField(
            "learn.mode", .choice(["permitted", "forbidden"]), .later, standard: .text("forbidden"),
            .enforced("aibox learn (learn.md)"),
            "Whether a person may let a sandbox do, for a time, what the organisation permits and team or project refuse."
        )
    ]

    private static let rules: [PolicyField] = [
        PolicyField(
            "pins", .table(.setting, .setting), .pins, standard: .group([:]),
            .enforced("aibox start, and audit.* for every session"),
            "Settings of aibox that no file, variable or flag may loosen (configuration.md)."),
        PolicyField(
            "exceptions",
            .list(
                .group([
                    PolicyMember("id", .text(.identifier), isRequired: true, "Stands in every decision."),
                    PolicyMember("owner", .text(.line), isRequired: true, "Who answers for it."),
                    PolicyMember("expires", .date, isRequired: true, "The last day (UTC) on which it holds."),
                    PolicyMember("reason", .text(.line), "Why it is there."),
                    PolicyMember("hosts", .list(.text(.any), least: 1), isRequired: true, "As in network.allow."),
                    PolicyMember("ports", .list(.integer(1...65535), least: 1), "As in network.allow."),
                ])), .organisation, standard: none, .enforced("aibox start, and the gateway when the day is over"),
            "Hosts that network.allow gets beside its own until a day has passed."),
        PolicyField(
            "required", .list(.text(.part)), .union, standard: none, .enforced("aibox start"),
            "Sections and fields without whose enforcement no sandbox starts."),
    ]
}
