/// The packet filter of one sandbox, for the gateway's side of the pair of namespaces.
///
/// It stands outside the container, where nothing inside has a right, and drops in every chain what no
/// rule names. Refusals happen in prerouting: with forwarding off a packet to a foreign address would
/// otherwise vanish before any chain could count and reject it.
public struct FilterRuleset: Sendable, Equatable {
    /// The interface towards the sandbox.
    public var interface: String
    public var gateway: IPAddress
    public var box: IPAddress
    /// Ports of the gateway that the sandbox may open.
    public var tcpPorts: [UInt16]
    public var udpPorts: [UInt16]
    /// Ports of the sandbox that the gateway may open: SSH, and what `port-forward` asks for.
    public var boxPorts: [UInt16]

    public static let tableName = "aibox"

    public init(
        interface: String = "box0", gateway: IPAddress = .v4(0x0AC8_0101), box: IPAddress = .v4(0x0AC8_0102),
        tcpPorts: [UInt16] = [53, 80, 443, 3128, 8443, 8444], udpPorts: [UInt16] = [53], boxPorts: [UInt16] = [2222]
    ) {
        self.interface = interface
        self.gateway = gateway
        self.box = box
        self.tcpPorts = tcpPorts
        self.udpPorts = udpPorts
        self.boxPorts = boxPorts
    }

    /// A base chain with the rules in it.
    public struct Chain: Sendable, Equatable {
        public var name: String
        public var hook: Hook
        public var priority: Int32
        public var rules: [Rule]
        /// Every base chain drops what its rules do not decide.
        public static let policy = "drop"
    }

    public enum Hook: String, Sendable, CaseIterable {
        case prerouting, input, forward, output
    }

    public struct Rule: Sendable, Equatable {
        /// Unique in the table; kept by the kernel as the rule's comment, so that a reader can name it.
        public var id: String
        /// The named counter that this rule feeds.
        public var counter: String?
        /// Matches, in nft's words.
        public var matches: String
        /// `accept`, `drop`, `reject with ...`.
        public var verdict: String

        var text: String {
            let count = counter.map { " counter name \"\($0)\"" } ?? ""
            return (matches + count).drop { $0 == " " } + " \(verdict) comment \"\(id)\""
        }
    }

    public var chains: [Chain] {
        [
            Chain(name: "prerouting", hook: .prerouting, priority: 0, rules: prerouting),
            Chain(name: "input", hook: .input, priority: 0, rules: input),
            Chain(
                name: "forward", hook: .forward, priority: 0,
                rules: [Rule(id: "fwd.denied", counter: "denied_forward", matches: "", verdict: "drop")]),
            Chain(name: "output", hook: .output, priority: 0, rules: output),
        ]
    }

    /// Counters in the order of their first rule. `denied_` and `allowed_` start their names.
    public var counters: [String] {
        var seen: Set<String> = []
        return chains.flatMap(\.rules).compactMap(\.counter).filter { seen.insert($0).inserted }
    }

    private var prerouting: [Rule] {
        let from = "iifname \"\(interface)\""
        return [
            Rule(id: "pre.lo", matches: "iifname \"lo\"", verdict: "accept"),
            Rule(id: "pre.ipv6", counter: "denied_ipv6", matches: "\(from) meta nfproto ipv6", verdict: "drop"),
            Rule(id: "pre.source", counter: "denied_source", matches: "\(from) ip saddr != \(box)", verdict: "drop"),
            Rule(
                id: "pre.foreign-tcp", counter: "denied_foreign_tcp",
                matches: "\(from) ip daddr != \(gateway) meta l4proto tcp", verdict: "reject with tcp reset"),
            Rule(
                id: "pre.foreign-udp", counter: "denied_foreign_udp",
                matches: "\(from) ip daddr != \(gateway) meta l4proto udp", verdict: Self.prohibited),
            Rule(
                id: "pre.foreign", counter: "denied_foreign_other", matches: "\(from) ip daddr != \(gateway)",
                verdict: Self.prohibited),
            Rule(id: "pre.gateway", matches: "\(from) ip daddr \(gateway)", verdict: "accept"),
        ]
    }

    private var input: [Rule] {
        let from = "iifname \"\(interface)\""
        let pair = "\(from) ip saddr \(box) ip daddr \(gateway)"
        func accept(_ transport: String, _ port: UInt16) -> Rule {
            Rule(
                id: "in.\(transport)-\(port)", counter: "allowed_\(transport)_\(port)",
                matches: "\(pair) \(transport) dport \(port) ct state new", verdict: "accept")
        }
        return [
            Rule(id: "in.lo", matches: "iifname \"lo\"", verdict: "accept"),
            Rule(id: "in.established", matches: "\(from) ct state established,related", verdict: "accept"),
        ] + Self.ascending(tcpPorts).map { accept("tcp", $0) } + Self.ascending(udpPorts).map { accept("udp", $0) } + [
            Rule(
                id: "in.denied-tcp", counter: "denied_port_tcp", matches: "\(from) meta l4proto tcp",
                verdict: "reject with tcp reset"),
            Rule(
                id: "in.denied-udp", counter: "denied_port_udp", matches: "\(from) meta l4proto udp",
                verdict: Self.prohibited),
            Rule(id: "in.denied", counter: "denied_port_other", matches: from, verdict: Self.prohibited),
        ]
    }

    private var output: [Rule] {
        let to = "oifname \"\(interface)\""
        return [
            Rule(id: "out.lo", matches: "oifname \"lo\"", verdict: "accept"),
            Rule(id: "out.established", matches: "\(to) ct state established,related", verdict: "accept"),
        ]
            + Self.ascending(boxPorts).map { port in
                Rule(
                    id: "out.tcp-\(port)", counter: "opened_tcp_\(port)",
                    matches: "\(to) ip saddr \(gateway) ip daddr \(box) tcp dport \(port) ct state new",
                    verdict: "accept")
            }
    }

    private static let prohibited = "reject with icmpx admin-prohibited"

    private static func ascending(_ ports: [UInt16]) -> [UInt16] { Set(ports).sorted() }
}
