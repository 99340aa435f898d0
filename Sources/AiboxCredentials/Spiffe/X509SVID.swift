import AiboxCrypto
public import AiboxSystem

/// A certificate that names a workload, and its key (github.com/spiffe/spiffe, standards/X509-SVID.md), checked: it exists only if
/// everything holds.
public struct X509SVID: Sendable {
    public let id: SpiffeID
    public let expires: Timestamp
    /// For connections of TLS.
    let identity: TLSClientIdentity

    /// - Throws: if anything in it is not as the standard has it, or does not hold at this time.
    init(_ entry: WorkloadMessages.X509Entry, now: Timestamp) throws(AiboxError) {
        if entry.id.isEmpty || entry.chain.isEmpty || entry.key.isEmpty || entry.bundle.isEmpty {
            throw Self.unfit("a part of it is missing")
        }
        let chain: CertificateChain
        let leaf: CertificateChain.Leaf
        do throws(AiboxError) {
            id = try SpiffeID(workload: entry.id)
            chain = try CertificateChain(concatenated: entry.chain)
            leaf = try chain.leaf()
        } catch { throw Self.unfit(error.reason) }
        // Sections 2, 4.1, 4.3, 4.4 and 5.2.
        guard leaf.uris.count == 1 else { throw Self.unfit("it has \(leaf.uris.count) names of the kind URI, not one") }
        guard leaf.uris[0] == entry.id else { throw Self.unfit("it names another workload than the Workload API does") }
        if leaf.isAuthority { throw Self.unfit("it is an authority's, not a workload's") }
        guard let usage = leaf.keyUsage, leaf.isKeyUsageCritical else {
            throw Self.unfit("it does not say, as critical, what its key is for")
        }
        guard usage.contains(.digitalSignature) else { throw Self.unfit("its key is not for signatures") }
        guard usage.isDisjoint(with: [.certificateSign, .revocationSign]) else {
            throw Self.unfit("its key may sign other certificates")
        }
        guard leaf.isForClients, leaf.isForServers else {
            throw Self.unfit("its key is not for clients and servers of TLS")
        }
        guard leaf.notBefore <= now else { throw Self.unfit("it is not valid yet") }
        guard now < leaf.notAfter else { throw Self.unfit("it has expired") }
        expires = leaf.notAfter
        do throws(AiboxError) {
            // That of its own trust domain comes with it.
            try chain.verify(authorities: try CertificateChain(concatenated: entry.bundle), at: now)
            identity = try TLSClientIdentity(chain: chain, key: try SecretBytes(entry.key))
        } catch { throw Self.unfit(error.reason) }
    }

    private static func unfit(_ why: String) -> AiboxError {
        AiboxError(.integrity, "the Workload API gave an X.509-SVID that cannot be trusted", why: why)
    }
}
