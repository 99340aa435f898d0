import AiboxWire

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

    /// The names in what it tells, among other words: one of them is `[`.
    public static func applets(in text: String) -> [String] {
        let words = text.split { $0.isWhitespace || $0 == "," }.flatMap { [$0] + $0.split { "[]".contains($0) } }
        var seen: Set<Substring> = []
        return words.filter { seen.insert($0).inserted }.map(String.init)
    }

    /// How they find their program in the words differs.
    enum Family: String {
        /// Words that begin with its name are the file itself (libbb/appletlib.c, `run_applet_and_exit`).
        case busybox
        /// The same. Where a word is none of its programs it follows links of that name (main.c, `toybox_main`).
        case toybox
        /// Where the first word is none of its programs GNU's looks at the options behind it (src/coreutils.c), and that of uutils at
        /// the end of the first word and at the second.
        case coreutils

        init?(_ paths: [String]) {
            guard let name = paths.map(ToolRule.name).first(where: MultiCall.isOne),
                let family = [Family.busybox, .toybox, .coreutils].first(where: { name.hasPrefix($0.rawValue) })
            else { return nil }
            self = family
        }

        func isItself(_ path: String) -> Bool {
            let name = ToolRule.name(of: path)
            return self == .coreutils ? name == rawValue : name.hasPrefix(rawValue)
        }

        /// Whether a program of the file can run others of it without any file being opened. Those of coreutils open one, where the
        /// gate stands.
        func runsOthers(_ applet: String) -> Bool { self != .coreutils && MultiCall.running.contains(applet) }
    }

    /// The names by which a file surely goes, where it may look further at other ones; none where every name is sure.
    static func sure(_ file: ToolFile) -> [String] {
        switch Family(file.paths) {
        case nil, .busybox: return []
        case .toybox: return file.applets
        case .coreutils:
            // There are other words in what it tells.
            let links = Set(file.aliases.map(ToolRule.name))
            return file.applets.filter(links.contains)
        }
    }

    /// How a call of such a file reads.
    struct Call: Equatable {
        /// The name of the program among the many; nil where it is the file itself.
        var applet: String?
        /// Where in the words its name stands: its own words are those behind it.
        var place: Int
        /// It stands in an option. Whether the next word is the program's name or a word of it is open.
        var isOption = false
    }

    /// - Returns: nil where the words do not tell for sure what runs.
    static func call(_ argv: [String], _ program: ToolPlan.Program) -> Call? {
        guard let family = Family(program.paths) else { return nil }
        for (place, word) in argv.enumerated() {
            // A login shell's first word begins with a dash.
            let isLogin = place == 0 && family != .coreutils && word.hasPrefix("-")
            let name = ToolRule.name(of: isLogin ? String(word.dropFirst()) : word)
            // `busybox busybox wget` is `busybox wget`.
            if family.isItself(name) { continue }
            switch family {
            case .busybox where place > 0 && name.hasPrefix("-") && name != "--install": return Call(place: place)
            case .busybox: return Call(applet: name, place: place)
            case .toybox: return program.applets.contains(name) ? Call(applet: name, place: place) : nil
            case .coreutils where place == 0:
                return program.applets.contains(name) ? Call(applet: name, place: place) : nil
            case .coreutils:
                for option in ["--coreutils-prog=", "--coreutils-prog-shebang="] where word.hasPrefix(option) {
                    let name = ToolRule.name(of: String(word.dropFirst(option.count)))
                    return Call(applet: name, place: place, isOption: true)
                }
                return word.hasPrefix("-") ? Call(place: place) : Call(applet: name, place: place)
            }
        }
        return Call(place: argv.count)
    }

    /// Programs of busybox and toybox that run others, which may be those of their own file: nobody would be asked about them
    /// (busybox: FEATURE_PREFER_APPLETS, FEATURE_SH_STANDALONE). With `--install`, which makes links to the file.
    static let running: Set = [
        "--install", "acpid", "ash", "awk", "bash", "bootchartd", "chpst", "chroot", "chrt", "cpio", "crond", "crontab",
        "cttyhack",
        "dpkg",
        "env", "envdir", "envuidgid", "fakeidentd", "find", "flock", "fsck", "ftpd", "getty", "httpd", "hush",
        "ifplugd", "ifdown", "ifup", "inetd", "init", "inotifyd", "ionice", "lash", "less", "linux32", "linux64",
        "linuxrc", "login", "logwrapper", "lpd", "lpr", "mail", "man", "mdev", "mim", "mount", "msh", "nc", "netcat",
        "nice", "nohup", "nsenter", "ntpd",
        "oneit", "openvt",
        "popmaildir", "reformime", "rpm", "run-init", "run-parts", "runcon", "runsv", "runsvdir", "script", "sendmail",
        "setarch", "setpriv", "setsid", "setuidgid", "sh", "softlimit", "start-stop-daemon", "su", "sudo", "sulogin",
        "sv", "svlogd", "switch_root", "taskset", "tar", "tcpsvd", "telnetd", "tftpd", "time", "timeout", "toysh",
        "uclampset",
        "udhcpc", "udhcpc6", "udhcpd", "udpsvd", "uevent", "unshare", "vi", "vlock", "watch", "watchdog", "xargs",
        "zcip",
    ]
}
