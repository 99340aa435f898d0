public import AiboxSystem
import Glibc

/// Everything that may set a value, from the lowest layer to the highest:
/// defaults, `/etc/aibox/config.yaml`, the user's file, `AIBOX_*` variables, flags.
public struct ConfigurationLayers: Sendable {
    public var paths: Paths
    /// `--config`: takes the place of the user's file, and must exist.
    public var file: String?
    public var environment: [String: String]
    public var overrides: [ConfigurationOverride]
    /// What the organisation fixes; no layer can loosen it.
    public var pins: [ConfigurationPin]

    public init(
        paths: Paths, file: String? = nil, environment: [String: String] = [:],
        overrides: [ConfigurationOverride] = [], pins: [ConfigurationPin] = []
    ) {
        self.paths = paths
        self.file = file
        self.environment = environment
        self.overrides = overrides
        self.pins = pins
    }

    /// The file that `config set` changes.
    public var writableFile: String { file ?? paths.userConfiguration }

    /// Reads all layers.
    ///
    /// - Throws: one error with every problem of every layer; `.denied` if a value would loosen a pin. A file that
    ///   is there and cannot be read is an error, as is a `--config` file that is not there.
    public func load() throws(AiboxError) -> LoadedConfiguration {
        var files: [String] = []
        var contents: [(file: String, bytes: [UInt8])] = []
        for (path, mustExist) in [(paths.systemConfiguration, false), (writableFile, file != nil)] {
            guard let bytes = try Self.read(path, mustExist: mustExist) else { continue }
            files.append(path)
            contents.append((path, bytes))
        }
        var result = LoadedConfiguration(files: files)
        let flags = try flagSettings()
        let problems = merge(contents, flags: flags, into: &result)
        if let error = AiboxError(
            .failed, "cannot use the configuration", problems: problems,
            remedy: "aibox config set KEY VALUE corrects a value; aibox config list --help shows them all")
        {
            throw error
        }
        try applyPins(to: &result)
        return result
    }

    /// Puts the layers over each other without touching a file.
    func merge(
        _ contents: [(file: String, bytes: [UInt8])], flags: [ConfigurationSetting] = [],
        into result: inout LoadedConfiguration
    ) -> [Problem] {
        var problems: [Problem] = []
        for (file, bytes) in contents {
            let layer = FileLayer(bytes, file: file)
            problems += layer.problems
            for setting in layer.settings { result.apply(setting) }
        }
        let variables = EnvironmentLayer(environment)
        problems += variables.problems
        for setting in variables.settings { result.apply(setting) }
        for setting in flags { result.apply(setting) }
        // A contradiction between values that were already refused would only confuse.
        return problems.isEmpty ? result.contradictions() : problems
    }

    private func flagSettings() throws(AiboxError) -> [ConfigurationSetting] {
        var settings: [ConfigurationSetting] = []
        for override in overrides {
            do throws(UnfitValue) {
                let key = try Self.overridable(override.key)
                let value = try key.parse(override.value)
                settings.append(ConfigurationSetting(key: key.name, value: value, origin: .flag(override.flag)))
            } catch {
                throw AiboxError(.usage, "cannot use \(override.flag)", why: "\(override.key) " + error.message)
            }
        }
        return settings
    }

    private static func overridable(_ name: String) throws(UnfitValue) -> ConfigurationKey {
        guard let key = ConfigurationSchema.key(name) else { throw UnfitValue(message: "is no setting") }
        if key.isOverridable { return key }
        throw UnfitValue(message: "is set in files only")
    }

    /// The bytes of a layer's file; nil if there is none and there need not be.
    static func read(_ path: String, mustExist: Bool) throws(AiboxError) -> [UInt8]? {
        var status = stat()
        if !mustExist, lstat(path, &status) != 0, errno == ENOENT || errno == ENOTDIR { return nil }
        return try File.read(path, limit: YAMLDocument.Limits().bytes)
    }
}

// MARK: - Pins

extension ConfigurationLayers {
    func applyPins(to result: inout LoadedConfiguration) throws(AiboxError) {
        var loosened: [Problem] = []
        for pin in pins {
            guard let key = ConfigurationSchema.key(pin.key) else {
                throw AiboxError(
                    .policyInvalid, "cannot use the pin of \(pin.key)",
                    why: "\(pin.source): there is no such setting"
                        + (ConfigurationSchema.nearest(pin.key).map { "; did you mean \($0)?" } ?? ""))
            }
            let value: ConfigurationValue
            do throws(UnfitValue) {
                value = try key.parse(pin.value)
            } catch {
                throw AiboxError(
                    .policyInvalid, "cannot use the pin of \(pin.key)", why: "\(pin.source): it " + error.message)
            }
            let given = result.value(of: key)
            switch result.origin(of: key) {
            case .builtIn:
                result.apply(
                    ConfigurationSetting(key: key.name, value: value, origin: .pin(source: pin.source)))
            case let origin where !key.satisfies(value, given):
                loosened.append(
                    origin.problem("\(key.name) is \(given), but the organisation fixes it to \(value) (\(pin.source))")
                )
            default: break
            }
        }
        if let error = AiboxError(
            .denied, "the organisation's policy forbids this configuration", problems: loosened,
            remedy: "remove the value there, or ask the owner of the policy")
        {
            throw error
        }
        if let error = AiboxError(
            .denied, "the organisation's policy contradicts this configuration", problems: result.contradictions())
        {
            throw error
        }
    }
}
