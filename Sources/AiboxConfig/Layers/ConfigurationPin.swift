public import AiboxSystem

/// A value that the organisation's policy fixes: a layer may give the same or a tighter one, never a looser.
public struct ConfigurationPin: Sendable, Equatable {
    public var key: String
    /// As on the command line: `true`, `8g`, `a,b`.
    public var value: String
    /// Who fixes it, for messages: `/etc/aibox/org-policy.yaml:12`.
    public var source: String

    public init(_ key: String, _ value: String, source: String) {
        self.key = key
        self.value = value
        self.source = source
    }

    /// Why the setting does not take the value, in words that complete `KEY ...`; nil if it does.
    public var complaint: String? {
        guard let row = ConfigurationSchema.key(key) else { return "is no setting" }
        do throws(UnfitValue) { _ = try row.parse(value) } catch { return error.message }
        return nil
    }

    /// Whether this pin of the same setting leaves no more room than `other` does.
    public func isAsTight(as other: ConfigurationPin) -> Bool {
        guard key == other.key, let row = ConfigurationSchema.key(key), let value = try? row.parse(value),
            let bound = try? row.parse(other.value)
        else { return false }
        return row.satisfies(bound, value)
    }
}

extension ConfigurationPin {
    /// Holds a configuration to the pin: a value that nobody changed becomes the pinned one.
    ///
    /// - Throws: `denied` if a value that somebody changed is looser.
    public func hold(_ configuration: inout Configuration) throws(AiboxError) {
        guard let row = ConfigurationSchema.key(key), let bound = try? row.parse(value) else {
            throw AiboxError(.policyInvalid, "cannot use the pin of \(key)", why: "\(source): it cannot be read")
        }
        let given = row.value(in: configuration)
        if row.satisfies(bound, given) { return }
        guard given == row.value(in: Configuration()) else {
            throw AiboxError(
                .denied, "the policy forbids this configuration",
                why: "\(key) is \(given), but it is fixed to \(bound) (\(source))",
                remedy: "aibox config list --origin shows where it is set")
        }
        row.set(bound, in: &configuration)
    }
}

extension ConfigurationLayers {
    /// Refuses a user's setting that points past the organisation's policy of this machine.
    ///
    /// The machine has one if `/etc/aibox/config.yaml` says where, or if there is a file at the ordinary place. Of bundles,
    /// the organisation's is named in that file or nowhere, and what it says of others, and of the team's policy, stands.
    public func requireOrgPolicy(_ loaded: LoadedConfiguration) throws(AiboxError) {
        var fixed: [String: String] = [:]
        if let bytes = try Self.read(paths.systemConfiguration, mustExist: false) {
            for setting in FileLayer(bytes, file: paths.systemConfiguration).settings {
                fixed[setting.key] = setting.value.description
            }
        }
        try requireOwn(loaded, fixed)
        let key = "policy.org_baseline_path"
        let given = loaded.configuration.policy.orgBaselinePath
        let own = fixed[key] ?? paths.orgPolicy
        if given == own || fixed[key] == nil && !File.exists(own) { return }
        let origin = ConfigurationSchema.key(key).map { loaded.origin(of: $0).description } ?? ""
        throw AiboxError(
            .denied, "the organisation's policy of this machine is \(own)", why: "\(origin) asks for \(given)",
            remedy: "remove \(key) there")
    }

    /// Keys that `/etc/aibox/config.yaml` alone may set.
    static let organisationsOwn = ["policy.org_bundle_url", "policy.org_bundle_keys"]

    private func requireOwn(_ loaded: LoadedConfiguration, _ fixed: [String: String]) throws(AiboxError) {
        let others = [
            "policy.team_policy_path", "policy.team_bundle_url", "policy.team_bundle_keys", "policy.bundle_ca",
        ]
        let names = Self.organisationsOwn + others.filter { fixed[$0] != nil }
        for key in names.compactMap({ ConfigurationSchema.key($0) }) {
            let given = loaded.value(of: key).description
            let own = fixed[key.name] ?? key.value(in: Configuration()).description
            if given == own { continue }
            throw AiboxError(
                .denied, "\(key.name) is set in \(paths.systemConfiguration) only",
                why: "\(loaded.origin(of: key)) asks for \(given)", remedy: "remove \(key.name) there")
        }
    }
}
