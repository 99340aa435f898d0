import AiboxAudit
import AiboxConfig
import AiboxPolicy
import AiboxSystem
import Glibc

extension DoctorCheck {
    /// What `aibox start` relies on.
    static func host(_ context: SandboxContext) -> [DoctorCheck] {
        let engines =
            switch context.configuration.runtime {
            case .podman: [podman(context), userNamespaces(context), storage(context)]
            case .docker: [docker(context), userNamespaces(context)]
            }
        return engines + [
            cgroups(context), engine(context),
            gateway(), network(context), image(context), seccomp(context), appArmor(context), policy(context),
            programs(), limits(context), memory(context), disk(context), kernel(context), checkpointPlaces(context),
            sandboxes(context),
        ]
    }

    /// Where the audit log's checkpoints go beside this machine: as far as this machine knows.
    private static func checkpointPlaces(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("checkpoint places") { () throws(AiboxError) in
            var addresses: [PlaceAddress] = []
            for text in context.configuration.audit.checkpointPlaces { addresses.append(try PlaceAddress(text)) }
            if addresses.isEmpty {
                return .info("none beside this machine; aibox config set audit.checkpoint_places names some")
            }
            let standings = try PlaceStanding.all(folder: context.paths.auditFolder, addresses)
            let words = standings.map { "\($0.place) \($0.words)" }.joined(separator: "; ")
            let isLate = standings.contains { !$0.failing.isEmpty }
            return isLate ? .warn(words, "aibox audit deliver") : .pass(words.isEmpty ? "no log yet" : words)
        }
    }

    private static func podman(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("podman") { () throws(AiboxError) in
            let version = try context.podman.run(["--version"])
            let numbers = KernelVersion(String(version.text.split(separator: " ").last ?? ""))
            if numbers < KernelVersion("4.3") {
                return .fail("\(version.text) is too old: 4.3 is the first that will do", "upgrade podman")
            }
            return .pass(version.text + (context.host.isRoot ? ", rootful" : ", rootless"))
        }
    }

    private static func docker(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("docker") { () throws(AiboxError) in
            guard case .docker(let docker) = try context.configuredEngine() else { return .info("not used") }
            let isRoot = context.host.isRoot
            let pid = try docker.socket.daemon(isRoot: isRoot)
            let daemon = try docker.daemon()
            let registration = try DockerRegistration(context)
            do throws(AiboxError) {
                try daemon.require(registration, isRoot: isRoot)
            } catch {
                let outcome = Outcome.fail(error.reason, error.remedy ?? "docker info")
                if daemon.runtime != nil || isRoot || File.exists(registration.file) { return outcome }
                return outcome.mended { () throws(AiboxError) in try registration.write(daemon: pid) }
            }
            return .pass(
                "docker \(daemon.version)" + (isRoot ? ", rootful" : ", rootless") + ", at \(docker.socket.path)")
        }
    }

    private static func userNamespaces(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("user namespaces") { () throws(AiboxError) in
            if context.host.isRoot { return .pass("not needed as root") }
            guard ExecutableSearch.find("newuidmap") != nil else {
                return .fail("newuidmap is missing", "sudo apt-get install uidmap")
            }
            let name = context.user.name
            for file in ["/etc/subuid", "/etc/subgid"] {
                let lines = try File.text(file).split(separator: "\n")
                let total = lines.filter { $0.hasPrefix(name + ":") || $0.hasPrefix("\(context.user.uid):") }
                    .compactMap { Int($0.split(separator: ":").last ?? "") }.reduce(0, +)
                if total < 65536 {
                    return .fail(
                        "\(file) gives \(name) \(total) subordinate ids, and 65536 are needed",
                        "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(ShellQuoting.quoted(name))"
                    )
                }
            }
            return .pass("65536 subordinate ids")
        }
    }

    private static func storage(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("storage") { () throws(AiboxError) in
            let result = try context.podman.run([
                "info", "--format",
                "{{.Store.GraphDriverName}} {{.Store.ContainerStore.Number}} {{.Store.ImageStore.Number}}",
            ])
            if !result.succeeded { throw Podman.failure("podman cannot use its storage", result) }
            let words = result.text.split(separator: " ")
            guard let driver = words.first, driver == "vfs" else {
                return .pass(words.first.map(String.init) ?? "unknown")
            }
            let file =
                (Environment.value("XDG_CONFIG_HOME") ?? context.user.home + "/.config") + "/containers/storage.conf"
            let text = "[storage]\ndriver = \"overlay\"\n"
            let outcome = Outcome.warn(
                "vfs copies the whole image for every start",
                "set driver = \"overlay\" in \(file), then podman system reset")
            // Only where nothing can be lost: no file of the user's, no container, no image.
            if !File.exists(file), words.dropFirst() == ["0", "0"] {
                var fixable = outcome
                fixable.remedy = "aibox doctor --fix   (writes \(file) with driver = \"overlay\")"
                return fixable.mended { () throws(AiboxError) in
                    try Folder.make(Path.parent(file))
                    try File.replace(file, with: text, mode: 0o644)
                    let database = context.user.home + "/.local/share/containers/storage/libpod/bolt_state.db"
                    try File.remove(database)
                }
            }
            return outcome
        }
    }

    private static func cgroups(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("cgroups") { () throws(AiboxError) in
            guard case .legacy(hybrid: true) = context.host.cgroups else { return .pass("usable") }
            let message = "both cgroup versions hold controllers, which crun does not take; gVisor is not affected"
            let place = "/sys/fs/cgroup/hugetlb"
            let outcome = Outcome.warn(message, "sudo aibox doctor --fix   (mounts hugetlb in version 1 at \(place))")
            if context.host.isRoot {
                return outcome.mended { () throws(AiboxError) in
                    try Folder.make(place)
                    try context.runner.require(
                        Command("mount", ["-t", "cgroup", "-o", "hugetlb", "cgroup", place]), "cannot mount \(place)")
                }
            }
            return outcome
        }
    }

    private static func engine(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("isolation") { () throws(AiboxError) in
            let probe = RuntimeProbe(runner: context.runner)
            switch context.configuration.isolation {
            case .gvisor:
                let runsc = try probe.runsc()
                return .pass(
                    "gVisor \(runsc.release) (\(runsc.path)), \(context.configuration.gvisor.platform.rawValue)")
            case .crun: return .pass(try probe.crun())
            case .kata: return .pass(try probe.kata())
            }
        }
    }

    private static func gateway() -> DoctorCheck {
        DoctorCheck("gateway") { () throws(AiboxError) in .pass(try GatewayExecutable.find()) }
    }

    private static func image(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("image") { () throws(AiboxError) in
            let image =
                switch try context.configuredEngine() {
                case .podman(let podman):
                    try ImageStore(podman: podman).image(configured: context.configuration.image)
                case .docker(let docker):
                    try DockerImages(docker).image(for: context.configuration, isRoot: context.host.isRoot)
                }
            return .pass("\(image.reference), \(ByteSize(bytes: Int64(image.size)))")
        }
    }

    private static func seccomp(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("seccomp") { () throws(AiboxError) in
            let profile = try SeccompProfile(parsing: context.profiles.seccomp)
            let programs = try profile.check()
            let count = programs[.native]?.count ?? 0
            return .pass("default deny, \(profile.rules.count) rules, \(count) instructions")
        }
    }

    private static func appArmor(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("AppArmor") { () throws(AiboxError) in
            switch AppArmorProfile.state {
            case .enforced: return .pass("the profile \(AppArmorProfile.name) is enforced")
            case .absent(let why): return .info("\(why); the other layers do not need it")
            case .notEnforced(let why):
                if context.configuration.isolation == .crun, context.host.isRoot {
                    return .fail(why, AppArmorProfile.remedy)
                }
                return .info("\(why); gVisor and rootless podman do not use it")
            }
        }
    }

    private static func policy(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("policy") { () throws(AiboxError) in
            let policy = try context.policySet(workspace: nil).effective()
            switch try policy.judge(context.configuration.isolation) {
            case .permitted: return .pass("\(policy.source): \(policy.engine.rawValue)")
            case .fallback(let words): return .warn(words, "aibox config set gvisor.enabled true")
            }
        }
    }

    private static func programs() -> DoctorCheck {
        DoctorCheck("programs") { () throws(AiboxError) in
            let needed = [("ssh", "openssh-client"), ("ssh-keygen", "openssh-client"), ("nft", "nftables")]
            let missing = needed.filter { ExecutableSearch.find($0.0) == nil }
            if missing.isEmpty { return .pass(needed.map(\.0).joined(separator: ", ")) }
            let packages = Set(missing.map(\.1)).sorted().joined(separator: " ")
            return .fail(
                "missing: \(missing.map(\.0).joined(separator: ", "))", "sudo apt-get install \(packages)")
        }
    }

    private static func limits(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("resource limits") { () throws(AiboxError) in
            let engine: SandboxSpec.Engine =
                context.configuration.isolation == .gvisor
                ? .gvisor(runtime: "", platform: .systrap) : .crun(path: "")
            let support = LimitSupport(host: context.host, engine: engine)
            return support.reason.map { .info("not all enforced: \($0)") } ?? .pass("cpus, memory, processes")
        }
    }

    private static func memory(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("memory") { () throws(AiboxError) in
            let size = ByteSize(bytes: context.host.memoryBytes)
            let words = "\(context.host.memoryBytes >> 30) GiB"
            if size < ByteSize(gibibytes: 4) {
                return .warn("\(words), and builds in a sandbox want 4 GiB", "give the machine more memory")
            }
            return .pass(words)
        }
    }

    private static func disk(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("disk space") { () throws(AiboxError) in
            var facts = statvfs()
            let place = context.host.isRoot ? "/var/lib" : context.user.home
            if statvfs(place, &facts) != 0 { throw .system("cannot look at \(place)", errno: errno) }
            let free = UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
            let words = "\(free >> 30) GiB free in \(place)"
            if free < 2 << 30 { return .fail(words + ", and an image takes 2", "free some: podman system df") }
            if free < 10 << 30 { return .warn(words, "free some: podman system df; aibox repair cache") }
            return .pass(words)
        }
    }

    private static func kernel(_ context: SandboxContext) -> DoctorCheck {
        DoctorCheck("kernel") { () throws(AiboxError) in
            let words = "Linux \(context.host.kernel)" + (context.host.isWSL ? " (WSL 2)" : "")
            if context.host.kernel < KernelVersion("5.15") {
                return .fail(
                    "\(words) is too old: 5.15 is the first that will do",
                    context.host.isWSL ? "wsl --update" : "upgrade the kernel")
            }
            if context.host.isWSL, context.host.memoryBytes < 12 << 30 {
                return .warn(
                    "\(words) with \(context.host.memoryBytes >> 30) GiB of memory",
                    "in %UserProfile%\\.wslconfig: [wsl2] memory=16GB processors=8 swap=4GB; then wsl --shutdown")
            }
            return .pass(words)
        }
    }
}
