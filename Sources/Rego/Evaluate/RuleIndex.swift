/// Chooses the bodies of a rule that can succeed, from constants that their first literals compare with.
final class RuleIndex: Sendable {
    struct Selection {
        mutating func next() -> Int? { nil }
    }
    func select(_ context: Context) -> Selection { Selection() }
}
