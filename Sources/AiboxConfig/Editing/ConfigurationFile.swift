public import AiboxSystem
import Glibc

/// The configuration file as a thing that changes: one writer at a time, whole or not at all.
public struct ConfigurationFile: Sendable {
    /// The path with symbolic links resolved: what a dotfiles folder links stays linked.
    public let path: String
    /// The path as the user knows it.
    public let shownPath: String

    public init(_ path: String) {
        shownPath = path
        self.path = Path.real(path) ?? path
    }

    /// The bytes, or nil if there is no file.
    public func read() throws(AiboxError) -> [UInt8]? {
        try ConfigurationLayers.read(path, mustExist: false)
    }

    /// Runs `body` while nobody else changes the file through aibox.
    ///
    /// Waits for up to ten seconds. The lock is an empty hidden file beside the configuration, which stays.
    func locked<Result>(_ body: () throws(AiboxError) -> Result) throws(AiboxError) -> Result {
        let folder = Path.parent(path)
        try Folder.make(folder, mode: 0o700)
        let lockPath = "\(folder)/.\(Path.name(path)).lock"
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            if let lock = try FileLock.take(lockPath) {
                defer { lock.release() }
                return try body()
            }
            if ContinuousClock.now > deadline {
                throw AiboxError(
                    .failed, "cannot change \(shownPath)", why: "another aibox has held \(lockPath) for ten seconds")
            }
            usleep(10_000)
        }
    }

    /// Replaces the file as a whole, keeping its mode and, for root, its owner.
    func replace(with bytes: [UInt8]) throws(AiboxError) {
        var status = stat()
        let exists = stat(path, &status) == 0
        try File.replace(path, with: bytes, mode: exists ? status.st_mode & 0o777 : 0o600)
        if exists, geteuid() == 0, status.st_uid != 0 { _ = chown(path, status.st_uid, status.st_gid) }
    }

    /// Writes `bytes` beside the file under the first free name: `config.yaml.backup`, `config.yaml.backup.2`, ...
    func backUp(_ bytes: [UInt8]) throws(AiboxError) -> String {
        var backup = path + ".backup"
        var number = 2
        while File.exists(backup) {
            backup = "\(path).backup.\(number)"
            number += 1
        }
        try File.replace(backup, with: bytes, mode: 0o600)
        return backup
    }
}

// MARK: - set

/// What `config set` did.
public struct ConfigurationChange: Sendable, Equatable {
    public var key: String
    public var value: ConfigurationValue
    public var file: String
    /// False if the file said so already.
    public var isChanged: Bool
    /// What is still wrong with the configuration, elsewhere.
    public var remaining: [Problem]
    /// The variable that overrides the value in this environment.
    public var overriddenBy: String?
}

extension ConfigurationLayers {
    /// Sets a value in the user's file (or the `--config` file), which is made if it is not there.
    ///
    /// The value is checked, then the edited text, then all layers together; only then is the file replaced. Problems
    /// that were there before do not hinder, so that each can be corrected; the result names them.
    ///
    /// - Parameter announce: called with the change and the value before, once it is known to be possible and before
    ///   anything is written; what it throws prevents the change.
    /// - Throws: `.usage` for an unknown key or a value it does not take, `.denied` for a value below a pin.
    public func set(
        _ name: String, to text: String,
        announce: (ConfigurationChange, ConfigurationValue) throws(AiboxError) -> Void = { _, _ in }
    ) throws(AiboxError) -> ConfigurationChange {
        let key = try ConfigurationSchema.known(name)
        let value: ConfigurationValue
        do throws(UnfitValue) {
            value = try key.parse(text)
        } catch {
            throw AiboxError(
                .usage, "cannot set \(name)", why: "it " + error.message, remedy: "aibox config set --help")
        }
        if Self.organisationsOwn.contains(name), writableFile != paths.systemConfiguration,
            value != key.value(in: Configuration())
        {
            throw AiboxError(.denied, "cannot set \(name)", why: "it is set in \(paths.systemConfiguration) only")
        }
        let file = ConfigurationFile(writableFile)
        return try file.locked { () throws(AiboxError) in
            let before = try file.read() ?? Array(ConfigurationTemplate.head.utf8)
            let after = try ConfigurationEditor(before, file: writableFile).setting(key, to: value)
            let (remaining, old) = try checkedProblems(key, value, before, after)
            let change = ConfigurationChange(
                key: name, value: value, file: writableFile, isChanged: try file.read() != after, remaining: remaining,
                overriddenBy: environment[key.variable] == nil ? nil : key.variable)
            if change.isChanged {
                try announce(change, old)
                try file.replace(with: after)
            }
            return change
        }
    }

    /// The problems that stay after the edit, and the value before; throws if there is one that was not there before.
    private func checkedProblems(
        _ key: ConfigurationKey, _ value: ConfigurationValue, _ before: [UInt8], _ after: [UInt8]
    ) throws(AiboxError) -> ([Problem], ConfigurationValue) {
        var layers = self
        layers.environment = [:]
        layers.overrides = []
        // One that another value breaks does not hinder this change, which may be the first of two.
        layers.pins = pins.filter { $0.key == key.name }
        let system = try Self.read(paths.systemConfiguration, mustExist: false).map { (paths.systemConfiguration, $0) }
        func problems(_ text: [UInt8]) -> ([Problem], LoadedConfiguration) {
            var loaded = LoadedConfiguration(files: [])
            let problems = layers.merge((system.map { [$0] } ?? []) + [(writableFile, text)], into: &loaded)
            return (problems, loaded)
        }
        let (oldProblems, oldValues) = problems(before)
        let old = Set(oldProblems.map(\.message))
        var (remaining, loaded) = problems(after)
        let new = remaining.filter { !old.contains($0.message) }
        if let error = AiboxError(
            .failed, "cannot set \(key.name) to \(value)", problems: new, remedy: "nothing was changed")
        {
            throw error
        }
        try layers.applyPins(to: &loaded)
        remaining.removeAll { new.contains($0) }
        return (remaining, oldValues.value(of: key))
    }
}

// MARK: - init

extension ConfigurationLayers {
    /// Writes a template to the user's file (or the `--config` file).
    ///
    /// - Parameter force: replaces a file that is there, after a backup.
    /// - Returns: the file's path and the backup's, if one was needed.
    public func initialise(_ template: ConfigurationTemplate, force: Bool) throws(AiboxError) -> (
        file: String, backup: String?
    ) {
        let file = ConfigurationFile(writableFile)
        return try file.locked { () throws(AiboxError) in
            guard let existing = try file.read() else {
                try file.replace(with: Array(template.text.utf8))
                return (writableFile, nil)
            }
            guard force else {
                throw AiboxError(
                    .failed, "cannot write \(writableFile)", why: "it is already there",
                    remedy: "aibox config init --force replaces it and keeps a backup")
            }
            let backup = try file.backUp(existing)
            try file.replace(with: Array(template.text.utf8))
            return (writableFile, backup)
        }
    }
}

// MARK: - validate

extension ConfigurationLayers {
    /// Every problem of one file, or of all layers together if none is named.
    public func validate(_ file: String?) throws(AiboxError) -> [Problem] {
        guard let file else {
            var contents: [(file: String, bytes: [UInt8])] = []
            for (path, mustExist) in [(paths.systemConfiguration, false), (writableFile, self.file != nil)] {
                if let bytes = try Self.read(path, mustExist: mustExist) { contents.append((path, bytes)) }
            }
            var loaded = LoadedConfiguration(files: contents.map(\.file))
            return Problem.ordered(merge(contents, into: &loaded))
        }
        guard let bytes = try Self.read(file, mustExist: true) else { return [] }
        var alone = self
        alone.environment = [:]
        var loaded = LoadedConfiguration(files: [file])
        return Problem.ordered(alone.merge([(file, bytes)], into: &loaded))
    }
}
