/// Programs that are many in one file, which goes by the first word (busybox.net/downloads/BusyBox.html, "USAGE";
/// gnu.org/software/coreutils/manual, "Multi-call invocation"; landley.net/toybox).
public enum MultiCall {
    /// Each, by the names that distributions give it, with what it is called with to tell its programs.
    private static let listings: [String: [String]] = [
        "busybox": ["--list"], "busybox.static": ["--list"], "busybox-static": ["--list"],
        "busybox-extras": ["--list"], "busybox-suid": ["--list"], "toybox": [], "coreutils": ["--help"],
    ]

    /// Whether a file of that name is one.
    public static func isOne(_ path: String) -> Bool { listing(path) != nil }

    /// What it is called with to tell its programs; nil if it is no such file.
    public static func listing(_ path: String) -> [String]? { listings[ToolRule.name(of: path)] }

    /// How a call of such a file reads.
    struct Call: Equatable {
        /// The name of the program among the many; nil where it is the file itself.
        var applet: String?
        /// Whether it stands behind the name of the file, as in `busybox wget`, and its own words behind it.
        var isSecond = false
        /// Whether its words cannot be told from the file's own.
        var isHidden = false
    }

    static func call(_ argv: [String], paths: [String]) -> Call {
        let own = paths.map(ToolRule.name).filter(isOne)
        func isItself(_ word: String) -> Bool { own.contains { ToolRule.name(of: word).hasPrefix($0) } || isOne(word) }
        let first = argv.first ?? ""
        // A login shell's first word begins with a dash.
        if !isItself(first) {
            return Call(applet: ToolRule.name(of: first.hasPrefix("-") ? String(first.dropFirst()) : first))
        }
        for (place, word) in argv.enumerated().dropFirst() {
            if let named = ["--coreutils-prog=", "--coreutils-prog-shebang="].first(where: { word.hasPrefix($0) }) {
                return Call(applet: ToolRule.name(of: String(word.dropFirst(named.count))), isHidden: true)
            }
            // `busybox busybox wget` is `busybox wget`.
            if isItself(word) { continue }
            return word.hasPrefix("-") && word != "--install"
                ? Call() : Call(applet: ToolRule.name(of: word), isSecond: place == 1, isHidden: place > 1)
        }
        return Call()
    }

    /// Programs of busybox and toybox that run others, which may be those of their own file: nobody would be asked about them
    /// (busybox: FEATURE_PREFER_APPLETS, FEATURE_SH_STANDALONE). With `--install`, which makes links to the file.
    static let running: Set = [
        "--install", "acpid", "ash", "awk", "bash", "chpst", "chroot", "chrt", "cpio", "crond", "crontab", "cttyhack",
        "dpkg",
        "env", "envdir", "envuidgid", "fakeidentd", "find", "flock", "fsck", "ftpd", "getty", "httpd", "hush",
        "ifplugd", "ifdown", "ifup", "inetd", "init", "inotifyd", "ionice", "less", "linux32", "linux64", "linuxrc",
        "login", "lpd", "lpr", "mail", "man", "mdev", "mount", "nc", "netcat", "nice", "nohup", "nsenter", "ntpd",
        "openvt",
        "popmaildir", "reformime", "rpm", "run-init", "run-parts", "runsv", "runsvdir", "script", "sendmail",
        "setarch", "setpriv", "setsid", "setuidgid", "sh", "softlimit", "start-stop-daemon", "su", "sudo", "sulogin",
        "sv", "svlogd", "switch_root", "taskset", "tar", "tcpsvd", "telnetd", "tftpd", "time", "timeout", "udhcpc",
        "udhcpc6", "udhcpd", "udpsvd", "uevent", "unshare", "vi", "vlock", "watch", "watchdog", "xargs", "zcip",
    ]
}
