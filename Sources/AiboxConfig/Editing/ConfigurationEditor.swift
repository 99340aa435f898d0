import AiboxSystem

/// Changes one value in the text of a configuration file and nothing else: comments, order, quotes and line ends of
/// all the rest stay byte for byte.
///
/// Every result is read back and compared: all other keys hold what they held, this one holds the new value. A text
/// in which that cannot be done safely is refused with the place to edit by hand.
struct ConfigurationEditor {
    let file: String
    private let original: [UInt8]

    init(_ bytes: [UInt8], file: String) {
        original = bytes
        self.file = file
    }

    /// The text with `key` set to `value`.
    func setting(_ key: ConfigurationKey, to value: ConfigurationValue) throws(AiboxError) -> [UInt8] {
        let (document, problems) = YAMLDocument.read(original, file: file)
        guard document.isComplete else {
            if let repaired = repairing(key, value) { return repaired }
            throw unsafe(problems.first.map(\.description) ?? "it cannot be read")
        }
        var text = EditedText(original)
        let changed = change(&text, document.root, key, value)
        if changed, holds(text.bytes, key, value, before: document) { return text.bytes }
        let place = Self.find(key, in: document.root)?.position
        throw unsafe(
            "\(key.name) cannot be changed there without touching other values"
                + (place.map { " (line \($0.line))" } ?? ""))
    }

    private func unsafe(_ why: String) -> AiboxError {
        AiboxError(.failed, "cannot change \(file)", why: why, remedy: "correct that place in the file by hand first")
    }
}

// MARK: - Where the value goes

extension ConfigurationEditor {
    private static func find(_ key: ConfigurationKey, in root: YAMLNode?) -> YAMLEntry? {
        var node = root
        var entry: YAMLEntry?
        for component in key.components {
            guard case .mapping(let entries, _)? = node?.content else { return nil }
            entry = entries.first { $0.key == component }
            node = entry?.value
        }
        return entry
    }

    /// False where the file has no place for the key.
    private func change(
        _ text: inout EditedText, _ root: YAMLNode?, _ key: ConfigurationKey, _ value: ConfigurationValue
    ) -> Bool {
        if let entry = Self.find(key, in: root) {
            replace(&text, entry, value)
            return true
        }
        let name = key.components.last ?? key.name
        guard let root, !root.isNothing else {
            append(&text, lines: lines(key.components[...], value, indent: 0), indent: 0)
            return true
        }
        guard case .mapping(let entries, let style) = root.content else { return false }
        let section = key.section.flatMap { section in entries.first { $0.key == section } }
        if let section {
            return add(&text, name, value, to: section)
        }
        if style == .flow {
            let nested = key.section.map { "\($0): {\(name): \(YAMLWriting.inline(value))}" }
            insertInFlow(&text, root, nested ?? "\(name): \(YAMLWriting.inline(value))", isEmpty: entries.isEmpty)
            return true
        }
        let indent = root.position.column - 1
        let added = lines(key.components[...], value, indent: indent)
        if key.section == nil, let last = entries.last(where: { !ConfigurationSchema.sections.contains($0.key) }) {
            text.insert(lines: added, at: text.lineEnd(lastByte(last)))
        } else {
            append(&text, lines: added, indent: indent)
        }
        return true
    }

    private func add(_ text: inout EditedText, _ name: String, _ value: ConfigurationValue, to section: YAMLEntry)
        -> Bool
    {
        switch section.value.content {
        case .list: return false
        case .mapping(let entries, .flow):
            insertInFlow(
                &text, section.value, "\(name): \(YAMLWriting.inline(value))", isEmpty: entries.isEmpty)
        case .mapping(let entries, .block):
            guard let last = entries.last, let first = entries.first else { return false }
            let added = lines([name], value, indent: first.position.column - 1)
            text.insert(lines: added, at: text.lineEnd(lastByte(last)))
        case .scalar:
            guard section.value.isNothing else { return false }
            if section.value.bytes.isEmpty {
                let added = lines([name], value, indent: section.position.column + 1)
                text.insert(lines: added, at: text.lineEnd(section.value.bytes.lowerBound))
            } else {
                text.replace(section.value.bytes, with: "{\(name): \(YAMLWriting.inline(value))}")
            }
        }
        return true
    }

    /// The last byte that belongs to an entry; its line is the entry's last.
    private func lastByte(_ entry: YAMLEntry) -> Int {
        max(entry.bytes.upperBound - 1, lastByte(entry.value))
    }

    private func lastByte(_ node: YAMLNode) -> Int {
        switch node.content {
        case .mapping(let entries, .block): return entries.last.map(lastByte) ?? node.bytes.lowerBound
        case .list(let elements, .block): return elements.last.map(lastByte) ?? node.bytes.lowerBound
        case .scalar, .list, .mapping:
            var end = node.bytes.upperBound
            while end > node.bytes.lowerBound, original[end - 1] == 0x0a || original[end - 1] == 0x0d { end -= 1 }
            return max(node.bytes.lowerBound, end - 1)
        }
    }

    /// The lines of a key that is not there yet, with its sections above it.
    private func lines(_ components: ArraySlice<String>, _ value: ConfigurationValue, indent: Int) -> [String] {
        guard let name = components.first else { return [] }
        let space = String(repeating: " ", count: indent)
        if components.count > 1 {
            return [space + name + ":"] + lines(components.dropFirst(), value, indent: indent + 2)
        }
        if case .list(let elements) = value, !elements.isEmpty {
            return [space + name + ":"] + elements.map { space + "  - " + YAMLWriting.scalar($0) }
        }
        return [space + name + ": " + YAMLWriting.inline(value)]
    }

    /// Puts lines at the end of the document, a blank line before a new section.
    private func append(_ text: inout EditedText, lines added: [String], indent: Int) {
        let end = text.lines.first { text.text($0).hasPrefix("...") }?.lowerBound ?? text.bytes.count
        let before = text.lines.last { $0.upperBound <= end }.map { text.text($0).trimmingSpaces }
        let blank = added.count > 1 && !(before ?? "").isEmpty
        text.insert(lines: (blank ? [""] : []) + added, at: end)
    }

    private func insertInFlow(_ text: inout EditedText, _ node: YAMLNode, _ entry: String, isEmpty: Bool) {
        let open = node.bytes.lowerBound + 1
        let close = node.bytes.upperBound - 1
        if isEmpty { return text.replace(open..<close, with: entry) }
        var end = close
        while end > open, [0x20, 0x09, 0x0a, 0x0d].contains(original[end - 1]) { end -= 1 }
        let hasComma = original[end - 1] == UInt8(ascii: ",")
        text.replace(end..<end, with: (hasComma ? " " : ", ") + entry)
    }
}

// MARK: - Replacing a value

extension ConfigurationEditor {
    private func replace(_ text: inout EditedText, _ entry: YAMLEntry, _ value: ConfigurationValue) {
        switch (entry.value.content, value) {
        case (.list(let elements, .block), .list(let wanted)) where !wanted.isEmpty && !elements.isEmpty:
            replaceElements(&text, elements, wanted)
        case (.list(_, .block), _), (.mapping(_, .block), _):
            // From the colon on: the new value stands on the key's own line.
            let colon = original[entry.bytes.upperBound...].firstIndex(of: UInt8(ascii: ":")) ?? entry.bytes.upperBound
            let end = lastByte(entry.value) + 1
            text.replace((colon + 1)..<max(colon + 1, end), with: " " + YAMLWriting.inline(value))
        default:
            let old = entry.value.bytes
            let written = YAMLWriting.inline(value)
            if old.isEmpty { return text.replace(old, with: " " + written) }
            // A block scalar ends with its line end.
            let endsLine = original[old.upperBound - 1] == 0x0a
            text.replace(old, with: written + (endsLine ? "\n" : ""))
        }
    }

    /// Keeps the lines of the elements that stay, with the comments above and behind them.
    private func replaceElements(_ text: inout EditedText, _ elements: [YAMLNode], _ wanted: [String]) {
        var chunks: [String: ArraySlice<UInt8>] = [:]
        let start = text.lineStart(elements[0].bytes.lowerBound)
        var next = start
        for element in elements {
            let end = text.lineEnd(lastByte(element))
            if let name = element.scalar?.text, chunks[name] == nil { chunks[name] = original[next..<end] }
            next = end
        }
        let dash = original[start...].firstIndex(of: UInt8(ascii: "-")) ?? start
        let indent = original[start..<dash]
        var lines: [UInt8] = []
        for name in wanted {
            var chunk = chunks[name].map(Array.init) ?? indent + Array("- \(YAMLWriting.scalar(name))".utf8)
            if chunk.last != 0x0a { chunk += text.newline }
            lines += chunk
        }
        text.replace(start..<next, with: String(decoding: lines, as: UTF8.self))
    }
}

// MARK: - Proof

extension ConfigurationEditor {
    /// Whether `edited` gives `key` the value and every other key what the document gave it.
    private func holds(
        _ edited: [UInt8], _ key: ConfigurationKey, _ value: ConfigurationValue, before: YAMLDocument
    ) -> Bool {
        let (after, _) = YAMLDocument.read(edited, file: file)
        guard after.isComplete, let entry = Self.find(key, in: after.root) else { return false }
        guard (try? key.parse(entry.value)) == value else { return false }
        return leaves(after.root, without: key) == leaves(before.root, without: key)
    }

    /// Every scalar and list of a document by its path. Empty sections count as absent: one may gain its first key.
    private func leaves(_ root: YAMLNode?, without key: ConfigurationKey) -> [[String]: [String]] {
        var leaves: [[String]: [String]] = [:]
        func walk(_ node: YAMLNode, _ path: [String]) {
            if path == key.components { return }
            switch node.content {
            case .scalar(let scalar):
                if scalar.meaning == .nothing, path.isEmpty || ConfigurationSchema.sections.contains(path[0]) { return }
                leaves[path] = [scalar.style == .plain ? "plain" : "text", scalar.text]
            case .list(let elements, _):
                leaves[path] = ["list", String(elements.count)]
                for (index, element) in elements.enumerated() { walk(element, path + ["[\(index)]"]) }
            case .mapping(let entries, _):
                if entries.isEmpty, path.count > 1 { leaves[path] = ["mapping"] }
                for entry in entries { walk(entry.value, path + [entry.key]) }
            }
        }
        if let root { walk(root, []) }
        return leaves
    }
}

// MARK: - Repair

extension ConfigurationEditor {
    /// A text that is no YAML, made YAML by giving this key a new value on its one line; nil if that does not do it.
    private func repairing(_ key: ConfigurationKey, _ value: ConfigurationValue) -> [UInt8]? {
        let text = EditedText(original)
        let candidates = Self.candidates(key, in: text)
        guard candidates.count == 1, let line = candidates.first else { return nil }
        let content = text.text(line)
        guard let colon = content.firstIndex(of: ":") else { return nil }
        let head = content[...colon] + " " + YAMLWriting.inline(value)
        let comment = content.comment(after: colon).map { " " + content[$0...] } ?? ""
        let end = text.bytes[line].last == 0x0a ? (text.bytes[line].dropLast().last == 0x0d ? 2 : 1) : 0
        for tail in [comment, ""] {
            var edited = text
            edited.replace(line.lowerBound..<(line.upperBound - end), with: head + tail)
            let (document, problems) = YAMLDocument.read(edited.bytes, file: file)
            guard problems.isEmpty, let entry = Self.find(key, in: document.root) else { continue }
            if (try? key.parse(entry.value)) == value { return edited.bytes }
        }
        return nil
    }

    /// The lines that look like the key, by indentation.
    private static func candidates(_ key: ConfigurationKey, in text: EditedText) -> [Range<Int>] {
        let name = (key.components.last ?? key.name) + ":"
        var inSection = key.section == nil
        return text.lines.filter { line in
            let content = text.text(line)
            let trimmed = content.trimmingSpaces
            let isTop = !content.hasPrefix(" ") && !content.hasPrefix("\t")
            if let section = key.section {
                if isTop, !trimmed.isEmpty, !trimmed.hasPrefix("#") { inSection = trimmed.hasPrefix(section + ":") }
                return inSection && !isTop && trimmed.hasPrefix(name)
            }
            return isTop && trimmed.hasPrefix(name)
        }
    }
}

extension String {
    /// The `#` that begins a comment behind the value after `colon`.
    fileprivate func comment(after colon: String.Index) -> String.Index? {
        var previous: Character = ":"
        var index = self.index(after: colon)
        while index < endIndex {
            if self[index] == "#", previous == " " || previous == "\t" { return index }
            previous = self[index]
            index = self.index(after: index)
        }
        return nil
    }
}
