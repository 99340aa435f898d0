/// Who speaks in a policy. A later layer may only tighten what the earlier ones say.
public enum PolicyLayer: String, Sendable, CaseIterable, Comparable {
    case org, team, project

    /// For messages: `the organisation's policy`.
    public var words: String {
        switch self {
        case .org: "the organisation's policy"
        case .team: "the team's policy"
        case .project: "the project's policy"
        }
    }

    public static func < (left: PolicyLayer, right: PolicyLayer) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

/// Where a value of a policy was written.
public struct PolicyOrigin: Sendable, Hashable, CustomStringConvertible {
    public var layer: PolicyLayer
    public var file: String
    /// Nil for what holds because nobody said otherwise.
    public var line: Int?
    public var column: Int

    public init(layer: PolicyLayer, file: String, line: Int?, column: Int = 1) {
        self.layer = layer
        self.file = file
        self.line = line
        self.column = column
    }

    /// `/etc/aibox/org-policy.yaml:12`, or the place without a line.
    public var description: String { line.map { "\(file):\($0)" } ?? file }

    /// What holds where no document says anything.
    static let builtIn = PolicyOrigin(layer: .org, file: "default", line: nil)

    public var isBuiltIn: Bool { self == .builtIn }
}
