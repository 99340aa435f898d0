import Testing

/// One call that a sandbox must not make, or must be able to make: the table of docs/seccomp.md.
struct ProbeRow: Sendable, CustomTestStringConvertible {
    /// Its name in Probe/probe.c.
    let name: String
    /// What becomes of it on a Linux kernel with the profile: an errno, a signal, `ok`.
    let kernel: String
    /// The same under gVisor.
    let gvisor: String
    /// What root with every capability gets without the profile, where the same call differs from `kernel`.
    let control: Control

    enum Control: Sendable {
        /// Anything but the refusal: the call reaches the kernel.
        case reaches
        /// Only the kernel's build decides what it answers (a socket family that is a module), so it may be the same.
        case mayBeAbsent
        /// The outcome is the same with the profile and without it: work that must go on.
        case same
    }

    var testDescription: String { name }

    private init(_ name: String, _ kernel: String, gvisor: String? = nil, _ control: Control = .reaches) {
        self.name = name
        self.kernel = kernel
        self.gvisor = gvisor ?? kernel
        self.control = control
    }

    static func refused(_ names: String...) -> [ProbeRow] { names.map { ProbeRow($0, "EPERM") } }

    static let all: [ProbeRow] =
        namespaces + mounts + processes + kernelParts + machine + sockets + filter + tables + work

    /// New namespaces, by every call that makes one. clone3 does not exist, whatever it asks for.
    private static let namespaces =
        refused(
            "clone_user", "clone_mount", "clone_net", "clone_pid", "clone_uts", "clone_ipc", "clone_cgroup",
            "clone_user_high", "unshare_user", "unshare_time", "setns")
        + [ProbeRow("clone3_user", "ENOSYS"), ProbeRow("clone3_plain", "ENOSYS")]

    /// Mounts, by the old calls and the new ones. gVisor has no name for mount_setattr, so it gets the default there.
    private static let mounts =
        refused("mount", "umount", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick")
        + refused("pivot_root", "chroot") + [ProbeRow("mount_setattr", "EPERM", gvisor: "ENOSYS")]

    /// Other processes. Nor has it one for pidfd_getfd.
    private static let processes =
        refused("ptrace_attach", "ptrace_seize", "ptrace_self", "read_memory", "write_memory", "compare_processes")
        + [ProbeRow("take_descriptor", "EPERM", gvisor: "ENOSYS")]

    private static let kernelParts = refused(
        "bpf", "perf", "userfaultfd", "uring_setup", "uring_enter", "uring_register", "keyctl", "add_key",
        "request_key", "fanotify", "move_pages")

    private static let machine = refused(
        "kexec", "kexec_file", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff",
        "file_handle", "quotactl", "acct", "syslog", "settimeofday", "clock_settime", "adjtimex", "sethostname",
        "device_char", "device_block")

    /// Releases of runsc up to at least 20240729 know no errno but EPERM.
    private static let sockets = [
        ProbeRow("socket_packet", "EAFNOSUPPORT", gvisor: "EPERM"), ProbeRow("socket_raw", "EPERM"),
        ProbeRow("socket_alg", "EAFNOSUPPORT", gvisor: "EPERM", .mayBeAbsent),
        ProbeRow("socket_key", "EAFNOSUPPORT", gvisor: "EPERM", .mayBeAbsent),
        ProbeRow("socket_vsock", "EAFNOSUPPORT", gvisor: "EPERM", .mayBeAbsent),
        ProbeRow("socket_netfilter", "EPROTONOSUPPORT", gvisor: "EPERM", .mayBeAbsent),
    ]

    /// Terminals, and the ways around the filter itself.
    private static let filter =
        refused("tiocsti", "tiocsti_high", "tioclinux", "tiocsetd", "type_into_terminal")
        + refused("filter_listener", "through_listener") + [ProbeRow("change_personality", "ENOSYS")]

    /// The other tables of calls; gVisor has none.
    private static var tables: [ProbeRow] {
        #if arch(x86_64)
            [
                ProbeRow("by_int80", "SIGSYS", gvisor: "ENOSYS"), ProbeRow("by_x32", "SIGSYS", gvisor: "ENOSYS"),
                ProbeRow("ports", "EPERM"), ProbeRow("port_range", "EPERM"),
            ]
        #else
            []
        #endif
    }

    /// What must go on.
    private static let work = [
        "ok_winsize", "ok_fifo", "ok_filter", "ok_clone", "ok_tcp", "ok_udp", "ok_unix", "ok_route", "ok_fsync",
        "ok_personality",
    ].map { ProbeRow($0, "ok", .same) }
}

/// What `probe` printed: the outcome of each call by its name.
func probeOutcomes(_ text: String) -> [String: String] {
    var outcomes: [String: String] = [:]
    for line in text.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.count == 2 { outcomes[String(words[0])] = String(words[1]) }
    }
    return outcomes
}
