public import AiboxSystem

/// One thing that is wrong with a document or a setting, and where.
public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The file, the variable or the flag that it came from.
    public var source: String
    /// The place in the file; nil where there is none.
    public var position: TextPosition?
    /// What is wrong and what would be right, lower case, without a full stop.
    public var message: String

    public init(_ source: String, _ position: TextPosition? = nil, _ message: String) {
        self.source = source
        self.position = position
        self.message = message
    }

    /// `file:line:column: message`, the form that editors jump to.
    public var description: String {
        guard let position else { return source + ": " + message }
        return "\(source):\(position.line):\(position.column): " + message
    }
}

/// A place in a text. Lines and columns count from one; columns are Unicode scalars.
public struct TextPosition: Sendable, Hashable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Gathers every problem of a document, so that its author sees them all at once.
///
/// A reference: the readers of nested parts share one. Used within one function; never stored.
public final class ProblemCollector {
    public private(set) var problems: [Problem] = []

    public init(_ problems: [Problem] = []) { self.problems = problems }

    public func add(_ problem: Problem) { problems.append(problem) }
    public func add(_ more: [Problem]) { problems += more }

    /// In the order of the text: by source as met first, then by position.
    public var ordered: [Problem] { Problem.ordered(problems) }
}

extension Problem {
    static func ordered(_ problems: [Problem]) -> [Problem] {
        var ranks: [String: Int] = [:]
        for problem in problems where ranks[problem.source] == nil { ranks[problem.source] = ranks.count }
        let keyed = problems.enumerated().map { index, problem in
            (ranks[problem.source] ?? 0, problem.position ?? TextPosition(line: 0, column: 0), index, problem)
        }
        return keyed.sorted { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }.map(\.3)
    }
}

extension AiboxError {
    /// The error that shows all of `problems`, one a line; nil if there are none.
    ///
    /// - Parameter what: what cannot be done because of them: `cannot use the configuration`.
    public init?(
        _ code: Code, _ what: String, problems: [Problem], remedy: String? = nil
    ) {
        if problems.isEmpty { return nil }
        let lines = Problem.ordered(problems).map(\.description)
        let why = lines.count == 1 ? lines[0] : "\(lines.count) problems" + lines.map { "\n  " + $0 }.joined()
        self.init(code, what, why: why, remedy: remedy)
    }
}
