import AiboxCrypto
import AiboxPolicy
import AiboxSystem
import AiboxWire

/// What agents' settings say of the rules about tools.
struct AgentRules {
    /// Seconds that a tool may wait for a person.
    let patience: Int
    let forbidden: [ForbiddenCommand]
}

/// Settings files inside, for agents that read from no variable where the model is.
enum AgentSettings {
    /// Codex: what the machine sets; a user's and a project's own settings go before it
    /// (developers.openai.com/codex/config-reference, "system config").
    static let codexPath = "/etc/codex/config.toml"

    /// - Parameter style: whose paths the proxy has; nil: the API's own.
    static func codex(_ style: LLMStyle?) -> String {
        """
        # Written by aibox: models are asked through the sandbox's LLM proxy.
        model_provider = "aibox"

        [model_providers.aibox]
        name = "aibox"
        base_url = "\(CredentialLending.address)\(style == .azure ? "/openai" : "")/v1"
        env_key = "OPENAI_API_KEY"
        wire_api = "responses"

        """
    }

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

    /// Rules about commands that stand in this file count together with those of a user and a project, of which the strictest
    /// wins; `allow` cannot stand here (github.com/openai/codex/pull/10190, developers.openai.com/codex/rules).
    static let codexRulesLimit = 1000

    static func codexRules(patience: Int, forbidden: [ForbiddenCommand]) -> String {
        let rules = forbidden.prefix(codexRulesLimit).map { command in
            let pattern = command.words.map { "{ token = \(quoted($0)) }" }.joined(separator: ", ")
            return
                "  { pattern = [\(pattern)], decision = \"forbidden\", justification = \(quoted(command.reason)) },\n"
        }
        // An empty list is an error there.
        let list = rules.isEmpty ? "" : "\n[rules]\nprefix_rules = [\n\(rules.joined())]\n"
        return hooks(patience: patience) + list
    }

    /// A basic string (toml.io/en/v1.0.0, "String").
    private static func quoted(_ text: String) -> String {
        "\""
            + text.unicodeScalars.map { scalar in
                switch scalar {
                case "\"", "\\": "\\\(scalar)"
                case _ where scalar.value < 0x20 || scalar.value == 0x7f: "\\u00" + Hex.encode([UInt8(scalar.value)])
                default: String(scalar)
                }
            }.joined() + "\""
    }

    private static func hooks(patience: Int) -> String {
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
    /// The files that go with what is lent, with mirrors of packages, and with rules about tools.
    ///
    /// - Parameter image: what git's settings say there stays.
    /// - Parameter rules: nil where nobody asks about tools.
    func settings(
        _ lending: CredentialLending, _ mirrors: MirrorSettings, image: StoredImage, rules: AgentRules?
    ) throws(AiboxError) -> [SandboxSpec.Secret] {
        var files: [SettingsFile] = []
        let places = lending.plan?.places ?? []
        let git = try GitSettings.file(places) { () throws(AiboxError) in
            try text(of: GitSettings.path, in: image) ?? ""
        }
        if let git { files.append(git) }
        if let grant = lending.plan?.grants.first(where: { $0.api == .openai }) {
            let codex = AgentSettings.codex(LLMStyle.of(grant.base))
            files.append(SettingsFile("codex", codex, AgentSettings.codexPath))
        }
        if let rules {
            let codex = AgentSettings.codexRules(patience: rules.patience, forbidden: rules.forbidden)
            files.append(SettingsFile("codex-rules", codex, AgentSettings.codexRulesPath))
            let claude = AgentSettings.claudeRules(patience: rules.patience).text
            files.append(SettingsFile("claude-rules", claude, AgentSettings.claudeRulesPath))
        }
        return try secrets(files + mirrors.files(places))
    }

    private func secrets(_ files: [SettingsFile]) throws(AiboxError) -> [SandboxSpec.Secret] {
        var secrets: [SandboxSpec.Secret] = []
        for file in files {
            let content = Array(file.text.utf8)
            secrets.append(try secret(file.purpose, content: content, target: file.target, mode: "0444"))
        }
        return secrets
    }
}
