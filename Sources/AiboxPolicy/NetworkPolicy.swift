public import AiboxConfig
public import AiboxNetwork
public import AiboxSystem

/// The organisation's `network` section: where sandboxes on this machine may connect.
public struct NetworkPolicy: Sendable, Equatable {
    /// Who may add hosts that no entry of `allow` covers.
    public enum Additions: String, Sendable, CaseIterable {
        /// Nobody: `allow` is all there is.
        case none
        /// The person at this machine, by `network.allowed_domains` and `aibox network allow`: public hosts, on 443 and 80.
        case any
    }

    /// May an entry open TLS, to see methods and paths?
    public enum Inspection: String, Sendable, CaseIterable {
        case permitted, forbidden
    }

    public var allow: [AllowRuleSource]
    public var inspection: Inspection
    public var additions: Additions
    /// Blocks of addresses that are not public and may be reached all the same.
    public var targets: [AddressRange]
    /// Names with fixed addresses.
    public var names: [EgressPlan.PinnedName]
    public var upstream: SquidConfiguration.UpstreamProxy?
    /// PEM files of the organisation's own certificate authorities.
    public var authorities: [String]

    static let keys = ["allow", "user_hosts", "targets", "names", "upstream_proxy", "authorities", "inspection"]
    private static let entryKeys = [
        "id", "hosts", "ports", "schemes", "methods", "paths", "inspect", "rate_limit", "max_upload",
    ]

    /// Reads the section; what is wrong is reported with its place.
    init(_ section: YAMLMapping?) {
        allow = []
        inspection = section?.choice("inspection", of: Inspection.self) ?? .permitted
        for (index, entry) in (section?.mappings("allow", keys: Self.entryKeys) ?? []).enumerated() {
            entry.require("id", "hosts")
            let limit = entry.mapping("rate_limit", keys: ["requests_per_min", "connections"])
            let source = AllowRuleSource(
                id: entry.text("id") ?? "", hosts: entry.texts("hosts") ?? [],
                ports: entry.has("ports") ? entry.integers("ports", in: 1...65535) : [443],
                schemes: entry.texts("schemes"), methods: entry.texts("methods"), paths: entry.texts("paths"),
                inspect: entry.boolean("inspect"),
                requestsPerMinute: limit?.integer("requests_per_min", in: 1...1_000_000),
                connections: limit?.integer("connections", in: 1...1_000_000),
                maxUpload: entry.integer("max_upload", in: 0...Int.max).map { Int64($0) })
            allow.append(source)
            // The rules of an entry itself, with the entry's place.
            do throws(AllowListProblems) {
                if try AllowList([source], field: "").inspects, inspection == .forbidden {
                    section?.complain(
                        "allow", "entry \(index): opens TLS, which `inspection: forbidden` does not permit")
                }
            } catch {
                for problem in error.problems {
                    section?.complain(
                        "allow", "entry \(index): \(problem.field.drop { $0 != "." }): \(problem.message)")
                }
            }
        }
        let twice = Dictionary(grouping: allow, by: \.id).filter { $0.value.count > 1 }.keys.sorted()
        for id in twice { section?.complain("allow", "has two entries with the id \(id)") }
        additions = section?.choice("user_hosts", of: Additions.self) ?? .none
        targets = []
        for text in section?.texts("targets") ?? [] {
            if let range = AddressRange(text) {
                targets.append(range)
            } else {
                section?.complain("targets", "has \"\(text)\", which is no block of addresses such as 10.1.0.0/16")
            }
        }
        names = []
        for entry in section?.mappings("names", keys: ["name", "addresses"]) ?? [] {
            entry.require("name", "addresses")
            let addresses = (entry.texts("addresses") ?? []).compactMap { text in
                let address = IPAddress(text)
                if address == nil { entry.complain("addresses", "has \"\(text)\", which is no address") }
                return address
            }
            if let name = entry.text("name").flatMap({ try? HostName($0) }) {
                names.append(EgressPlan.PinnedName(name: name, addresses: addresses))
            } else {
                entry.complain("name", "must be a host name")
            }
        }
        authorities = section?.texts("authorities") ?? []
        for path in authorities where !path.hasPrefix("/") {
            section?.complain("authorities", "has \"\(path)\", which is no absolute path")
        }
        upstream = Self.upstream(section?.mapping("upstream_proxy", keys: ["host", "port", "tls"]))
    }

    private static func upstream(_ section: YAMLMapping?) -> SquidConfiguration.UpstreamProxy? {
        guard let section else { return nil }
        section.require("host", "port")
        guard let host = section.text("host"), let port = section.integer("port", in: 1...65535) else { return nil }
        if (try? HostName(host)) == nil, IPAddress(host) == nil {
            section.complain("host", "must be a host name or an address")
        }
        return SquidConfiguration.UpstreamProxy(
            host: host, port: UInt16(port), usesTLS: section.boolean("tls") ?? false)
    }

    /// What the gateway is told: the organisation's list with what this machine's settings add to it.
    ///
    /// - Returns: nil where the settings want no way out at all.
    /// - Throws: `denied` if the settings name a host that the policy does not permit.
    public func plan(_ settings: Configuration.Network, source: String) throws(AiboxError) -> EgressPlan? {
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
                    .denied, "the organisation's policy does not permit \(domain)",
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
