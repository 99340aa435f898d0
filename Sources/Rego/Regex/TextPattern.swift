/// A regular expression in RE2's syntax for searching texts that others wrote: no pattern and no text makes it slow.
///
/// A search is linear in text times `size` at worst, and one look-up a character as long as the automaton of the pattern
/// stays small.
public struct TextPattern: Sendable {
    public struct Fault: Error, Sendable, Equatable {
        /// As Go's `regexp` says it: "error parsing regexp: missing closing ]: `[a`".
        public let reason: String
    }

    private let expression: RegularExpression

    public init(_ pattern: String) throws(Fault) {
        do throws(SupportError) { expression = try RegularExpression(pattern) } catch {
            throw Fault(reason: error.message)
        }
    }

    /// Instructions of the compiled pattern.
    public var size: Int { expression.size }

    /// What stands before and behind a place counts, or where the text begins or ends (`^`, `$`, `\b`).
    public var looksAround: Bool { expression.looksAround }

    /// Whether it matches anywhere; nil where the automaton grew too large and the text is too long for the slow way: more
    /// than `effort` bytes times instructions.
    public func matches(_ text: UnsafeBufferPointer<UInt8>, effort: Int = .max) -> Bool? {
        expression.isMatch(text, effort: effort)
    }

    public func matches(_ text: String) -> Bool { expression.isMatch(text) }

    /// The first `limit` places where it matches, without overlap, the leftmost first.
    public func places(_ text: UnsafeBufferPointer<UInt8>, limit: Int) -> [Range<Int>] {
        expression.findAll(text, limit: limit)
    }
}
