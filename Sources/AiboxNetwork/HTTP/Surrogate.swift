/// A stand-in for a credential that was found where it does not belong. The value itself is not in it.
public struct Surrogate: Sendable, Equatable {
    /// The credential of this sandbox that it stands for; nil: another sandbox's, or of a session that is over.
    public var credential: String?
    /// The first 8 hexadecimal digits of its SHA-256, as `credential.issue` has them.
    public var digest: String?

    public init(credential: String?, digest: String?) {
        self.credential = credential
        self.digest = digest
    }

    /// What it is, in words.
    public var words: String {
        credential.map { "the stand-in for \($0)" } ?? "a stand-in for a credential that is not this sandbox's"
    }
}
