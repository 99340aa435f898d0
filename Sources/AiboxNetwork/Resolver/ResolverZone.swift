/// What the sandbox's resolver answers: the same for every program that can play the part.
///
/// A listed name has one address, the gateway's; every other question is answered from here with
/// NXDOMAIN. Nothing is ever asked elsewhere, so a name carries nothing out (P2). Below a wildcard's
/// domain any depth resolves (to the gateway, which decides): a resolver cannot leak by it.
public struct ResolverZone: Sendable, Equatable {
    /// Names for the gateway's own services.
    public static let serviceNames = [
        HostName(trusted: "gateway.aibox.internal"), HostName(trusted: "llm.aibox.internal"),
    ]

    /// Sorted, without double entries, without names that lie below one of `domains`.
    public let names: [HostName]
    /// Domains of wildcards, sorted, none below another.
    public let domains: [HostName]
    public let address: IPAddress

    /// - Parameter address: where every listed name leads.
    public init(_ allowList: AllowList, address: IPAddress = .v4(0x0AC8_0101)) {
        var names = Set(Self.serviceNames)
        var domains: Set<HostName> = []
        for host in allowList.hosts {
            switch host {
            case .exact(let name): names.insert(name)
            case .oneLabelBelow(let base): domains.insert(base)
            }
        }
        self.domains = domains.filter { name in !domains.contains { name.isBelow($0) } }.sorted()
        self.names = names.filter { name in !domains.contains { name == $0 || name.isBelow($0) } }.sorted()
        self.address = address
    }

    /// True if a question for this name is answered with the address.
    public func resolves(_ name: HostName) -> Bool {
        names.contains(name) || domains.contains { name == $0 || name.isBelow($0) }
    }
}

extension HostName {
    /// True for `a.b` and `b`, false for `b` and `b`.
    func isBelow(_ domain: HostName) -> Bool { text.hasSuffix("." + domain.text) }
}
