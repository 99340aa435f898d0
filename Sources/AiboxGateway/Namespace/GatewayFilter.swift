/// The packet filter of the gateway's namespace, as text for `nft -f`.
///
/// It is the wall of promise P1. It stands on the gateway's side of the cable, because rules on the sandbox's side do
/// nothing against gVisor, which sends by packet socket. Default drop in all three directions; a refused TCP
/// connection gets a reset (gVisor does not understand the ICMP refusal), so that clients fail at once.
public struct GatewayFilter: Sendable, Equatable {
    /// A service of the gateway that the sandbox may reach.
    public struct Service: Sendable, Hashable {
        public enum Transport: String, Sendable { case tcp, udp }
        public var transport: Transport
        public var port: UInt16

        public init(_ transport: Transport, _ port: UInt16) {
            self.transport = transport
            self.port = port
        }
    }

    /// What the sandbox may reach; everything else is refused.
    public var services: [Service]

    public init(services: [Service] = []) { self.services = services }

    /// The whole ruleset; loading it replaces the former one in one transaction.
    public var ruleset: String {
        let link = SandboxLink.gatewayName
        let gateway = SandboxLink.gatewayAddress
        let box = SandboxLink.boxAddress
        let accepts = services.map { service in
            """

                iifname "\(link)" ip daddr \(gateway) \(service.transport.rawValue) dport \(service.port) ct state new accept
            """
        }.joined()
        return """
            table inet aibox
            delete table inet aibox
            table inet aibox {
              counter denied_elsewhere { }
              counter denied_input { }
              counter denied_forward { }
              chain prerouting {
                type filter hook prerouting priority filter; policy accept;
                iifname != "\(link)" accept
                ip saddr \(box) ip daddr \(gateway) accept
                meta l4proto tcp counter name denied_elsewhere reject with tcp reset
                counter name denied_elsewhere reject with icmpx admin-prohibited
              }
              chain input {
                type filter hook input priority filter; policy drop;
                iif lo accept
                iifname "\(link)" ct state established accept\(accepts)
                meta l4proto tcp counter name denied_input reject with tcp reset
                counter name denied_input reject with icmpx admin-prohibited
              }
              chain forward {
                type filter hook forward priority filter; policy drop;
                counter name denied_forward drop
              }
              chain output {
                type filter hook output priority filter; policy drop;
                oif lo accept
                oifname "\(link)" ct state established,related accept
                oifname "\(link)" ip daddr \(box) tcp dport \(SandboxLink.sshPort) accept
                oifname "\(link)" meta l4proto icmp accept
              }
            }

            """
    }
}
