public import AiboxSystem

/// How it stands with the bundle of a layer.
public struct BundleStanding: Sendable, Equatable {
    public enum State: String, Sendable {
        /// Its source confirmed it within the last hour.
        case fresh
        /// It holds, and its source has not confirmed it for longer, or not the last time that it was asked.
        case stale
        case expired
        /// None was fetched yet.
        case absent
        /// What is kept is not what was fetched.
        case changed
        /// What is kept was fetched so, and cannot be used: its key is not configured any more, say.
        case invalid
    }

    public var state: State
    public var version: Int?
    public var revision: String?
    /// SHA-256 of names and contents.
    public var digest: String?
    /// SHA-256 of the public key that signed it.
    public var key: String?
    public var fetched: Timestamp?
    public var expires: Timestamp?
    /// Why it cannot be used.
    public var problem: AiboxError?
    /// Why the last attempt to fetch it failed; nil if it did not.
    public var lastError: String?
    /// When its source was last asked, with or without success.
    public var asked: Timestamp?

    init(_ state: State) { self.state = state }

    /// Whether a start can be decided by it.
    public var isUsable: Bool { state == .fresh || state == .stale }
}
