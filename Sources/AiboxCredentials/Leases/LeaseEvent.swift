/// What the keeper did, for the audit log. Vault's ids of leases are no secrets: its own log has them.
public struct LeaseEvent: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Vault made a secret for this sandbox.
        case made
        /// Another took its place.
        case replaced
        /// It is no more.
        case revoked
        /// It could not be prolonged or replaced; tried again.
        case failed
        /// It could not be revoked; tried again.
        case notRevoked
    }

    public var kind: Kind
    /// The credential's name.
    public var name: String
    /// Vault's id of the lease; nil: it is about none.
    public var lease: String?
    /// Seconds since 1970.
    public var expires: Int64?
    public var reason: String?

    public init(_ kind: Kind, _ name: String, lease: String? = nil, expires: Int64? = nil, reason: String? = nil) {
        self.kind = kind
        self.name = name
        self.lease = lease
        self.expires = expires
        self.reason = reason
    }
}
