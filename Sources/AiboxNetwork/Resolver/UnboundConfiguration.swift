/// The resolver's configuration for unbound(8), 1.13 and later.
public struct UnboundConfiguration: Sendable, Equatable {
    public var zone: ResolverZone
    /// The only client.
    public var client: IPAddress
    public var port: UInt16
    /// Private folder for the pid file; nil: no file at all.
    public var folder: String?

    public init(zone: ResolverZone, client: IPAddress = .v4(0x0AC8_0102), port: UInt16 = 53, folder: String?) {
        self.zone = zone
        self.client = client
        self.port = port
        self.folder = folder
    }

    /// unbound.conf. The log, one line an answer, goes to standard error.
    public var text: String {
        var lines = [
            "# Written by aibox; changes are lost.",
            "server:",
            "    directory: \"\(folder ?? "/")\"",
            "    chroot: \"\"",
            "    username: \"\"",
            "    pidfile: \"\(folder.map { $0 + "/unbound.pid" } ?? "")\"",
            "    use-syslog: no",
            "    logfile: \"\"",
            "    log-replies: yes",
            "    do-daemonize: no",
            "    num-threads: 1",
            "    interface: \(zone.address)",
            "    port: \(port)",
            "    do-ip6: no",
            "    access-control: 0.0.0.0/0 deny",
            "    access-control: \(client)/32 allow",
            // The gateway itself, which asks whether it serves.
            "    access-control: \(zone.address)/32 allow",
            "    hide-identity: yes",
            "    hide-version: yes",
            "    hide-trustanchor: yes",
            "    minimal-responses: yes",
            "    outgoing-range: 64",
            "    num-queries-per-thread: 512",
            "    msg-cache-size: 1m",
            "    rrset-cache-size: 1m",
            "    incoming-num-tcp: 64",
            "    tcp-idle-timeout: 5000",
            "    edns-buffer-size: 1232",
            // Nothing is ever asked elsewhere; if a rule below were wrong, this still holds.
            "    module-config: \"iterator\"",
            "    do-not-query-address: 0.0.0.0/0",
            "    do-not-query-address: ::/0",
            "    local-zone: \".\" always_nxdomain",
        ]
        for name in zone.names {
            lines.append("    local-zone: \"\(name).\" static")
            lines.append("    local-data: \"\(name). 60 IN A \(zone.address)\"")
        }
        for domain in zone.domains {
            lines.append("    local-zone: \"\(domain).\" redirect")
            lines.append("    local-data: \"\(domain). 60 IN A \(zone.address)\"")
        }
        lines += ["remote-control:", "    control-enable: no"]
        return lines.joined(separator: "\n") + "\n"
    }
}
