import AiboxSystem
import AiboxWire

/// What an entry of KV says of a credential: where it may go, and its secret or the path that makes one.
struct VaultEntry: Sendable, Equatable {
    var credential: Credential
    var source: Source

    enum Source: Sendable, Equatable {
        case fixed(Secret)
        case dynamic(Dynamic)
    }

    /// A path that makes a secret at each read, and which members of its data are what.
    struct Dynamic: Sendable, Equatable {
        var path: String
        var member: String
        var userMember: String?

        /// The secret of an answer.
        func stored(_ credential: Credential, _ lease: VaultLease) throws(AiboxError) -> StoredCredential {
            let what = "Vault's \(path) cannot be used for \(credential.name)"
            guard let text = lease.data[member]?.stringValue, let secret = try? Secret(text) else {
                throw AiboxError(.failed, what, why: "its data has no member \(SafeText.escaped(member)) with a secret")
            }
            var credential = credential
            if let userMember {
                guard let user = lease.data[userMember]?.stringValue else {
                    throw AiboxError(
                        .failed, what, why: "its data has no member \(SafeText.escaped(userMember)) with a name")
                }
                credential = try Credential(
                    credential.name, destinations: credential.destinations, user: user, place: credential.place,
                    expires: credential.expires)
            }
            return StoredCredential(credential, secret)
        }
    }

    /// - Throws: anything, for an entry that cannot be used; nothing of it is repeated.
    init(_ name: CredentialName, _ data: JSONObject) throws {
        var fields = try WireFields(.object(data), in: "credential")
        let hosts: [String]
        switch fields.take("hosts") {
        case nil: hosts = []
        case .string(let text): hosts = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
        case .array(let elements): hosts = elements.map { $0.stringValue ?? "" }
        default: throw fields.error("hosts")
        }
        credential = try Credential(
            name, destinations: try hosts.map { try CredentialDestination($0) },
            user: try fields.optionalString("user"),
            place: try fields.optionalString("place").map { try CredentialPlace($0) },
            expires: try fields.optionalInteger("expires").map { Timestamp(seconds: $0) })
        if let path = try fields.optionalString("dynamic") {
            guard Self.isPath(path) else { throw fields.error("dynamic") }
            source = .dynamic(
                Dynamic(
                    path: path, member: try fields.optionalString("member") ?? "token",
                    userMember: try fields.optionalString("user_member")))
            credential.isDynamic = true
        } else {
            source = .fixed(try Secret(try fields.string("secret")))
        }
        try fields.finish()
    }

    /// A path of a secrets engine: names of plain characters, and none of Vault's own.
    private static func isPath(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard path.utf8.count <= 512, parts.count >= 2, let first = parts.first,
            !["sys", "auth", "cubbyhole", "identity"].contains(first)
        else { return false }
        return parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".."
                && part.utf8.allSatisfy {
                    switch $0 {
                    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                    default: "-_.".utf8.contains($0)
                    }
                }
        }
    }
}
