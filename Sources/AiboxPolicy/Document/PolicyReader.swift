import AiboxConfig

/// Reads a YAML tree by the table of `PolicySchema`.
struct PolicyReader {
    let layer: PolicyLayer
    let file: String
    let problems: ProblemCollector

    func fields(_ document: YAMLDocument) -> [String: PolicyItem] {
        let root = YAMLMapping(document, keys: ["version"] + PolicySchema.sections, problems)
        root.require("version")
        _ = root.integer("version", in: PolicySchema.version...PolicySchema.version)
        var fields: [String: PolicyItem] = [:]
        for section in PolicySchema.sections {
            let rows = PolicySchema.fields.filter { $0.section == section }
            if rows.first?.key == nil {
                fields[section] = value(section, of: root, rows[0].kind)
                continue
            }
            guard let mapping = root.mapping(section, keys: rows.compactMap(\.key)) else { continue }
            for row in rows {
                if let key = row.key { fields[row.name] = value(key, of: mapping, row.kind) }
            }
        }
        PolicyChecks(problems: problems, file: file).check(fields)
        return fields
    }

    private func origin(_ position: TextPosition) -> PolicyOrigin {
        PolicyOrigin(layer: layer, file: file, line: position.line, column: position.column)
    }

    private func value(_ key: String, of mapping: YAMLMapping, _ kind: PolicyKind) -> PolicyItem? {
        guard let node = mapping.node(key), var item = read(node, kind, mapping.path + key) else { return nil }
        if let position = mapping.keyPosition(key) { item.origin = origin(position) }
        return item
    }

    private func read(_ node: YAMLNode, _ kind: PolicyKind, _ path: String) -> PolicyItem? {
        guard let content = content(node, kind, path) else { return nil }
        return PolicyItem(content, origin(node.position))
    }

    private func content(_ node: YAMLNode, _ kind: PolicyKind, _ path: String) -> PolicyItem.Content? {
        switch (kind, node.content) {
        case (.group(let members), _): return group(node, members, path)
        case (.table(let key, let value), .mapping(let entries, _)): return table(entries, key, value, path)
        case (.list(let kind, let least), .list(let elements, _)): return list(node, elements, kind, least, path)
        case (.setting, .list(let elements, _)):
            let texts = elements.map { $0.scalar?.text }
            if !texts.contains(nil) { return .text(texts.compactMap { $0 }.joined(separator: ",")) }
        case (.setting, .scalar(let scalar)) where !node.isNothing: return .text(scalar.text)
        case (_, .scalar(let scalar)): return self.scalar(scalar, node, kind, path)
        default: break
        }
        complain(node, path, "must be \(kind.words), not \(node.summary)")
        return nil
    }

    private func complain(_ node: YAMLNode, _ path: String, _ message: String) {
        problems.add(Problem(file, node.position, path + " " + message))
    }

    private func group(_ node: YAMLNode, _ members: [PolicyMember], _ path: String) -> PolicyItem.Content? {
        if node.isNothing {
            complain(node, path, "must be \(PolicyKind.group(members).words), not nothing")
            return nil
        }
        let before = problems.problems.count
        let mapping = YAMLMapping(node, keys: members.map(\.name), path: path + ".", file: file, problems)
        if case .mapping = node.content {} else { return nil }
        var values: [String: PolicyItem] = [:]
        for member in members {
            if member.isRequired { mapping.require(member.name) }
            values[member.name] = value(member.name, of: mapping, member.kind)
        }
        return problems.problems.count == before ? .group(values) : nil
    }

    private func table(_ entries: [YAMLEntry], _ key: PolicyText, _ kind: PolicyKind, _ path: String)
        -> PolicyItem.Content
    {
        var values: [String: PolicyItem] = [:]
        for entry in entries {
            guard key.accepts(entry.key) else {
                let hint = path == "pins" ? ConfigurationSchema.nearest(entry.key).map { "; did you mean \($0)?" } : nil
                problems.add(Problem(file, entry.position, "\(path).\(entry.key) must be \(key.name)" + (hint ?? "")))
                continue
            }
            guard var item = read(entry.value, kind, "\(path).\(entry.key)") else { continue }
            item.origin = origin(entry.position)
            values[entry.key] = item
        }
        return .group(values)
    }

    private func list(_ node: YAMLNode, _ elements: [YAMLNode], _ kind: PolicyKind, _ least: Int, _ path: String)
        -> PolicyItem.Content
    {
        if elements.count < least { complain(node, path, "must not be empty") }
        var items: [PolicyItem] = []
        for (index, element) in elements.enumerated() {
            guard let item = read(element, kind, "\(path)[\(index)]") else { continue }
            if items.contains(item) {
                complain(element, "\(path)[\(index)]", "is in the list already")
            } else {
                items.append(item)
            }
        }
        return .list(items)
    }

    private func scalar(_ scalar: YAMLScalar, _ node: YAMLNode, _ kind: PolicyKind, _ path: String)
        -> PolicyItem.Content?
    {
        var hint = ""
        switch (kind, scalar.meaning) {
        case (.boolean, .boolean(let value)): return .boolean(value)
        case (.integer(let range), .integer(let value)) where range.contains(value): return .integer(value)
        case (.size, .integer), (.size, .text):
            if let size = ByteSize(scalar.text), let bytes = Int(exactly: size.bytes) { return .integer(bytes) }
        case (.amount, .integer), (.amount, .number):
            if let micros = PolicyAmount.micros(scalar.text) { return .integer(micros) }
        case (.duration, .text(let text)):
            if let duration = PolicyDuration(text) { return .integer(duration.seconds) }
        case (.date, .text(let text)): if PolicyDay.isDay(text) { return .text(text) }
        case (.choice(let names), .text(let text)):
            if names.contains(text) { return .text(text) }
            hint =
                path == "credentials.injection"
                ? "; this aibox puts no real value into a sandbox" : NearestName.hint(text, among: names)
        case (.text(let form), .text(let text)):
            if form.accepts(text) { return .text(text) }
            if path.hasPrefix("required") {
                hint = NearestName.hint(text, among: PolicySchema.sections + PolicySchema.fields.map(\.name))
            }
        case (.text, .boolean), (.text, .integer), (.text, .number): hint = "; put it in quotes if it is meant"
        default: break
        }
        complain(node, path, "must be \(kind.words), not \(node.summary)" + hint)
        return nil
    }
}

/// Days in the calendar's one numeric form (ISO 8601, `2027-01-31`); as texts they sort as they follow each other.
enum PolicyDay {
    static func isDay(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        return (1...days).contains(day)
    }
}

/// Money: digits, and after a point up to six more; a billion at most.
enum PolicyAmount {
    static func micros(_ text: String) -> Int? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, (1...10).contains(parts[0].utf8.count), parts.allSatisfy({ !$0.isEmpty }),
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), let whole = Int(parts[0]),
            whole < 1_000_000_000
        else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.utf8.count <= 6 else { return nil }
        let padded = fraction + String(repeating: "0", count: 6 - fraction.utf8.count)
        return Int(padded).map { whole * 1_000_000 + $0 }
    }
}
