public import AiboxSystem

/// Brings a file of the first aibox (without `config_version`) to the layout of this one.
public struct ConfigurationMigration: Sendable, Equatable {
    public var from: Int
    public var to: Int
    /// What was done, a sentence each, with the line of the old file.
    public var steps: [Step]
    /// The new text.
    public var text: [UInt8]

    public struct Step: Sendable, Equatable {
        public var line: Int
        public var message: String
    }

    /// Works out the new text; writes nothing.
    ///
    /// - Throws: if the file is no YAML, or if the result would not load on top of the defaults.
    public init(_ bytes: [UInt8], file: String) throws(AiboxError) {
        let document = try YAMLDocument(bytes, file: file)
        let entries: [YAMLEntry]
        if case .mapping(let all, .block)? = document.root?.content {
            entries = all
        } else if document.root == nil || document.root?.isNothing == true {
            entries = []
        } else {
            throw AiboxError(
                .failed, "cannot migrate \(file)", why: "its keys do not stand one a line",
                remedy: "aibox config init --force begins a new file and keeps this one as a backup")
        }
        from = Self.version(entries)
        to = Configuration.currentVersion
        var rewriting = Rewriting(bytes)
        for entry in entries { rewriting.visit(entry) }
        if !entries.contains(where: { $0.key == "config_version" }) { rewriting.addVersion(before: entries.first) }
        steps = rewriting.steps.sorted { $0.line < $1.line }
        text = rewriting.result
        let layer = FileLayer(text, file: file)
        if let error = AiboxError(
            .failed, "cannot migrate \(file)", problems: layer.problems,
            remedy: "nothing was changed; correct these (lines are those after the migration), then run it again")
        {
            throw error
        }
    }

    private static func version(_ entries: [YAMLEntry]) -> Int {
        let entry = entries.first { $0.key == "config_version" }
        if case .integer(let version)? = entry?.value.scalar?.meaning { return version }
        return 0
    }
}

/// The edits of a migration, gathered by line and applied at the end.
private struct Rewriting {
    private(set) var steps: [ConfigurationMigration.Step] = []
    private let text: EditedText
    private var replaced: [(range: Range<Int>, with: String)] = []

    init(_ bytes: [UInt8]) { text = EditedText(bytes) }

    mutating func visit(_ entry: YAMLEntry) {
        if entry.key == "config_version", entry.value.scalar?.meaning == .integer(0) {
            return replace(entry, "1", "config_version is 1 now")
        }
        let gone = Self.isRetiredSection(entry.key)
        guard case .mapping(let inner, .block) = entry.value.content else {
            if gone { return remove(entry, entry.key, "it has no effect in this version") }
            if case .mapping(let inner, _) = entry.value.content, !inner.isEmpty,
                inner.allSatisfy({ RetiredKey.named(entry.key + "." + $0.key) != nil })
            {
                for key in inner { note(key, named: entry.key + "." + key.key) }
                return delete(from: entry.bytes.lowerBound, through: Self.end(of: entry.value))
            }
            return visit(entry, named: entry.key)
        }
        if gone {
            for key in inner { note(key, named: entry.key + "." + key.key) }
            return delete(from: entry.bytes.lowerBound, through: Self.end(of: entry.value))
        }
        let retired = inner.filter { RetiredKey.named(entry.key + "." + $0.key) != nil }
        if retired.count == inner.count {
            for key in inner { note(key, named: entry.key + "." + key.key) }
            return delete(from: entry.bytes.lowerBound, through: Self.end(of: entry.value))
        }
        for key in inner { visit(key, named: entry.key + "." + key.key) }
    }

    private mutating func visit(_ entry: YAMLEntry, named name: String) {
        if let retired = RetiredKey.named(name) { return remove(entry, name, retired.reason) }
        guard let key = ConfigurationSchema.key(name), let scalar = entry.value.scalar else { return }
        switch (key.kind, scalar.meaning) {
        case (.boolean, .text(let word)), (.integer, .text(let word)):
            // The first aibox stored numbers as texts.
            guard scalar.style == .quoted, (try? key.parse(word)) != nil else { return }
            replace(entry, word, "\(name) is the value \(word) now, not a text")
        case (.choice(let names), .text("pwsh")) where name == "shell" && !names.contains("pwsh"):
            replace(entry, "bash", "shell is bash now: pwsh is no login shell of the sandbox")
        case (.text, .text(let host)) where name == "network.llm_gateway" && TextForm.isDomain(host):
            replace(entry, "https://" + host, "network.llm_gateway is a URL now")
        case (.boolean, .boolean(false)) where name == "gvisor.enabled":
            say(entry, "gvisor.enabled stays false: the sandbox shares the host's kernel")
        case (.boolean, .boolean(false)) where name == "network.enabled":
            say(entry, "network.enabled stays false: the sandbox has no way out at all now")
        default: break
        }
    }

    private mutating func say(_ entry: YAMLEntry, _ message: String) {
        steps.append(.init(line: entry.position.line, message: message))
    }

    /// A section of which the schema has nothing and the first aibox had something.
    private static func isRetiredSection(_ section: String) -> Bool {
        !ConfigurationSchema.sections.contains(section) && RetiredKey.all.contains { $0.name.hasPrefix(section + ".") }
    }

    private mutating func note(_ entry: YAMLEntry, named name: String) {
        let reason = RetiredKey.named(name)?.reason ?? "it has no effect in this version"
        say(entry, "\(name) is removed: \(reason)")
    }

    private mutating func replace(_ entry: YAMLEntry, _ value: String, _ message: String) {
        replaced.append((entry.value.bytes, value))
        say(entry, message)
    }

    private mutating func remove(_ entry: YAMLEntry, _ name: String, _ reason: String) {
        say(entry, "\(name) is removed: \(reason)")
        delete(from: entry.bytes.lowerBound, through: Self.end(of: entry.value))
    }

    private mutating func delete(from start: Int, through end: Int) {
        replaced.append((text.lineStart(start)..<text.lineEnd(max(start, end - 1)), ""))
    }

    /// Behind the last byte of a value.
    private static func end(of node: YAMLNode) -> Int {
        switch node.content {
        case .mapping(let entries, .block): entries.last.map { end(of: $0.value) } ?? node.bytes.lowerBound
        case .list(let elements, .block): elements.last.map { end(of: $0) } ?? node.bytes.lowerBound
        case .scalar, .list, .mapping: node.bytes.upperBound
        }
    }

    mutating func addVersion(before first: YAMLEntry?) {
        let start = first.map { text.lineStart($0.bytes.lowerBound) } ?? text.bytes.count
        let newline = String(decoding: text.newline, as: UTF8.self)
        let indent = String(repeating: " ", count: (first?.position.column ?? 1) - 1)
        let open = start > 0 && text.bytes[start - 1] != 0x0a ? newline : ""
        replaced.append((start..<start, open + indent + "config_version: 1" + newline))
        steps.append(.init(line: first?.position.line ?? 1, message: "config_version: 1 is added"))
    }

    var result: [UInt8] {
        var bytes = text.bytes
        // From the end, so that earlier places stay where they are; of two at one place the insertion goes first.
        let ordered = replaced.enumerated().sorted {
            ($0.element.range.lowerBound, $0.element.range.count, $0.offset)
                > ($1.element.range.lowerBound, $1.element.range.count, $1.offset)
        }
        for (_, edit) in ordered { bytes.replaceSubrange(edit.range, with: Array(edit.with.utf8)) }
        return bytes
    }
}

extension ConfigurationLayers {
    /// Migrates the user's file (or the `--config` file).
    ///
    /// - Parameter dryRun: works the migration out and writes nothing.
    /// - Returns: what was done, and the backup's path if anything was written.
    public func migrate(dryRun: Bool) throws(AiboxError) -> (migration: ConfigurationMigration, backup: String?) {
        let file = ConfigurationFile(writableFile)
        guard File.exists(file.path) else {
            throw AiboxError(
                .failed, "cannot migrate \(writableFile)", why: "there is no such file",
                remedy: "aibox config init makes one")
        }
        if dryRun {
            return (try ConfigurationMigration(try file.read() ?? [], file: writableFile), nil)
        }
        return try file.locked { () throws(AiboxError) in
            let bytes = try file.read() ?? []
            let migration = try ConfigurationMigration(bytes, file: writableFile)
            if migration.text == bytes { return (migration, nil) }
            let backup = try file.backUp(bytes)
            try file.replace(with: migration.text)
            return (migration, backup)
        }
    }
}
