import AiboxCrypto
public import AiboxSystem

/// The surrogates that are lent to sandboxes: digests, bindings and ends, in memory only, so that they die with the process
/// that holds them.
///
/// Pure: the time comes in with each question. It is the continuous clock's, which nobody can set back and which goes on
/// while the machine sleeps.
public struct SurrogateLedger: Sendable {
    public typealias Moment = ContinuousClock.Instant

    private struct Loan: Sendable {
        var digest: SurrogateDigest
        var binding: SurrogateBinding
        var end: Moment
        var isRevoked = false
    }

    /// By digest: how long the look-up takes tells something about a hash, and nothing about a surrogate.
    private var loans: [SurrogateDigest: Loan] = [:]

    public init() {}

    /// Lends a new surrogate.
    ///
    /// - Throws: `denied` if the lifetime is nothing: the policy lends none of the kind.
    public mutating func lend(
        _ binding: SurrogateBinding, for lifetime: Duration, now: Moment
    ) throws(AiboxError) -> Surrogate {
        if lifetime <= .zero {
            throw AiboxError(
                .denied, "\(binding.credential) is not lent", why: "the policy allows no lifetime for it",
                remedy: "aibox policy show credentials")
        }
        let surrogate = try Surrogate(for: binding.credential.type)
        loans[surrogate.digest] = Loan(digest: surrogate.digest, binding: binding, end: now.advanced(by: lifetime))
        return surrogate
    }

    /// What a presented value stands for, if everything about its use is right.
    public func check(
        _ presented: [UInt8], _ use: SurrogateUse, now: Moment
    ) -> Result<CredentialName, SurrogateRefusal> {
        guard Surrogate.isWellFormed(String(decoding: presented, as: UTF8.self)),
            let digest = try? SurrogateDigest(presented)
        else { return .failure(.malformed) }
        guard let loan = loans[digest], ConstantTime.equal(loan.digest.bytes, digest.bytes) else {
            return .failure(.unknown)
        }
        if loan.isRevoked { return .failure(.revoked) }
        if now >= loan.end { return .failure(.expired) }
        if let refusal = loan.binding.refusal(of: use) { return .failure(refusal) }
        return .success(loan.binding.credential)
    }

    /// For audit events: the first digits of a presented value's digest.
    public static func short(_ presented: [UInt8]) -> String { (try? SurrogateDigest(presented))?.short ?? "" }

    /// Takes one credential's surrogates back, or a sandbox's, or both; a fresh one is not affected.
    ///
    /// - Returns: the digests that died by it.
    public mutating func revoke(
        sandbox: String? = nil, credential: CredentialName? = nil, now: Moment
    ) -> [SurrogateDigest] {
        var died: [SurrogateDigest] = []
        for (digest, loan) in loans where !loan.isRevoked && now < loan.end {
            if let sandbox, loan.binding.sandbox != sandbox { continue }
            if let credential, loan.binding.credential != credential { continue }
            loans[digest]?.isRevoked = true
            died.append(digest)
        }
        return died
    }

    /// The credentials whose surrogates end within a span, so that they can be renewed without a restart.
    public func ending(within span: Duration, now: Moment) -> Set<CredentialName> {
        Set(
            loans.values.filter { !$0.isRevoked && now < $0.end && $0.end <= now.advanced(by: span) }
                .map(\.binding.credential))
    }

    /// Surrogates that are alive.
    public func count(now: Moment) -> Int { loans.values.count { !$0.isRevoked && now < $0.end } }
}
