import AiboxConfig
import AiboxNetwork
import AiboxSystem
import AiboxWire

/// How package managers inside learn where their packages are: by variables, and by files where a package manager reads
/// none (docs/credentials.md).
struct MirrorSettings: Sendable {
    private let mirrors: [PackageMirror]

    /// - Parameter entries: `network.mirrors` of the settings.
    init(_ entries: [String]) throws(AiboxError) {
        mirrors = entries.compactMap { PackageMirror($0) }
        for manager in PackageMirror.Manager.allCases where mirrors.count(where: { $0.manager == manager }) > 1 {
            throw AiboxError(
                .usage, "network.mirrors has more than one place for \(manager.rawValue)",
                remedy: "aibox config set network.mirrors ...")
        }
    }

    /// - Parameter lent: what the sandbox's broker opens. A mirror among it is reached there, any other as it is written.
    func environment(_ lent: [PlaceGrant]) -> [SandboxSpec.Variable] {
        mirrors.flatMap { mirror in
            let (url, isBroker) = Self.place(of: mirror, among: lent)
            return Self.variables(mirror.manager, url, isBroker)
        }
    }

    /// The files that say it to package managers which no variable tells.
    ///
    /// - Parameter lent: as for `environment`.
    func files(_ lent: [PlaceGrant]) -> [SettingsFile] {
        mirrors.compactMap { mirror in
            MirrorFiles.file(for: mirror.manager, Self.place(of: mirror, among: lent).url)
        }
    }

    private static func place(of mirror: PackageMirror, among lent: [PlaceGrant]) -> (url: String, isBroker: Bool) {
        let path = brokerPath(of: mirror, among: lent)
        return (path.map { CredentialLending.address + $0 } ?? mirror.url, path != nil)
    }

    private static func brokerPath(of mirror: PackageMirror, among lent: [PlaceGrant]) -> String? {
        guard let authority = HTTPAuthority(Substring(mirror.authority)), let host = try? HostName(authority.host),
            let path = try? RequestPath(mirror.path).path
        else { return nil }
        let grant = lent.first { grant in
            grant.kind == .mirror && grant.host == host.text && grant.port == authority.port ?? 443
                && (grant.path == "/" || path == grant.path || path.hasPrefix(grant.path + "/"))
        }
        return grant.map { $0.kind.prefix + $0.authority + path }
    }

    private static func variables(
        _ manager: PackageMirror.Manager, _ url: String, _ isBroker: Bool
    ) -> [SandboxSpec.Variable] {
        switch manager {
        case .pip:
            // pip takes plain HTTP from a host only that it is told to trust (pip, "--trusted-host").
            let trust = "\(SandboxSpec.gatewayAddress):\(BrokerPlan.port)"
            return [.init("PIP_INDEX_URL", url), .init("UV_DEFAULT_INDEX", url), .init("UV_INDEX_URL", url)]
                + (isBroker ? [.init("PIP_TRUSTED_HOST", trust)] : [])
        case .npm:
            // Lock files leave the sandbox, and the broker's address means nothing elsewhere; the audit is a POST.
            let more = [
                SandboxSpec.Variable("npm_config_omit_lockfile_registry_resolved", "true"),
                SandboxSpec.Variable("npm_config_audit", "false"),
            ]
            return [.init("npm_config_registry", url)] + (isBroker ? more : [])
        // The sums of go.sum and the checksum database are checked as ever (go.dev/ref/mod, "Checksum database").
        case .go: return [.init("GOPROXY", url)]
        // No variable replaces crates.io (doc.rust-lang.org/cargo, "Source Replacement"): a registry of this name.
        case .cargo: return [.init("CARGO_REGISTRIES_MIRROR_INDEX", "sparse+\(url)\(url.hasSuffix("/") ? "" : "/")")]
        // Debian's Maven finds the file by itself; others are told from 3.9 on (maven.apache.org/configure.html).
        case .maven: return [.init("MAVEN_ARGS", "--global-settings=\(MirrorFiles.mavenPath)")]
        case .gradle, .nuget: return []
        }
    }
}
