import AiboxCrypto
import AiboxSystem
import AiboxWire

/// A dynamic secret that Vault made and will take away again.
struct VaultLease: Sendable, Equatable {
    /// Vault's id of it; no secret: it takes a token to do anything with it.
    var id: String
    /// From now, at least 1.
    var seconds: Int64
    var isRenewable: Bool
    /// What the path answered with, as Vault named it.
    var data: JSONObject

    static func == (left: VaultLease, right: VaultLease) -> Bool { left.id == right.id }

    /// Bytes: it begins with the path that made it, which may have 512 (`VaultEntry`).
    static let longestID = 1024

    /// Longer ones are taken for this long: ten years.
    static let longest: Int64 = 315_360_000

    /// - Returns: nil for what cannot be the id of a lease.
    static func id(_ value: JSONValue?) -> String? {
        guard let id = value?.stringValue, !id.isEmpty, id.utf8.count <= longestID,
            id.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        return id
    }

    /// - Returns: nil for what is no length of a lease: no whole number, or less than a second.
    static func seconds(_ value: JSONValue?) -> Int64? {
        guard let seconds = value?.wholeNumber, seconds >= 1 else { return nil }
        return min(seconds, longest)
    }
}

/// What Vault says of a token.
struct VaultToken: Sendable, Equatable {
    /// What it is called where it is not to be shown; nil for batch tokens, which have none.
    var accessor: String?
    /// From now; nil: it does not end.
    var seconds: Int64?
    var isRenewable: Bool
}

extension VaultToken {
    /// What the answer to a login says, the member `auth` (developer.hashicorp.com/vault/api-docs/auth/approle, "Login").
    init(auth: JSONValue) {
        self.init(
            accessor: VaultLease.id(auth["accessor"]), seconds: VaultLease.seconds(auth["lease_duration"]),
            isRenewable: auth["renewable"]?.truth ?? false)
    }
}

/// How a renewal ended, where Vault answered.
enum VaultRenewal: Sendable {
    /// For how many seconds from now, and whether it can be done again.
    case renewed(Int64, isRenewable: Bool)
    /// It will not, for this lease: gone, not renewable, or not permitted.
    case refused(AiboxError)
}

/// Leases and tokens: developer.hashicorp.com/vault/api-docs/system/leases and /auth/token.
extension VaultClient.Session {
    /// What Vault knows of this token.
    func lookUp() throws(AiboxError) -> VaultToken {
        let answer = try ask("GET", "auth/token/lookup-self")
        guard answer.status == 200, let data = VaultClient.json(answer)?["data"],
            let ttl = data["ttl"]?.wholeNumber, ttl >= 0
        else { throw VaultClient.failure("Vault does not tell how long its token lives", answer) }
        return VaultToken(
            accessor: VaultLease.id(data["accessor"]), seconds: ttl == 0 ? nil : min(ttl, VaultLease.longest),
            isRenewable: data["renewable"]?.truth ?? false)
    }

    /// Reads a path that makes a secret, and with it a lease.
    func make(_ path: String) throws(AiboxError) -> VaultLease {
        let what = "cannot take a dynamic secret from Vault's \(path)"
        let answer = try ask("GET", path)
        guard answer.status == 200, let json = VaultClient.json(answer) else { throw VaultClient.failure(what, answer) }
        guard let id = VaultLease.id(json["lease_id"]) else {
            throw AiboxError(
                .failed, what, why: "it came without a lease, so nobody could take it back",
                remedy: "name a path of a secrets engine that makes leases")
        }
        guard let seconds = VaultLease.seconds(json["lease_duration"]), case .object(let data)? = json["data"] else {
            // It was made all the same.
            try? revoke(id)
            throw AiboxError(.failed, what, why: "its lease has no length, or it has no data")
        }
        return VaultLease(id: id, seconds: seconds, isRenewable: json["renewable"]?.truth ?? false, data: data)
    }

    /// - Throws: if Vault does not answer, or not now.
    func renew(_ id: String, seconds: Int64) throws(AiboxError) -> VaultRenewal {
        let answer = try ask("PUT", "sys/leases/renew", ["lease_id": .string(id), "increment": .integer(seconds)])
        return try Self.renewal("cannot renew a lease of Vault's", answer, VaultClient.json(answer))
    }

    /// - Throws: if Vault does not answer, or not now.
    func renewToken(seconds: Int64) throws(AiboxError) -> VaultRenewal {
        let answer = try ask("POST", "auth/token/renew-self", ["increment": .string("\(seconds)s")])
        return try Self.renewal("cannot renew a token of Vault's", answer, VaultClient.json(answer)?["auth"])
    }

    private static func renewal(
        _ what: String, _ answer: HTTPSExchange.Answer, _ json: JSONValue?
    ) throws(AiboxError) -> VaultRenewal {
        if isRefusal(answer.status) { return .refused(VaultClient.failure(what, answer)) }
        guard answer.status == 200 else { throw VaultClient.failure(what, answer) }
        guard let seconds = VaultLease.seconds(json?["lease_duration"]) else {
            return .refused(AiboxError(.failed, what, why: "the answer has no length"))
        }
        return .renewed(seconds, isRenewable: json?["renewable"]?.truth ?? false)
    }

    /// Ends a lease before it returns (`sync`: else Vault only queues that); one that is gone already is no error.
    func revoke(_ id: String) throws(AiboxError) {
        try gone(
            "cannot revoke a lease of Vault's",
            try ask("PUT", "sys/leases/revoke", ["lease_id": .string(id), "sync": true]))
    }

    /// Ends a token and all leases that were made with it; one that is gone already is no error.
    func revoke(accessor: String) throws(AiboxError) {
        try gone(
            "cannot revoke a token of Vault's",
            try ask("POST", "auth/token/revoke-accessor", ["accessor": .string(accessor)]))
    }

    /// Vault tells of what is no more by status 404, or by 400 (403) and words: github.com/hashicorp/vault/issues/9636.
    private func gone(_ what: String, _ answer: HTTPSExchange.Answer) throws(AiboxError) {
        // 202: queued only.
        if answer.status == 200 || answer.status == 204 { return }
        let errors = VaultClient.json(answer)?["errors"]?.elements
        let said = (errors ?? []).compactMap(\.stringValue).joined()
        switch answer.status {
        // Another namespace, or no Vault at all, is no answer about the lease.
        case 404: if !said.contains("no handler") && !said.contains("unsupported") && errors != nil { return }
        case 400, 403:
            if ["lease not found", "invalid lease", "invalid accessor"].contains(where: said.contains) { return }
        default: break
        }
        throw VaultClient.failure(what, answer)
    }

    /// Whether it will say the same again: not sealed, not busy, not in trouble of its own, no redirect.
    private static func isRefusal(_ status: Int) -> Bool {
        (400..<500).contains(status) && ![408, 412, 429, 472, 473].contains(status)
    }
}
