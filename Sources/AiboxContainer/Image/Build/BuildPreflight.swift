import AiboxConfig
import AiboxSystem
import Glibc

/// What building an image needs of the machine, and what is wrong with it: pure over the facts.
struct BuildPreflight: Sendable, Equatable {
    var user: UserIdentity
    var programs: Set<String>
    /// The texts of `/etc/subuid` and `/etc/subgid`.
    var subordinateUsers: String
    var subordinateGroups: String
    /// False if a sysctl forbids ordinary users to make user namespaces.
    var allowsNamespaces: Bool
    /// Bytes free where the image is built, and the folder.
    var free: Int
    var folder: String
    /// Whose storage the image goes to.
    var engine = Configuration.ContainerRuntime.podman

    static let subordinateRemedy =
        "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER && podman system migrate"
    static let namespaceRemedy =
        "sudo sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"
    /// The installed system, the layer made of it and the packages at the same time.
    static let neededBytes = 2_500_000_000

    func check() throws(AiboxError) {
        for (program, package) in [
            ("mmdebstrap", "mmdebstrap"), (engine.rawValue, engine == .docker ? "docker.io" : "podman"),
            ("apt-get", "apt"),
        ] where !programs.contains(program) {
            throw problem("\(program) is not installed", "sudo apt-get install \(package)")
        }
        if !user.isRoot {
            for program in ["newuidmap", "newgidmap"] where !programs.contains(program) {
                throw problem("\(program) is not installed", "sudo apt-get install uidmap")
            }
            for (file, text) in [("/etc/subuid", subordinateUsers), ("/etc/subgid", subordinateGroups)]
            where Self.granted(to: user, in: text) < 65536 {
                throw problem(
                    "\(file) grants the user \(user.name) no 65536 subordinate ids", Self.subordinateRemedy)
            }
            if !allowsNamespaces {
                throw problem("this kernel forbids user namespaces to ordinary users", Self.namespaceRemedy)
            }
        }
        if free < Self.neededBytes {
            throw problem(
                "\(folder) has \(free / 1_000_000) MB free and about \(Self.neededBytes / 1_000_000) MB are needed",
                "free some space there, or set TMPDIR to a folder with room")
        }
    }

    private func problem(_ why: String, _ remedy: String) -> AiboxError {
        AiboxError(.failed, "cannot build an image", why: why, remedy: remedy)
    }

    /// The largest range of subid(5) that belongs to the user, by name or number.
    static func granted(to user: UserIdentity, in text: String) -> Int {
        var best = 0
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":")
            guard fields.count == 3, fields[0] == user.name || fields[0] == String(user.uid) else { continue }
            best = max(best, Int(fields[2]) ?? 0)
        }
        return best
    }
}

extension BuildPreflight {
    static func ofThisMachine(
        folder: String, engine: Configuration.ContainerRuntime
    ) -> BuildPreflight {
        var programs: Set<String> = []
        for name in ["mmdebstrap", "podman", "docker", "apt-get", "newuidmap", "newgidmap"]
        where ExecutableSearch.find(name) != nil { programs.insert(name) }
        func setting(_ path: String) -> String? {
            (try? File.text("/proc/sys/" + path)).map { $0.filter { !$0.isWhitespace } }
        }
        var space = statvfs()
        let known = statvfs(folder, &space) == 0
        return BuildPreflight(
            user: .current, programs: programs, subordinateUsers: (try? File.text("/etc/subuid")) ?? "",
            subordinateGroups: (try? File.text("/etc/subgid")) ?? "",
            allowsNamespaces: setting("kernel/unprivileged_userns_clone") != "0"
                && setting("user/max_user_namespaces") != "0",
            free: known ? Int(space.f_bavail) * Int(space.f_frsize) : .max, folder: folder, engine: engine)
    }
}
