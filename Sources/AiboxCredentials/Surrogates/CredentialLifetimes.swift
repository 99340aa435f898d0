/// How long a surrogate of each type lives.
public struct CredentialLifetimes: Sendable, Equatable {
    private var bounds: [CredentialType: Duration]

    /// - Parameter bounds: what the policy allows, by type; it can only shorten. A type that is missing keeps its default.
    public init(bounds: [CredentialType: Duration] = [:]) { self.bounds = bounds }

    /// Four hours for git and for what has a name of its own, eight for models and mirrors.
    public static func standard(_ type: CredentialType) -> Duration {
        switch type {
        case .git, .custom: .seconds(4 * 3600)
        case .llm, .mirror: .seconds(8 * 3600)
        }
    }

    /// Zero: it is not lent at all.
    public subscript(type: CredentialType) -> Duration {
        max(.zero, min(Self.standard(type), bounds[type] ?? Self.standard(type)))
    }
}
