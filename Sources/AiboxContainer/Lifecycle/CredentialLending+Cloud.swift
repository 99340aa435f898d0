import AiboxWire

/// What the clients of clouds read from the environment.
extension CredentialLending {
    /// Azure's version of the API where a client names none: the last one that is generally available by date
    /// (learn.microsoft.com/azure/ai-services/openai/api-version-lifecycle).
    private static let azureVersion = "2024-10-21"
    /// Where the server's name tells no region: clients refuse to start without one, and nothing hangs on it here.
    private static let anyRegion = "us-east-1"

    /// Variables by the public documents: docs.claude.com/en/docs/claude-code/amazon-bedrock, .../google-vertex-ai and
    /// .../llm-gateway; docs.aws.amazon.com/sdkref, "Service-specific endpoints"; learn.microsoft.com/azure/ai-services/openai,
    /// "supported languages".
    static func variables(_ style: LLMStyle, _ grant: BrokerPlan.Grant) -> [SandboxSpec.Variable] {
        let url = LLMStyle.split(grant.bases.first ?? "").url
        let key = grant.surrogate
        switch style {
        case .azure:
            return [
                .init("AZURE_OPENAI_ENDPOINT", address), .init("AZURE_OPENAI_API_KEY", key),
                .init("OPENAI_API_VERSION", azureVersion), .init("OPENAI_API_KEY", key),
                .init("OPENAI_BASE_URL", address + "/openai/v1"),
            ]
        case .bedrock:
            let region = LLMStyle.region(LLMStyle.host(url)) ?? anyRegion
            return [
                .init("CLAUDE_CODE_USE_BEDROCK", "1"), .init("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1"),
                .init("ANTHROPIC_BEDROCK_BASE_URL", address),
                .init("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", address), .init("AWS_BEARER_TOKEN_BEDROCK", key),
                .init("AWS_REGION", region), .init("AWS_DEFAULT_REGION", region),
            ]
        case .vertex:
            let place = LLMStyle.place(url)
            return [
                .init("CLAUDE_CODE_USE_VERTEX", "1"), .init("CLAUDE_CODE_SKIP_VERTEX_AUTH", "1"),
                .init("ANTHROPIC_VERTEX_BASE_URL", address + "/v1"),
                .init("ANTHROPIC_VERTEX_PROJECT_ID", place?.project ?? ""),
                .init("CLOUD_ML_REGION", place?.location ?? ""), .init("ANTHROPIC_AUTH_TOKEN", key),
            ]
        }
    }
}
