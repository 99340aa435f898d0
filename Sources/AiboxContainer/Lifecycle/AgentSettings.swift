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
        base_url = "\(CredentialLending.address)/v1"
        env_key = "OPENAI_API_KEY"
        wire_api = "responses"

        """

    /// Claude Code: what the machine manages goes before all other settings, and its hooks run beside theirs
    /// (code.claude.com/docs/en/settings, "managed settings"; code.claude.com/docs/en/hooks).
    static let claudeRulesPath = "/etc/claude-code/managed-settings.json"

    /// - Parameter patience: seconds that a tool may wait for a person.
    static func claudeRules(patience: Int) -> JSONValue {
        [
            "hooks": [
                "PreToolUse": [
                    [
                        "matcher": "*",
                        "hooks": [
                            [
                                "type": "command", "command": .string(ToolGate.hook),
                                "timeout": .integer(Int64(patience + 60)),
                            ]
                        ],
                    ]
                ]
            ]
        ]
    }

    /// Codex: what the machine requires, which no other settings change
    /// (developers.openai.com/codex/enterprise/managed-configuration, developers.openai.com/codex/hooks).
    static let codexRulesPath = "/etc/codex/requirements.toml"

    static func codexRules(patience: Int) -> String {
        """
        # Written by aibox: what Codex is about to do is asked of the sandbox's gateway.
        [features]
        hooks = true

        [hooks]
        managed_dir = "\(Path.parent(ToolGate.hook))"

        [[hooks.PreToolUse]]
        matcher = ".*"

        [[hooks.PreToolUse.hooks]]
        type = "command"
        command = "\(ToolGate.hook)"
        timeout = \(patience + 60)

        """
    }
}

extension SandboxPreparation {
    /// The files that go with what is lent, and with rules about tools.
    ///
    /// - Parameter patience: seconds that a tool may wait for a person; nil where nobody asks about tools.
    func agentSettings(_ lending: CredentialLending, patience: Int?) throws(AiboxError) -> [SandboxSpec.Secret] {
        var files: [(purpose: String, content: [UInt8], target: String)] = []
        if lending.plan?.grants.contains(where: { $0.api == .openai }) ?? false {
            files.append(("codex", Array(AgentSettings.codex.utf8), AgentSettings.codexPath))
        }
        if let patience {
            let codex = Array(AgentSettings.codexRules(patience: patience).utf8)
            files.append(("codex-rules", codex, AgentSettings.codexRulesPath))
            let claude = AgentSettings.claudeRules(patience: patience).bytes
            files.append(("claude-rules", claude, AgentSettings.claudeRulesPath))
        }
        var secrets: [SandboxSpec.Secret] = []
        for file in files {
            secrets.append(try secret(file.purpose, content: file.content, target: file.target, mode: "0444"))
        }
        return secrets
    }
}
