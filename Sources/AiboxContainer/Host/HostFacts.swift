import AiboxSystem
import Glibc

/// What kind of machine this is, as far as it changes how we work. Read once, from files only.
public struct HostFacts: Sendable, Equatable {
    public var isRoot: Bool
    public var hasSystemd: Bool
    public var cgroups: Cgroups
    public var isWSL: Bool
    public var kernel: KernelVersion
    public var memoryBytes: Int64
    public var hasAppArmor: Bool

    public enum Cgroups: Sendable, Equatable {
        /// The unified hierarchy, with the controllers that this user may use.
        case unified(delegated: Set<String>)
        /// One hierarchy a controller; `hybrid` if version 2 is mounted beside them and holds controllers.
        case legacy(hybrid: Bool)
    }

    public static var current: HostFacts {
        let text = { (path: String) in (try? File.text(path)) ?? "" }
        let version = text("/proc/version").lowercased()
        return HostFacts(
            isRoot: geteuid() == 0,
            hasSystemd: File.isDirectory("/run/systemd/system"),
            cgroups: readCgroups(uid: geteuid()),
            isWSL: version.contains("microsoft") || version.contains("wsl"),
            kernel: KernelVersion(text("/proc/sys/kernel/osrelease")),
            memoryBytes: memory(text("/proc/meminfo")),
            hasAppArmor: text("/sys/module/apparmor/parameters/enabled").hasPrefix("Y"))
    }

    private static func readCgroups(uid: UInt32) -> Cgroups {
        let text = { (path: String) in (try? File.text(path)) ?? "" }
        func words(_ path: String) -> Set<String> {
            Set(text(path).split(whereSeparator: \.isWhitespace).map(String.init))
        }
        if File.exists("/sys/fs/cgroup/cgroup.controllers") {
            let folder = uid == 0 ? "" : "/user.slice/user-\(uid).slice/user@\(uid).service"
            return .unified(delegated: words("/sys/fs/cgroup\(folder)/cgroup.controllers"))
        }
        return .legacy(hybrid: !words("/sys/fs/cgroup/unified/cgroup.controllers").isEmpty)
    }

    /// `MemTotal` of /proc/meminfo, in bytes.
    static func memory(_ text: String) -> Int64 {
        for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            let words = line.split(separator: " ")
            if words.count >= 2, let kibibytes = Int64(words[1]) { return kibibytes * 1024 }
        }
        return 0
    }
}

/// The first two numbers of a kernel release: `5.15` of `5.15.90.1-microsoft-standard-WSL2`.
public struct KernelVersion: Sendable, Comparable, CustomStringConvertible {
    public var major: Int
    public var minor: Int

    public init(_ text: String) {
        let numbers = text.split(separator: ".").prefix(2).map { part in Int(part.prefix { $0.isNumber }) ?? 0 }
        major = numbers.first ?? 0
        minor = numbers.count > 1 ? numbers[1] : 0
    }

    public var description: String { "\(major).\(minor)" }

    public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
