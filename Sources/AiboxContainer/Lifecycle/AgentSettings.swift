import AiboxSystem
import AiboxWire

/// Settings files inside, for agents that read from no variable where the model is.
enum AgentSettings {
    /// Codex: what the machine sets; a user's and a project's own settings go before it
    /// (developers.openai.com/codex/config-reference, "system config").
    static let codexPath = "/etc/codex/config.toml"

    static let codex = """
        # Written by aibox: models are asked through the sandbox's LLM proxy.
        model_provider = "aibox"

        [model_providers.aibox]
        name = "aibox"
        base_url = "\(LLMLending.address)/v1"
        env_key = "OPENAI_API_KEY"
        wire_api = "responses"

        """
}

extension SandboxPreparation {
    /// The files that go with what is lent.
    func agentSettings(_ lending: LLMLending) throws(AiboxError) -> [SandboxSpec.Secret] {
        guard lending.plan?.grants.contains(where: { $0.api == .openai }) ?? false else { return [] }
        return [
            try secret(
                "codex", content: Array(AgentSettings.codex.utf8), target: AgentSettings.codexPath, mode: "0444")
        ]
    }
}
