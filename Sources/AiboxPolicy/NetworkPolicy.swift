public import AiboxConfig
public import AiboxNetwork
public import AiboxSystem

/// The `network` section of a policy, as the gateway takes it.
public struct NetworkPolicy: Sendable, Equatable {
    /// Who may add hosts that no entry of `allow` covers.
    public enum Additions: String, Sendable, CaseIterable {
        /// Nobody: `allow` is all there is.
        case none
        /// The person at this machine, by `network.allowed_domains` and `aibox network allow`: public hosts, on 443 and 80.
        case any
    }

    public var allow: [AllowRuleSource]
    public var additions: Additions
    /// Who says so, for messages.
    public var source: String
    /// Blocks of addresses that are not public and may be reached all the same.
    public var targets: [AddressRange]
    /// Names with fixed addresses.
    public var names: [EgressPlan.PinnedName]
    public var upstream: SquidConfiguration.UpstreamProxy?
    /// PEM files of the organisation's own certificate authorities.
    public var authorities: [String]

    public init(_ policy: EffectivePolicy) {
        source = policy.place("network.allow")
        allow = (policy["network.allow"]?.elements ?? []).map { AllowRuleSource($0) }
        additions = Additions(rawValue: policy.text("network.user_hosts")) ?? .none
        if additions == .any, Self.takesHostsAway(policy.statements["network.allow"] ?? []) {
            // A host that was limited and then taken away would come back without its limits.
            additions = .none
        }
        targets = (policy["network.targets"]?.texts ?? []).compactMap { AddressRange($0) }
        names = (policy["network.names"]?.elements ?? []).compactMap { entry in
            guard let name = entry["name"]?.text.flatMap({ try? HostName($0) }) else { return nil }
            return EgressPlan.PinnedName(
                name: name, addresses: (entry["addresses"]?.texts ?? []).compactMap { IPAddress($0) })
        }
        authorities = policy["network.authorities"]?.texts ?? []
        upstream = policy["network.upstream_proxy"].map { proxy in
            SquidConfiguration.UpstreamProxy(
                host: proxy["host"]?.text ?? "", port: UInt16(clamping: proxy["port"]?.integer ?? 0),
                usesTLS: proxy["tls"]?.boolean ?? false)
        }
    }

    /// Whether a list names fewer hosts than the one before it. A later one that names them again changes nothing.
    private static func takesHostsAway(_ lists: [PolicyItem]) -> Bool {
        func hosts(_ list: PolicyItem) -> Set<String> { Set(list.elements.flatMap { $0["hosts"]?.texts ?? [] }) }
        return zip(lists, lists.dropFirst()).contains { !hosts($0).isSubset(of: hosts($1)) }
    }

    /// What the gateway is told: the policy's list with what this machine's settings add to it.
    ///
    /// - Returns: nil where the settings want no way out at all.
    /// - Throws: `denied` if the settings name a host that the policy does not permit.
    public func plan(_ settings: Configuration.Network) throws(AiboxError) -> EgressPlan? {
        if !settings.enabled { return nil }
        var allow = allow
        let covered: AllowList
        do { covered = try AllowList(allow) } catch { throw error.asError }
        var added: [String] = []
        for domain in settings.allowedDomains {
            let pattern: HostPattern
            do { pattern = try HostPattern(domain) } catch {
                throw AiboxError(
                    .failed, "network.allowed_domains names \(domain)", why: error.reason,
                    remedy: "aibox config set network.allowed_domains ...")
            }
            if covered.hosts.contains(where: { $0.covers(pattern) }) { continue }
            guard additions == .any else {
                throw AiboxError(
                    .denied, "the policy does not permit \(domain)",
                    why: "\(source) does not list it, and network.allowed_domains names it",
                    remedy: "take it out of network.allowed_domains, or ask who owns the policy")
            }
            added.append(domain)
        }
        if !added.isEmpty {
            allow.append(AllowRuleSource(id: "allowed-domains", hosts: added, ports: [80, 443], layer: "user"))
        }
        return EgressPlan(
            allow: allow, permitsAdditions: additions == .any, targets: targets, names: names, upstream: upstream,
            originAuthorities: authorities, resolver: ResolverProgram(rawValue: settings.resolver.rawValue))
    }
}
