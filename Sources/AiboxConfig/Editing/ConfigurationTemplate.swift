import AiboxEmbedded

/// A configuration file to begin with (`configs/templates`).
public enum ConfigurationTemplate: String, Sendable, CaseIterable {
    /// Little more than the defaults.
    case minimal
    /// A developer's own machine, with the public package indexes.
    case dev
    /// An organisation's: signed images, its own hosts, its own LLM gateway.
    case enterprise

    /// The file's text.
    public var text: String { EmbeddedFile.text("configs/templates/\(rawValue).yaml") ?? "" }

    /// What a file begins with that `config set` makes: the head of the minimal template and its version.
    static var head: String {
        let lines = minimal.text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.prefix { !$0.isEmpty }.map { $0 + "\n" }.joined()
    }
}
