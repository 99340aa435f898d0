import AiboxSystem

/// The Debian or Ubuntu archive that this machine's own apt is set up for.
///
/// Read from `apt-get indextargets`, which knows every way to write a source: one image is built from whatever
/// mirror the machine uses, and no mirror's name is in aibox.
struct DistributionArchive: Sendable, Equatable {
    /// `bookworm`, `noble`.
    var codename: String
    /// dpkg's name of the machine: `amd64`, `arm64`.
    var architecture: String
    /// The release itself, its updates and its security updates; nothing else.
    var sources: [AptSource]

    /// What locks are kept by: `bookworm-amd64`.
    var identity: String { codename + "-" + architecture }
}

extension DistributionArchive {
    /// One package index as apt has it configured.
    struct IndexTarget: Sendable, Equatable {
        var origin: String
        var codename: String
        /// The suite as the source names it: `bookworm-updates`, `stable`.
        var suite: String
        var component: String
        var architecture: String
        var uri: String
        /// `/etc/apt/sources.list.d/debian.sources:1`: the file and which entry of it (deb822) or line (one-line form).
        var entry: String
    }

    /// The format given to `apt-get indextargets`: one line a target, separated by tabs.
    static let format = ["ORIGIN", "CODENAME", "RELEASE", "COMPONENT", "ARCHITECTURE", "REPO_URI", "SOURCESENTRY"]
        .map { "$(\($0))" }.joined(separator: "\t")

    static func targets(_ output: String) -> [IndexTarget] {
        output.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 7, !fields.contains(where: { $0.hasPrefix("$(") && $0 != fields[6] }) else {
                return nil
            }
            return IndexTarget(
                origin: fields[0], codename: fields[1], suite: fields[2], component: fields[3],
                architecture: fields[4], uri: fields[5], entry: fields[6])
        }
    }

    /// Chooses the distribution's own targets.
    ///
    /// - Parameters:
    ///   - release: `VERSION_CODENAME` of os-release(5), nil if the machine does not say; decides where apt knows
    ///     several releases.
    ///   - signedBy: the keyring of a source entry.
    init(
        targets: [IndexTarget], architecture: String, release: String?, signedBy: (String) -> String?
    ) throws(AiboxError) {
        let own = targets.filter {
            Self.distributions.contains($0.origin) && $0.architecture == architecture && Self.isStableSuite($0.suite)
        }
        let known = Set(own.map { Self.base($0.codename) })
        guard let codename = release.flatMap({ known.contains($0) ? $0 : nil }) ?? known.sorted().first else {
            throw AiboxError(
                .failed, "cannot find a Debian or Ubuntu archive to build the image from",
                why: "apt on this machine knows no verified package list of one",
                remedy: "sudo apt-get update   (and check /etc/apt/sources.list)")
        }
        self.codename = codename
        self.architecture = architecture
        sources = []
        for target in own where Self.base(target.codename) == codename {
            let place = sources.firstIndex { $0.uri == target.uri && $0.suite == target.suite }
            if let place {
                if !sources[place].components.contains(target.component) {
                    sources[place].components.append(target.component)
                }
            } else {
                sources.append(
                    AptSource(
                        uri: target.uri, suite: target.suite, components: [target.component],
                        signedBy: signedBy(target.entry)))
            }
        }
        sources.sort { ($0.suite, $0.uri) < ($1.suite, $1.uri) }
    }

    private static let distributions = ["Debian", "Ubuntu"]

    /// `bookworm` of `bookworm-security`.
    private static func base(_ codename: String) -> String { String(codename.prefix { $0 != "-" && $0 != "/" }) }

    /// Backports and proposed updates are no part of a release.
    private static func isStableSuite(_ suite: String) -> Bool {
        guard let mark = suite.firstIndex(where: { $0 == "-" || $0 == "/" }) else { return true }
        return ["updates", "security"].contains(suite[suite.index(after: mark)...])
    }
}

// MARK: - This machine

extension DistributionArchive {
    /// Asks this machine's apt.
    static func ofThisMachine(_ runner: any CommandRunner) throws(AiboxError) -> DistributionArchive {
        let remedy = "aibox builds images on Debian and Ubuntu; elsewhere set `image` to one from a registry"
        guard ExecutableSearch.find("apt-get") != nil else {
            throw AiboxError(
                .failed, "cannot build an image", why: "this machine has no apt-get", remedy: remedy)
        }
        let targets = try runner.require(
            Command("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]),
            "cannot ask apt for its sources")
        let architecture = try runner.require(
            Command("dpkg", ["--print-architecture"]), "cannot ask dpkg for the machine's architecture")
        let release = (try? File.text("/etc/os-release")).flatMap {
            AptSourceFile.field("VERSION_CODENAME", inOSRelease: $0)
        }
        return try DistributionArchive(
            targets: Self.targets(targets.text), architecture: architecture.text, release: release,
            signedBy: { entry in AptSourceFile.signedBy(entry) { try? File.text($0) } })
    }
}
