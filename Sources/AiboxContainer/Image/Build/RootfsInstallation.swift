import AiboxSystem
import Glibc

/// Installs packages into an empty file system with mmdebstrap(1) and hands the result on as a tar stream, so that it
/// never lies on the disk twice.
struct RootfsInstallation: Sendable, Equatable {
    var archive: DistributionArchive
    var recipe: ImageRecipe
    /// Seconds since 1970 for everything that installation scripts write.
    var epoch: Int
    var isRoot: Bool
    /// `Acquire::http::Proxy "..."` lines of the machine's apt.
    var proxies: [String]
    /// Where mmdebstrap puts the growing file system.
    var folder: String

    /// The command, writing the archive to its standard output.
    var command: Command {
        var arguments = [
            // An ordinary user gets a user namespace; both ways give the same archive.
            "--mode=" + (isRoot ? "root" : "unshare"), "--variant=minbase", "--format=tar",
            "--architectures=" + archive.architecture, "--include=" + recipe.packages.joined(separator: ","),
            #"--aptopt=Acquire::Languages "none""#,
        ]
        arguments += proxies.map { "--aptopt=" + $0 }
        // Not the manual pages: installation scripts make links in their folders and fail without them. The layer
        // leaves them out.
        arguments += [
            "path-exclude=/usr/share/info/*", "path-exclude=/usr/share/doc/*",
            "path-include=/usr/share/doc/*/copyright", "path-exclude=/usr/share/locale/*/LC_*",
            "path-exclude=/usr/share/lintian/*",
        ].map { "--dpkgopt=" + $0 }
        arguments += [archive.codename, "-"]
        arguments += (archive.sources + recipe.sources).map(\.line)
        return Command(
            "mmdebstrap", arguments,
            environment: [
                "SOURCE_DATE_EPOCH": String(epoch), "TMPDIR": folder, "LC_ALL": "C.UTF-8", "APT_CONFIG": nil,
                "DEBIAN_FRONTEND": "noninteractive",
                "PATH": (Environment.value("PATH") ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin",
            ])
    }

    /// The proxy settings in the output of `apt-config dump`.
    static func proxies(_ dump: String) -> [String] {
        dump.split(separator: "\n").map(String.init).filter { line in
            line.hasPrefix("Acquire::") && !line.contains("Proxy-Auto") && !line.hasSuffix(" \"\";")
                && (line.contains("::Proxy ") || line.contains("::Proxy::"))
        }
    }

    /// Runs it. `consume` reads the archive, and is called once it begins to come.
    ///
    /// - Parameters:
    ///   - lock: held open by the installer and all its children.
    ///   - log: the file for everything mmdebstrap and the packages' scripts say.
    ///   - progress: told each new step.
    func run<Result>(
        lock: Descriptor, log: String, progress: (String) -> Void, consume: (Descriptor) throws(AiboxError) -> Result
    ) throws(AiboxError) -> Result {
        let pipe = try Pipe()
        let logFile = Descriptor(
            try retrying("cannot write \(log)") { open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) })
        let nothing = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDONLY | O_CLOEXEC) })
        // Should this process be killed, mmdebstrap is told to clean up and go.
        let child = try ChildProcess.start(
            command, descriptors: [nothing.number, pipe.write.number, logFile.number, lock.number],
            deathSignal: SIGTERM)
        pipe.write.close()
        var steps = StepReader(log: log)
        var result: Result?
        do throws(AiboxError) {
            if Self.waitForBytes(pipe.read, { steps.report(progress) }) {
                steps.report(progress)
                progress("writing the layer")
                result = try consume(pipe.read)
            }
        } catch {
            child.send(SIGTERM)
            pipe.read.close()
            _ = try? child.wait()
            throw error
        }
        let termination = try child.wait()
        if termination.succeeded, let result { return result }
        let said = (try? File.text(log)) ?? ""
        let cause = BuildFailure.explain(said)
        throw AiboxError(
            .failed, "cannot install the packages of the image \(recipe.name)",
            why: cause?.why ?? "mmdebstrap ended with \(termination.status): " + BuildFailure.lastLines(said),
            remedy: cause?.remedy)
    }

    /// True when the stream has bytes, false at its end; calls `idle` five times a second until then.
    private static func waitForBytes(_ descriptor: Descriptor, _ idle: () -> Void) -> Bool {
        while true {
            var waiting = [pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)]
            let ready = poll(&waiting, 1, 200)
            if ready > 0 { return waiting[0].revents & Int16(POLLIN) != 0 }
            if ready < 0, errno != EINTR { return false }
            idle()
        }
    }
}

/// Follows mmdebstrap's log and picks the lines that say which step it is at: `I: extracting archives...`.
struct StepReader {
    private let log: String
    private var position = 0

    init(log: String) { self.log = log }

    mutating func report(_ progress: (String) -> Void) {
        guard let bytes = try? File.read(log), bytes.count > position else { return }
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")), end >= position else { return }
        for line in String(decoding: bytes[position...end], as: UTF8.self).split(separator: "\n") {
            if let step = Self.step(line) { progress(step) }
        }
        position = end + 1
    }

    /// What a person is told about a line of the log; nil for most.
    static func step(_ line: Substring) -> String? {
        switch line {
        case "I: running apt-get update...": "fetching package lists"
        case "I: downloading packages with apt...": "downloading packages"
        case "I: extracting archives...": "unpacking the base system"
        case "I: installing essential packages...": "installing the base system"
        case "I: installing remaining packages inside the chroot...": "installing packages"
        default: nil
        }
    }
}
