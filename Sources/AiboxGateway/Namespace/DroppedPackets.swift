import AiboxAudit
import AiboxWire

/// Packets of the sandbox that the filter dropped, by the counter that its rule feeds.
struct DroppedPackets: Sendable, Equatable {
    var counter: String
    var count: UInt64

    /// What the counters of `FilterRuleset` stand for.
    private static let meanings: [String: (rule: String, transport: String, target: String, reason: String)] = [
        "denied_ipv6": ("pre.ipv6", "ipv6", "IPv6", "there is no IPv6 for the sandbox"),
        "denied_source": ("pre.source", "ip", "a foreign sender", "the packet does not carry the sandbox's address"),
        "denied_foreign_tcp": ("pre.foreign-tcp", "tcp", otherAddresses, onlyGateway),
        "denied_foreign_udp": ("pre.foreign-udp", "udp", otherAddresses, onlyGateway),
        "denied_foreign_other": ("pre.foreign", "ip", otherAddresses, onlyGateway),
        "denied_port_tcp": ("in.denied-tcp", "tcp", closedPorts, onlyPorts),
        "denied_port_udp": ("in.denied-udp", "udp", closedPorts, onlyPorts),
        "denied_port_other": ("in.denied", "ip", "the gateway", onlyPorts),
        "denied_forward": ("fwd.denied", "ip", "another interface", "nothing is forwarded for the sandbox"),
    ]
    private static let otherAddresses = "other addresses"
    private static let closedPorts = "closed ports of the gateway"
    private static let onlyGateway = "the sandbox can reach its gateway and no other address"
    private static let onlyPorts = "the gateway serves no such port"

    /// One event for all of them: how many there were is in it. Where they were to go nobody has kept.
    var event: AuditEvent {
        let meaning = Self.meanings[counter] ?? (counter, "ip", "", "the packet filter refused it")
        return AuditEvent(
            .networkDeny, subject: meaning.target, outcome: .denied,
            details: [
                "protocol": .string(meaning.transport), "rule": .string(meaning.rule), "layer": "org",
                "reason": .string(meaning.reason), "code": "packet_filter",
                "packets": .integer(Int64(clamping: count)),
            ])
    }

    /// What the counters gained.
    ///
    /// - Parameters:
    ///   - now: packets by counter; those that do not begin with `denied_` are for what is allowed.
    ///   - before: the same of the look before; a counter that lost packets was made anew meanwhile.
    static func gained(_ now: [String: UInt64], since before: [String: UInt64]) -> [DroppedPackets] {
        now.filter { $0.key.hasPrefix("denied_") }.sorted { $0.key < $1.key }.compactMap { name, count in
            let known = before[name] ?? 0
            let gained = count < known ? count : count - known
            return gained == 0 ? nil : DroppedPackets(counter: name, count: gained)
        }
    }

    /// `name=count,name=count`; nil for anything else.
    static func list(_ text: Substring) -> [DroppedPackets]? {
        var list: [DroppedPackets] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "=", omittingEmptySubsequences: false)
            guard words.count == 2, let count = UInt64(words[1]), count > 0, "\(count)" == words[1], !words[0].isEmpty,
                words[0].utf8.allSatisfy({ $0 == UInt8(ascii: "_") || 0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 })
            else { return nil }
            list.append(DroppedPackets(counter: String(words[0]), count: count))
        }
        return list
    }
}
