public import AiboxConfig
public import AiboxSystem

/// Where the settings say that the policies of the organisation and of the team are: a signed bundle, or a file.
public struct ConfiguredPolicy: Sendable {
    private let settings: Configuration.Policy
    private let paths: Paths
    private let evenExpired: Bool

    /// - Parameter evenExpired: takes bundles whose time is over, for what has to go on all the same: the audit log.
    public init(_ settings: Configuration.Policy, paths: Paths, evenExpired: Bool = false) {
        self.settings = settings
        self.paths = paths
        self.evenExpired = evenExpired
    }

    /// The bundle that is configured for a layer; nil if none is.
    ///
    /// - Throws: if the settings say only half of it, or name a file beside it.
    public func bundle(_ layer: PolicyLayer) throws(AiboxError) -> BundleStore? {
        let (name, source, keys) =
            switch layer {
            case .org: ("org", settings.orgBundleURL, settings.orgBundleKeys)
            case .team: ("team", settings.teamBundleURL, settings.teamBundleKeys)
            case .project: ("", "", [])
            }
        if source.isEmpty, keys.isEmpty { return nil }
        func wrong(_ why: String, _ remedy: String) -> AiboxError {
            AiboxError(.policyInvalid, "cannot use the \(name) bundle of the settings", why: why, remedy: remedy)
        }
        if source.isEmpty {
            throw wrong("policy.\(name)_bundle_keys is set, policy.\(name)_bundle_url is not", "set both, or neither")
        }
        if keys.isEmpty {
            throw wrong(
                "policy.\(name)_bundle_keys names no key, so no signature could be checked",
                "set it to the file of the public key")
        }
        if layer == .team, !settings.teamPolicyPath.isEmpty {
            throw wrong("policy.team_policy_path is set as well", "remove one of the two")
        }
        _ = try BundleAddress(source)
        return try BundleStore(
            layer: layer, source: source, keys: keys.map { paths.absolute($0, base: paths.home) },
            authorities: settings.bundleCA.isEmpty ? nil : paths.absolute(settings.bundleCA, base: paths.home),
            root: paths.policyBundles, clock: { .now })
    }

    /// The organisation's document: of its bundle, else its file, else the baseline that is part of the program. There is no
    /// way from a bundle that cannot be used, nor from a file that somebody names, to another of them.
    public func organisation(embedded: [UInt8]) throws(AiboxError) -> PolicySet.Source {
        if let store = try bundle(.org) { return try store.bundle(evenExpired: evenExpired).source }
        let path = settings.orgBaselinePath
        let isNamed = settings.orgBaselineSetBy != nil || path != Configuration().policy.orgBaselinePath
        if !isNamed, !File.exists(path) {
            return PolicySet.Source(layer: .org, file: PolicySet.embeddedName, bytes: embedded)
        }
        return try read(path, .org, "policy.org_baseline_path", settings.orgBaselineSetBy)
    }

    /// The team's document: of its bundle, else its file; nil if there is none.
    public func team() throws(AiboxError) -> PolicySet.Source? {
        if let store = try bundle(.team) { return try store.bundle(evenExpired: evenExpired).source }
        if settings.teamPolicyPath.isEmpty { return nil }
        let path = paths.absolute(settings.teamPolicyPath, base: paths.home)
        return try read(path, .team, "policy.team_policy_path", settings.teamPolicySetBy)
    }

    /// - Throws: `policyInvalid` where there is no such file: what is named and missing is not the same as no policy.
    private func read(
        _ path: String, _ layer: PolicyLayer, _ key: String, _ setBy: String?
    ) throws(AiboxError) -> PolicySet.Source {
        if File.exists(path) { return PolicySet.Source(layer: layer, file: path, bytes: try PolicySet.read(path)) }
        throw AiboxError(
            .policyInvalid, "\(layer.words) is missing: there is no \(path)",
            why: setBy.map { "\(key) names it (\($0))" } ?? "\(key) names it",
            remedy: "put the policy there, or take \(key) away where it is set")
    }

    /// The baseline of policies in Rego with the organisation's own: those of this machine and those of its bundle.
    public func modules(_ baseline: PolicyModules) throws(AiboxError) -> PolicyModules {
        let own = try baseline.adding(paths.orgRego)
        guard let store = try bundle(.org) else { return own }
        return PolicyModules(own.sources + (try store.bundle().modules))
    }

    /// Files of this machine that decide what is believed: keys of bundles.
    public func keys() throws(AiboxError) -> [String] {
        try (bundle(.org)?.keys ?? []) + (bundle(.team)?.keys ?? [])
    }
}
