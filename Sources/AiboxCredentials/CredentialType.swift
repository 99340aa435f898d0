/// What a credential opens.
public enum CredentialType: String, Sendable, CaseIterable {
    /// A git server.
    case git = "git-token"
    /// A model's API.
    case llm = "llm-api-key"
    /// A package mirror: pip, npm, maven, nuget, cargo, go.
    case mirror = "mirror-token"
    /// Whatever else, with a name of its own.
    case custom = "custom"

    /// What stands behind the colon of a name.
    public var qualifier: String {
        switch self {
        case .git, .mirror: "HOST[:PORT]"
        case .llm: LLMProvider.allCases.map(\.rawValue).joined(separator: "|")
        case .custom: "NAME"
        }
    }

    /// The short word in audit events and surrogates.
    public var kind: String {
        switch self {
        case .git: "git"
        case .llm: "llm"
        case .mirror: "mirror"
        case .custom: "custom"
        }
    }
}

/// Whose API a key is for, and so how it is presented.
public enum LLMProvider: String, Sendable, CaseIterable {
    case anthropic
    case openai
    /// The organisation's own gateway, or whatever else speaks one of the two languages.
    case custom

    /// Where the provider's API is; nil where only its owner knows.
    public var host: String? {
        switch self {
        case .anthropic: "api.anthropic.com"
        case .openai: "api.openai.com"
        case .custom: nil
        }
    }
}
