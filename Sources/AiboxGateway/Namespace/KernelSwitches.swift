import AiboxSystem
import Glibc

/// Kernel settings of a network namespace (/proc/sys/net, ip-sysctl.rst in the kernel's documentation).
///
/// A new namespace starts with a copy of the host's values (net.core.devconf_inherit_init_net), so each one that
/// matters is set, whatever it is by default.
enum KernelSwitches {
    /// The settings in the order in which they have to be written: ip_forward resets others.
    static let wanted: [(path: String, value: String)] = [("ipv4/ip_forward", "0")] + interfaces

    private static let interfaces: [(path: String, value: String)] = ["all", "default"].flatMap { name in
        [
            // No IPv6 at all, not even a link-local address: set before any interface appears.
            ("ipv6/conf/\(name)/disable_ipv6", "1"),
            ("ipv6/conf/\(name)/accept_ra", "0"),
            ("ipv6/conf/\(name)/forwarding", "0"),
            ("ipv4/conf/\(name)/forwarding", "0"),
            // A packet whose answer would not go back the way it came is dropped.
            ("ipv4/conf/\(name)/rp_filter", "1"),
            ("ipv4/conf/\(name)/accept_source_route", "0"),
            ("ipv4/conf/\(name)/accept_redirects", "0"),
            ("ipv4/conf/\(name)/secure_redirects", "0"),
            ("ipv4/conf/\(name)/send_redirects", "0"),
            // 127.0.0.0/8 never crosses the cable.
            ("ipv4/conf/\(name)/route_localnet", "0"),
            ("ipv4/conf/\(name)/accept_local", "0"),
            ("ipv4/conf/\(name)/proxy_arp", "0"),
            // Answer ARP only for the address of the interface asked.
            ("ipv4/conf/\(name)/arp_ignore", "1"),
        ]
    }

    /// Lets a process without any right serve port 53, in the calling process's network namespace.
    static func openLowPorts() throws(AiboxError) {
        try set("ipv4/ip_unprivileged_port_start", to: "53")
    }

    /// Writes all of them in the calling process's network namespace. A kernel without IPv6 lacks its files.
    static func apply() throws(AiboxError) {
        for (path, value) in wanted { try set(path, to: value) }
    }

    private static func set(_ path: String, to value: String) throws(AiboxError) {
        let file = "/proc/sys/net/" + path
        let number = open(file, O_WRONLY | O_CLOEXEC)
        if number < 0 {
            if errno == ENOENT, path.hasPrefix("ipv6/") { return }
            throw .system("cannot set \(file)", errno: errno)
        }
        let descriptor = Descriptor(number)
        try File.writeAll(Array(value.utf8), to: descriptor, file)
    }

    /// Those that somebody changed in the calling process's network namespace, a finding each.
    static func changes() throws(AiboxError) -> [String] {
        var findings: [String] = []
        for (path, value) in wanted where File.exists("/proc/sys/net/" + path) {
            let found = try File.text("/proc/sys/net/" + path, limit: 64).prefix { $0 != "\n" }
            if found != value { findings.append("net/\(path) is \(found), not \(value)") }
        }
        return findings
    }
}
