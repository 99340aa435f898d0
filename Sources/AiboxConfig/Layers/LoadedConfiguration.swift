/// The settings in effect, and who decided each.
public struct LoadedConfiguration: Sendable, Equatable {
    public var configuration: Configuration
    /// The files that were read, lowest layer first.
    public var files: [String]
    private var origins: [String: ConfigurationOrigin] = [:]

    init(files: [String]) {
        configuration = Configuration()
        self.files = files
    }

    public func origin(of key: ConfigurationKey) -> ConfigurationOrigin { origins[key.name] ?? .builtIn }

    public func value(of key: ConfigurationKey) -> ConfigurationValue { key.value(in: configuration) }

    mutating func apply(_ setting: ConfigurationSetting) {
        guard let key = ConfigurationSchema.key(setting.key) else { return }
        key.set(setting.value, in: &configuration)
        origins[setting.key] = setting.origin
        // A policy that somebody names has to be there; who reads it has no origins.
        if setting.key == "policy.org_baseline_path" {
            configuration.policy.orgBaselineSetBy = setting.origin.description
        } else if setting.key == "policy.team_policy_path" {
            configuration.policy.teamPolicySetBy = setting.origin.description
        }
    }

    /// What no single value shows: settings that exclude each other.
    func contradictions() -> [Problem] {
        guard configuration.gvisor.enabled, configuration.kata.enabled else { return [] }
        let origin = origins["kata.enabled"] ?? .builtIn
        return [
            origin.problem(
                "kata.enabled and gvisor.enabled cannot both be true; set gvisor.enabled to false to use Kata")
        ]
    }
}
