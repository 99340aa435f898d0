public import AiboxConfig

/// A later layer that would loosen what an earlier one says.
public struct PolicyViolation: Sendable, Hashable, Error {
    public var field: String
    /// What is wrong, naming both values, lower case.
    public var message: String
    /// What was written.
    public var origin: PolicyOrigin
    /// What it would loosen.
    public var parent: PolicyOrigin

    init(_ field: String, _ message: String, _ origin: PolicyOrigin, _ parent: PolicyOrigin) {
        self.field = field
        self.message = message
        self.origin = origin
        self.parent = parent
    }

    /// With both places.
    public var problem: Problem {
        let bound = parent.isBuiltIn ? "\(parent.layer.words) says nothing else" : "\(parent.layer.words), \(parent)"
        return Problem(
            origin.file, origin.line.map { TextPosition(line: $0, column: origin.column) },
            "\(field) \(message) (\(bound))")
    }
}
