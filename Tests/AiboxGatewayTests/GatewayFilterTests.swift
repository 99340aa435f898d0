import AiboxSystem
import Testing

@testable import AiboxGateway

@Suite("The packet filter is default drop")
struct GatewayFilterTests {
    @Test("with no service the sandbox may reach nothing; SSH may reach the sandbox")
    func golden() {
        #expect(
            GatewayFilter().ruleset == """
                table inet aibox
                delete table inet aibox
                table inet aibox {
                  counter denied_elsewhere { }
                  counter denied_input { }
                  counter denied_forward { }
                  chain prerouting {
                    type filter hook prerouting priority filter; policy accept;
                    iifname != "box0" accept
                    ip saddr 10.200.1.2 ip daddr 10.200.1.1 accept
                    meta l4proto tcp counter name denied_elsewhere reject with tcp reset
                    counter name denied_elsewhere reject with icmpx admin-prohibited
                  }
                  chain input {
                    type filter hook input priority filter; policy drop;
                    iif lo accept
                    iifname "box0" ct state established accept
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
                    oifname "box0" ct state established,related accept
                    oifname "box0" ip daddr 10.200.1.2 tcp dport 2222 accept
                    oifname "box0" meta l4proto icmp accept
                  }
                }

                """)
    }

    @Test("a service is one accept rule, in the input chain")
    func services() {
        let with = GatewayFilter(services: [.init(.tcp, 3128), .init(.udp, 53)]).ruleset.split(separator: "\n")
        let without = Set(GatewayFilter().ruleset.split(separator: "\n"))
        #expect(
            with.filter { !without.contains($0) } == [
                #"    iifname "box0" ip daddr 10.200.1.1 tcp dport 3128 ct state new accept"#,
                #"    iifname "box0" ip daddr 10.200.1.1 udp dport 53 ct state new accept"#,
            ])
    }

    @Test("nft accepts it")
    func valid() throws {
        let filter = GatewayFilter(services: [.init(.tcp, 3128), .init(.tcp, 53), .init(.udp, 53)])
        // In a namespace of its own: nft -c asks the kernel too, which takes a right on a network namespace.
        let command = Command(
            "unshare", ["--map-root-user", "--net", ExecutableSearch.find("nft") ?? "nft", "-c", "-f", "-"],
            input: Array(filter.ruleset.utf8))
        let result = try SystemCommandRunner().run(command)
        #expect(result.succeeded, "\(result.errorText)")
    }
}
