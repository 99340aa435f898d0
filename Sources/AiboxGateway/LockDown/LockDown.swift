import AiboxNetwork
import AiboxSystem
import AiboxWire
import Glibc

/// What the gateway's processes give up for good before they serve a sandbox.
///
/// Both parts are inherited: Squid and the resolver, started later, live inside the same walls.
enum LockDown {
    /// The daemon. To be called while it has one thread.
    ///
    /// - Returns: the version of Landlock; 0 where the kernel has none.
    static func daemon(_ settings: GatewaySettings, _ plan: EgressPlan?) throws(AiboxError) -> Int {
        // Root's Squids have their files here, and a rule is for what is there.
        if geteuid() == 0 {
            try Folder.make(squids)
            try retrying("cannot open \(squids) to Squid") { chmod(squids, 0o711) }
        }
        let version = try files(settings, plan).enforce()
        try SystemCallFilter.load(netlink: [0])
        return version
    }

    /// The holder, once the namespaces stand. It runs nft, which talks netlink; of files it writes kernel settings only.
    static func holder() throws(AiboxError) {
        _ = try FileAccess(readable: ["/"], writable: ["/proc", "/dev/null"], programs: ["/"]).enforce()
        try SystemCallFilter.load(netlink: [0, 12])
    }

    /// The run folder and the audit log; of the system what servers read. Not the homes, not the workspace, not /var.
    static func files(_ settings: GatewaySettings, _ plan: EgressPlan? = nil) -> FileAccess {
        FileAccess(
            readable: ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/proc", "/sys/devices/system/cpu"]
                + configuration.map { "/etc/" + $0 } + ["null", "random", "urandom", "zero"].map { "/dev/" + $0 }
                + Self.resolverFolders + (plan?.originAuthorities ?? []) + (settings.llm?.authorities ?? [])
                + Self.ownLibraries,
            writable: [
                settings.runFolder, settings.audit.folder, settings.audit.checkpoints, "/dev/null", "/dev/shm",
            ] + (geteuid() == 0 ? [squids] : []) + [settings.llm?.payloads?.folder].compactMap(\.self),
            programs: servers, removable: [Path.parent(settings.runFolder)])
    }

    /// What servers look up in /etc; not, say, the machine's password hashes and host keys.
    private static let configuration = [
        "aibox", "ca-certificates", "coredns", "crypto-policies", "gai.conf", "group", "host.conf", "hosts",
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "pki",
        "protocols", "resolv.conf", "services", "squid", "ssl", "timezone", "unbound",
    ]

    private static let squids = Path.parent(SquidPlace.rootful(runFolder: ""))

    /// Where /etc/resolv.conf may lead.
    private static let resolverFolders = ["/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/mnt/wsl"]

    /// What a gateway may start: the resolver and Squid with its helpers, the loader of dynamic programs, itself.
    private static var servers: [String] {
        ["squid", "unbound", "coredns"].compactMap { ExecutableSearch.find($0) }
            + ["/usr/lib/squid", "/usr/lib64/squid", "/usr/libexec/squid", "/lib/ld-linux-aarch64.so.1"]
            + ["/lib64/ld-linux-x86-64.so.2", "/proc/self/exe"]
            + [LLMSupervisor.program()].compactMap(\.self)
    }

    /// Libraries that this program came with, beside the system's: what it starts is linked with them as well.
    private static var ownLibraries: [String] {
        let maps = (try? File.text("/proc/self/maps", limit: 4 << 20)) ?? ""
        let files = maps.split(separator: "\n").compactMap { line -> String? in
            guard let slash = line.firstIndex(of: "/"), line.contains(".so") else { return nil }
            return String(line[slash...])
        }
        let system = ["/usr/", "/lib/", "/lib64/"]
        return Array(Set(files.filter { file in !system.contains { file.hasPrefix($0) } }))
    }
}
