public import AiboxSystem

extension Configuration.Credentials {
    /// What differs from the standard, as text by the settings' names: for another process of aibox. No setting is a secret.
    public var texts: [String: String] {
        var configuration = Configuration()
        let standard = configuration
        configuration.credentials = self
        var texts: [String: String] = [:]
        for key in Self.keys where key.value(in: configuration) != key.value(in: standard) {
            texts[key.name] = key.value(in: configuration).description
        }
        return texts
    }

    /// - Throws: for a name or a value that is none.
    public init(texts: [String: String]) throws(AiboxError) {
        var configuration = Configuration()
        for (name, text) in texts {
            let what = "cannot read the setting \(SafeText.escaped(String(name.prefix(80))))"
            guard let key = Self.keys.first(where: { $0.name == name }) else {
                throw AiboxError(.usage, what, why: "there is none of that name")
            }
            do throws(UnfitValue) { key.set(try key.parse(text), in: &configuration) } catch {
                throw AiboxError(.usage, what, why: error.message)
            }
        }
        self = configuration.credentials
    }

    /// Without those that files alone may set: they name programs.
    private static var keys: [ConfigurationKey] {
        ConfigurationSchema.keys.filter { $0.name.hasPrefix("credentials.") && $0.isOverridable }
    }
}
