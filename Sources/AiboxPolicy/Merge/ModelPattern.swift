/// An entry of `llm.models`, as the LLM proxy reads it: an ARN says whose the model is, and only a pattern that begins as one
/// stands for any.
struct ModelPattern: Sendable, Hashable {
    private let pattern: PolicyPattern
    private let isOwned: Bool

    init(_ text: String) {
        pattern = PolicyPattern(text)
        isOwned = Self.isOwned(text)
    }

    /// Whether a model's name, or a pattern, begins as an ARN.
    static func isOwned(_ text: String) -> Bool { text.utf8.starts(with: "arn:".utf8) }

    func matches(_ model: String) -> Bool { (isOwned || !Self.isOwned(model)) && pattern.matches(model) }

    /// True only if every model that `other` stands for is one that this one stands for; see `PolicyPattern.covers`.
    func covers(_ other: ModelPattern) -> Bool { (isOwned || !other.isOwned) && pattern.covers(other.pattern) }
}
