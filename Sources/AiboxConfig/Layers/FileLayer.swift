/// What one configuration file sets.
struct FileLayer {
    var settings: [ConfigurationSetting] = []
    var problems: [Problem] = []

    /// Everything that the text gives, and everything wrong with it.
    init(_ bytes: [UInt8], file: String) {
        let (document, problems) = YAMLDocument.read(bytes, file: file)
        self.problems = problems
        read(document)
    }

    init(_ document: YAMLDocument) { read(document) }

    private mutating func read(_ document: YAMLDocument) {
        guard let root = document.root, !root.isNothing else { return }
        guard case .mapping(let entries, _) = root.content else {
            complain(document, root.position, "the file must hold keys and values, not \(root.summary)")
            return
        }
        for entry in entries {
            if ConfigurationSchema.sections.contains(entry.key) {
                section(entry, document)
            } else {
                value(entry, named: entry.key, document)
            }
        }
    }

    private mutating func section(_ section: YAMLEntry, _ document: YAMLDocument) {
        if section.value.isNothing { return }
        guard case .mapping(let entries, _) = section.value.content else {
            complain(
                document, section.value.position, "\(section.key) must hold keys, not \(section.value.summary)")
            return
        }
        for entry in entries { value(entry, named: section.key + "." + entry.key, document) }
    }

    private mutating func value(_ entry: YAMLEntry, named name: String, _ document: YAMLDocument) {
        guard let key = ConfigurationSchema.key(name), key.components.last == entry.key else {
            return complain(document, entry.position, "unknown key \(name)" + Self.hint(name))
        }
        if name == "config_version", case .integer(let version)? = entry.value.scalar?.meaning,
            version > Configuration.currentVersion
        {
            return complain(
                document, entry.value.position,
                "config_version \(version) is of a newer aibox; this one reads \(Configuration.currentVersion)")
        }
        do throws(UnfitValue) {
            let value = try key.parse(entry.value)
            settings.append(
                ConfigurationSetting(key: name, value: value, origin: .file(document.file, entry.position)))
        } catch {
            complain(document, entry.value.position, "\(name) " + error.message)
        }
    }

    private static func hint(_ name: String) -> String {
        // A dotted name at the top is right but for its form.
        if let key = ConfigurationSchema.key(name), let section = key.section {
            return "; write \(section): and below it, indented, \(name.dropFirst(section.count + 1)):"
        }
        if let retired = RetiredKey.named(name) { return "; \(retired.reason) (aibox config migrate removes it)" }
        if RetiredKey.all.contains(where: { $0.name.hasPrefix(name + ".") }) {
            return "; it has no effect in this version (aibox config migrate removes it)"
        }
        let nearest = ConfigurationSchema.nearest(name) ?? NearestName.of(name, among: ConfigurationSchema.sections)
        return nearest.map { "; did you mean \($0)?" } ?? ""
    }

    private mutating func complain(_ document: YAMLDocument, _ position: TextPosition, _ message: String) {
        problems.append(Problem(document.file, position, message))
    }
}
