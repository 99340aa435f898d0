/// What the `AIBOX_*` variables set.
struct EnvironmentLayer {
    var settings: [ConfigurationSetting] = []
    var problems: [Problem] = []

    /// A variable is a setting if it spells a key. One that looks like a key (it begins with a section's name, or
    /// differs from a key's variable by a letter or two) is a mistake; all others belong to somebody else.
    init(_ environment: [String: String]) {
        let names = environment.keys.filter { $0.hasPrefix("AIBOX_") && !Self.reserved.contains($0) }.sorted()
        if names.isEmpty { return }
        var variables: [String: ConfigurationKey] = [:]
        for key in ConfigurationSchema.keys { variables[key.variable] = key }
        for name in names {
            if let key = variables[name] {
                read(key, name, environment[name] ?? "")
            } else if Self.looksLikeSetting(name, variables.keys) {
                let known = variables.keys.sorted()
                problems.append(
                    Problem(name, nil, "there is no such setting" + NearestName.hint(name, among: known)))
            }
        }
    }

    private mutating func read(_ key: ConfigurationKey, _ variable: String, _ text: String) {
        guard key.isOverridable else {
            problems.append(Problem(variable, nil, "\(key.name) is set in files only"))
            return
        }
        do throws(UnfitValue) {
            settings.append(
                ConfigurationSetting(
                    key: key.name, value: try key.parse(text), origin: .environment(variable: variable)))
        } catch {
            problems.append(Problem(variable, nil, "\(key.name) " + error.message))
        }
    }

    private static func looksLikeSetting(_ name: String, _ variables: some Sequence<String>) -> Bool {
        let rest = name.dropFirst("AIBOX_".count)
        if ConfigurationSchema.sections.contains(where: { rest.hasPrefix($0.uppercased() + "_") }) { return true }
        let letters = Array(name.utf8.prefix(100))
        // Short names meet by chance: AIBOX_IMAGE and another tool's AIBOX_IMAGES are one letter apart, no more.
        let limit = rest.utf8.count > 8 ? 2 : 1
        return variables.contains { NearestName.distance(letters, Array($0.utf8)) <= limit }
    }

    /// Variables with another meaning: those that exist inside a sandbox, where aibox may run too, and those that hold
    /// credentials or say whose they are.
    static let reserved: Set<String> = [
        "AIBOX_GIT_HOST", "AIBOX_GIT_TOKEN", "AIBOX_LLM_API_KEY", "AIBOX_LLM_HOST", "AIBOX_LLM_PROVIDER",
        "AIBOX_MIRROR_HOST", "AIBOX_MIRROR_TOKEN", "AIBOX_SANDBOX",
    ]
}
