import AiboxConfig
import AiboxEmbedded
import AiboxNetwork
import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("The table of policy fields")
struct PolicySchemaTests {
    private static let repository = Path.parent(Path.parent(Path.parent(#filePath)))

    @Test("docs/policy.md is what aibox policy docs prints")
    func documentation() throws {
        #expect(try File.text(Self.repository + "/docs/policy.md") == PolicyDocumentation.markdown)
    }

    @Test("configs/policy.schema.json is what aibox policy docs --schema prints")
    func schemaFile() throws {
        #expect(try File.text(Self.repository + "/configs/policy.schema.json") == PolicyJSONSchema.text)
        _ = try JSONParser.parse(Array(PolicyJSONSchema.text.utf8))
    }

    @Test("every default has the form of its field, and is written as its author would")
    func defaults() throws {
        for field in PolicySchema.fields {
            guard let standard = field.standard else { continue }
            let words = field.words(of: PolicyItem(standard, .builtIn))
            let text =
                field.key.map { "version: 1\n\(field.section):\n  \($0): \(words)\n" }
                ?? "version: 1\n\(field.name): \(words)\n"
            let (document, problems) = PolicyDocument.read(Array(text.utf8), layer: .org, file: "p")
            #expect(problems.isEmpty, "\(problems)")
            #expect(document.fields[field.name]?.content == standard, "\(field.name)")
        }
    }

    @Test("a stated default says what silence says: no field has a second meaning")
    func silence() throws {
        for field in PolicySchema.fields {
            guard let standard = field.standard else { continue }
            let origin = PolicyOrigin(layer: .org, file: "p", line: 1)
            let stated = PolicyDocument(layer: .org, file: "p", fields: [field.name: PolicyItem(standard, origin)])
            let silent = PolicyDocument(layer: .org, file: "p")
            let one = try EffectivePolicy(organisation: stated, day: "2026-01-01")
            #expect(try one.digest() == EffectivePolicy(organisation: silent, day: "2026-01-01").digest())
        }
    }

    /// A field that is said to be enforced has a row here that shows its effect on a start, or it is not enforced.
    static let effects: [(field: String, document: String, shows: @Sendable (EffectivePolicy) throws -> Bool)] =
        [
            (
                "network.allow", "network: {allow: [{id: a, hosts: [a.example.com]}]}",
                { NetworkPolicy($0).allow.count == 1 }
            ),
            (
                "network.user_hosts", "network: {user_hosts: any}",
                { NetworkPolicy($0).additions == .any }
            ),
            ("network.targets", "network: {targets: [10.1.0.0/16]}", { NetworkPolicy($0).targets.count == 1 }),
            (
                "network.names", "network: {names: [{name: a.example.com, addresses: [10.1.1.1]}]}",
                { NetworkPolicy($0).names.first?.addresses.count == 1 }
            ),
            (
                "network.upstream_proxy", "network: {upstream_proxy: {host: p.example.com, port: 3128, tls: true}}",
                { NetworkPolicy($0).upstream?.usesTLS == true }
            ),
            (
                "network.inspection", "network: {inspection: forbidden}",
                { policy in
                    let text = "version: 1\nnetwork: {allow: [{id: a, hosts: [a.example.com], inspect: true}]}\n"
                    let (project, _) = PolicyDocument.read(Array(text.utf8), layer: .project, file: "p")
                    let merged = EffectivePolicy.merge(
                        organisation: policy.documents[0], project: project, day: "2026-01-01")
                    guard case .failure(let failure) = merged else { return false }
                    return failure.violations.contains { $0.message == "entry a opens TLS, which is forbidden" }
                }
            ),
            (
                "network.authorities", "network: {authorities: [/etc/ca.pem]}",
                { NetworkPolicy($0).authorities == ["/etc/ca.pem"] }
            ),
            ("resources.cpus", "resources: {cpus: 2}", { bounded($0).cpus == 2 }),
            ("resources.memory", "resources: {memory: 1g}", { bounded($0).memory == ByteSize(gibibytes: 1) }),
            ("resources.pids", "resources: {pids: 100}", { bounded($0).pids == 100 }),
            ("resources.tmp_size", "resources: {tmp_size: 1m}", { bounded($0).tmpSize == ByteSize(mebibytes: 1) }),
            ("runtime.engine", "runtime: {engine: kata}", { policy in (try? policy.judge(.gvisor)) == nil }),
            (
                "runtime.fallback", "runtime: {fallback: [crun]}",
                { try $0.judge(.crun) != .permitted }
            ),
            ("runtime.rootless", "runtime: {rootless: true}", { policy in (try? policy.judge(rootful: true)) == nil }),
            (
                "credentials.git_token_ttl", "credentials: {git_token_ttl: 4h}",
                { CredentialPolicy($0).places[.git] == 4 * 3600 }
            ),
            (
                "credentials.mirror_token_ttl", "credentials: {mirror_token_ttl: 3h}",
                { CredentialPolicy($0).places[.mirror] == 3 * 3600 }
            ),
            (
                "credentials.custom_ttl", "credentials: {custom_ttl: 2h}",
                { CredentialPolicy($0).places[.custom] == 2 * 3600 }
            ),
            (
                "credentials.revoke_on_stop", "credentials: {revoke_on_stop: false}",
                { !CredentialPolicy($0).revokesOnStop }
            ),
            (
                "credentials.on_misuse", "credentials: {on_misuse: stop}",
                { CredentialPolicy($0).endsOnMisuse }
            ),
            (
                "credentials.llm_api_key_ttl", "credentials: {llm_api_key_ttl: 8h}",
                { CredentialPolicy($0).modelKeys == 8 * 3600 }
            ),
            ("llm.models", "llm: {models: [a, b]}", { CredentialPolicy($0).models == ["a", "b"] }),
            (
                "llm.requests_per_minute", "llm: {requests_per_minute: 5}",
                { CredentialPolicy($0).limits.requestsPerMinute == 5 }
            ),
            (
                "llm.tokens_per_minute", "llm: {tokens_per_minute: 6}",
                { CredentialPolicy($0).limits.tokensPerMinute == 6 }
            ),
            ("llm.budget_tokens", "llm: {budget_tokens: 7}", { CredentialPolicy($0).limits.tokens == 7 }),
            ("llm.logging", "llm: {logging: hash}", { CredentialPolicy($0).logging == .hash }),
            ("llm.payload_size", "llm: {payload_size: 64m}", { CredentialPolicy($0).payloadSize == 64 << 20 }),
            ("llm.payload_days", "llm: {payload_days: 30}", { CredentialPolicy($0).payloadDays == 30 }),
            ("llm.uploads", "llm: {uploads: permitted}", { CredentialPolicy($0).permitsUploads }),
            ("llm.redact", "llm: {redact: false}", { !CredentialPolicy($0).masksLeaks }),
            ("llm.daily_tokens", "llm: {daily_tokens: 8}", { CredentialPolicy($0).limits.dailyTokens == 8 }),
            ("llm.daily_cost", "llm: {daily_cost: 12.5}", { CredentialPolicy($0).limits.dailyCost == 12_500_000 }),
            (
                "llm.sandbox_daily_tokens", "llm: {sandbox_daily_tokens: 9}",
                { CredentialPolicy($0).limits.sandboxDailyTokens == 9 }
            ),
            (
                "llm.sandbox_daily_cost", "llm: {sandbox_daily_cost: 2.5}",
                { CredentialPolicy($0).limits.sandboxDailyCost == 2_500_000 }
            ),
            (
                "llm.prices", "llm: {prices: [{model: a, input: 3, output: 0.000015, cache_write: 4}]}",
                {
                    CredentialPolicy($0).prices == [
                        LLMPrice(model: "a", input: 3_000_000, output: 15, cacheWrite: 4_000_000)
                    ]
                }
            ),
            (
                "llm.dlp", "llm: {dlp: [{id: a, canary: AIBOX-CANARY-1, action: block}]}",
                {
                    CredentialPolicy($0).leaks == [
                        LeakRule(id: "a", .canary("AIBOX-CANARY-1"), blocks: true, layer: "org")
                    ]
                }
            ),
            ("audit.on_failure", "audit: {on_failure: continue}", { $0.auditFailure == .markGap }),
            ("audit.recording_policy", "audit: {recording_policy: required}", { $0.recordingPolicy == .required }),
            ("audit.trace_policy", "audit: {trace_policy: required}", { $0.tracePolicy == .required }),
            (
                "audit.recording_recipient",
                "audit: {recording_recipient: \"aibox-recording:\(String(repeating: "A", count: 43))=\"}",
                { $0.recordingRecipient?.hasSuffix("AA=") == true }
            ),
            (
                "tools.rules", "tools: {rules: [{match: [curl], allow: false}]}",
                { !ToolCoverage($0, files: [ToolFile(paths: ["/bin/curl"], aliases: ["/bin/curl"])]).programs.isEmpty }
            ),
            ("tools.review_timeout", "tools: {review_timeout: 1m}", { ToolCoverage.reviewSeconds($0) == 60 }),
            (
                "mcp.servers", "mcp: {servers: [{id: lab, tools: {note: safe}}]}",
                { $0.decisionDocument["mcp"]?["servers"]?.elements?.isEmpty == false }
            ),
            ("learn.mode", "learn: {mode: permitted}", { $0.permitsLearning }),
            ("pins", "pins: {resources.cpus: 2}", { $0.pins.map(\.key) == ["resources.cpus"] }),
            (
                "exceptions", "exceptions: [{id: x, owner: o, expires: 2027-01-01, hosts: [a.example.com]}]",
                { NetworkPolicy($0).allow.map(\.id) == ["x"] }
            ),
            (
                "required", "required: [push.protected]",
                { policy in (try? PolicyEnforcement(policy).refuse()) == nil }
            ),
        ]

    private static func bounded(_ policy: EffectivePolicy) -> Configuration.Resources {
        var resources = Configuration().resources
        _ = policy.bound(&resources)
        return resources
    }

    private static func policy(_ text: String) throws -> EffectivePolicy {
        let document = try PolicyDocument(Array("version: 1\n\(text)\n".utf8), layer: .org, file: "org")
        return try EffectivePolicy(organisation: document, day: "2026-11-22")
    }

    @Test("exactly the fields whose effect is shown here are declared as enforced")
    func enforced() throws {
        var declared: [String] = []
        for field in PolicySchema.fields { if case .enforced = field.enforcement { declared.append(field.name) } }
        #expect(declared.sorted() == Self.effects.map(\.field).sorted())
        let silent = try Self.policy("")
        for effect in Self.effects {
            #expect(try effect.shows(Self.policy(effect.document)), "\(effect.field)")
            let isSilent = (try? effect.shows(silent)) != true
            #expect(isSilent, "\(effect.field) has its effect without being said")
        }
    }

    @Test("what is not enforced is named at the start, once for each document")
    func notEnforced() throws {
        let policy = try Self.policy(
            "push: {protected: [main]}\nllm: {logging: full}\nruntime: {ephemeral: false}\nnetwork: {mode: deny-by-default}\nfilesystem: {workspace_root: /workspace}"
        )
        let enforcement = PolicyEnforcement(policy)
        #expect(enforcement.notes == ["this version of aibox does not enforce push.protected of org"])
        try enforcement.refuse()
        let other = try Self.policy("filesystem: {workspace_root: /workspace/src}\nruntime: {ephemeral: true}")
        #expect(
            PolicyEnforcement(other).notes
                == ["this version of aibox does not enforce filesystem.workspace_root, runtime.ephemeral of org"])
    }

    @Test(
        "a start is refused where the organisation requires what is not enforced",
        arguments: [
            ("required: [push]\npush: {protected: [main]}", true),
            ("required: [push.protected]", true), ("required: [llm]", false), ("required: [tools, audit]", false),
            ("required: [filesystem]\nfilesystem: {deny: [/a]}", true),
            ("required: [runtime]\nruntime: {ephemeral: true}", true),
            ("required: [runtime]\nruntime: {ephemeral: false}", false),
        ])
    func required(text: String, isRefused: Bool) throws {
        let enforcement = PolicyEnforcement(try Self.policy(text))
        if isRefused {
            let error = #expect(throws: AiboxError.self) { try enforcement.refuse() }
            #expect(error?.code == .layerMissing)
            #expect(error?.why?.contains("org:2") == true)
        } else {
            try enforcement.refuse()
        }
    }
}
