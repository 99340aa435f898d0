import AiboxCrypto
import AiboxNetwork
import AiboxWire

/// The header fields of a request of the sandbox: which key it shows, what of them is passed on.
///
/// Nothing that could authenticate anybody is passed on, and only names that calls of the APIs have.
enum CallerFields {
    /// Fields that carry a key, or could make somebody believe that they do.
    private static let credentials: Set<String> = [
        "authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie", "x-auth-token",
        "x-amz-security-token", "anthropic-api-key", "openai-api-key", "ocp-apim-subscription-key",
    ]

    /// Fields that choose an account, a project or a tenant behind a key.
    private static let tenants: Set<String> = [
        "openai-organization", "openai-project", "anthropic-organization-id", "anthropic-organization",
        "anthropic-workspace-id", "anthropic-workspace", "x-organization-id", "x-org-id", "x-project-id",
        "x-tenant-id", "x-goog-user-project",
    ]

    /// Passed on, beside the families.
    private static let passed: Set<String> = [
        "accept", "content-type", "user-agent", "idempotency-key", "x-app", "x-client-request-id", "x-request-id",
        "originator", "session_id", "conversation_id", "version",
    ]
    private static let families = ["anthropic-", "openai-", "x-stainless-", "x-claude-", "x-codex-"]

    /// The grant whose surrogate the request shows.
    ///
    /// Every field that carries a key has to carry that surrogate, in the place that the API has for it.
    static func grant(
        _ fields: [HTTPRequestHead.Field], among grants: [BrokerPlan.Grant], for api: BrokerPlan.API?
    ) throws(BrokerRefusal) -> BrokerPlan.Grant {
        var shown: [[UInt8]] = []
        for field in fields {
            let name = field.name.lowercased()
            if tenants.contains(name) {
                throw BrokerRefusal(
                    kind: .permission, rule: "llm.tenant",
                    reason: "\(name) chooses an account, and the account is the organisation's",
                    nextSteps: ["Leave the header \(name) out."])
            }
            guard credentials.contains(name) else { continue }
            switch name {
            case "authorization":
                guard field.value.count > 7, field.text.prefix(7).lowercased() == "bearer " else { throw foreign }
                shown.append(Array(field.value.dropFirst(7)))
            case "x-api-key", "api-key": shown.append(field.value)
            case "cookie":
                throw BrokerRefusal(
                    kind: .permission, rule: "llm.credential",
                    reason: "the request carries a cookie, which may be a key",
                    nextSteps: ["Leave the header cookie out."])
            default: throw foreign
            }
        }
        guard let first = shown.first else {
            throw BrokerRefusal(
                kind: .authentication, rule: "llm.credential", reason: "the request shows no key",
                nextSteps: ["Send what ANTHROPIC_API_KEY or OPENAI_API_KEY holds."])
        }
        // Every one is compared, so that the time does not tell which came close.
        let found = grants.filter { ConstantTime.equal(Array($0.surrogate.utf8), first) }
        guard let grant = found.first, shown.allSatisfy({ ConstantTime.equal($0, first) }) else { throw foreign }
        if let api, grant.api != api {
            throw BrokerRefusal(
                kind: .permission, rule: "llm.credential",
                reason: "this key is for the \(grant.api.rawValue) API, the path belongs to the \(api.rawValue) API",
                isMisuse: true)
        }
        return grant
    }

    private static let foreign = BrokerRefusal(
        kind: .permission, rule: "llm.credential",
        reason: "the request shows a key that is not this sandbox's: only the one that was given to it is accepted",
        nextSteps: ["Use the key of the environment, ANTHROPIC_API_KEY or OPENAI_API_KEY, and no other."],
        isMisuse: true)

    /// What goes to the provider.
    static func forwarded(_ fields: [HTTPRequestHead.Field]) -> [HTTPRequestHead.Field] {
        fields.filter { field in
            let name = field.name.lowercased()
            return (passed.contains(name) || families.contains { name.hasPrefix($0) })
                && !credentials.contains(name) && !tenants.contains(name)
                && (!name.contains("key") || name == "idempotency-key")
        }
    }
}
