/// Reads a mapping against the keys that it may have; every mistake is collected with its place, none is fatal.
///
///     let problems = ProblemCollector()
///     let root = YAMLMapping(document, keys: ["version", "network"], problems)
///     let version = root.integer("version", in: 1...1)
///     let network = root.mapping("network", keys: ["hosts"])
///     let hosts = network?.texts("hosts") ?? []
///     if let error = AiboxError(.policyInvalid, "cannot use \(file)", problems: problems.problems) { throw error }
///
/// A reader answers nil for a key that is absent, and for one whose value is wrong and therefore already reported;
/// after the check for problems the two cannot be confused.
public struct YAMLMapping {
    /// What precedes a key in messages: `network.` or nothing.
    public let path: String
    public let file: String
    public let position: TextPosition
    private let keys: [String]
    private let entries: [String: YAMLEntry]
    private let problems: ProblemCollector

    /// The root mapping of a document; an empty document is an empty mapping.
    public init(_ document: YAMLDocument, keys: [String], _ problems: ProblemCollector) {
        self.init(document.root, keys: keys, path: "", file: document.file, problems)
    }

    /// - Parameters:
    ///   - node: nil and nothing (`network:` alone) count as an empty mapping.
    ///   - keys: the keys that exist; any other one is reported with the nearest of these.
    public init(_ node: YAMLNode?, keys: [String], path: String, file: String, _ problems: ProblemCollector) {
        self.path = path
        self.file = file
        self.keys = keys
        self.problems = problems
        position = node?.position ?? TextPosition(line: 1, column: 1)
        var known: [String: YAMLEntry] = [:]
        if let node, !node.isNothing {
            if case .mapping(let entries, _) = node.content {
                for entry in entries where keys.contains(entry.key) { known[entry.key] = entry }
                for entry in entries where !keys.contains(entry.key) {
                    problems.add(
                        Problem(
                            file, entry.position,
                            "unknown key \(path)\(entry.key)" + NearestName.hint(entry.key, among: keys)))
                }
            } else {
                let name = path.isEmpty ? "the document" : String(path.dropLast())
                problems.add(Problem(file, node.position, "\(name) must be a mapping, not \(node.summary)"))
            }
        }
        entries = known
    }

    /// The value of a key, whatever it is.
    public func node(_ key: String) -> YAMLNode? {
        assert(keys.contains(key), "\(key) is not among the keys declared for this mapping")
        return entries[key]?.value
    }

    public func has(_ key: String) -> Bool { node(key) != nil }

    /// Where the key itself stands; nil where it is absent.
    public func keyPosition(_ key: String) -> TextPosition? { entries[key]?.position }

    /// Reports each of these keys that is absent.
    public func require(_ required: String...) {
        for key in required where !has(key) {
            problems.add(Problem(file, position, "\(path)\(key) is missing"))
        }
    }

    /// Reports something about the value of a key.
    public func complain(_ key: String, _ message: String) {
        problems.add(Problem(file, node(key)?.position ?? position, "\(path)\(key) " + message))
    }
}

// MARK: - Values

extension YAMLMapping {
    public func boolean(_ key: String) -> Bool? {
        guard let node = node(key) else { return nil }
        if case .boolean(let value)? = node.scalar?.meaning { return value }
        complain(key, "must be true or false, not \(node.summary)")
        return nil
    }

    public func integer(_ key: String, in range: ClosedRange<Int> = .min ... .max) -> Int? {
        guard let node = node(key) else { return nil }
        guard case .integer(let value)? = node.scalar?.meaning else {
            complain(key, "must be a whole number, not \(node.summary)")
            return nil
        }
        if range.contains(value) { return value }
        complain(key, "must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
        return nil
    }

    public func text(_ key: String) -> String? {
        guard let node = node(key) else { return nil }
        return text(node) { complain(key, $0) }
    }

    /// A text that is the raw value of one of the cases.
    public func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, of type: Choice.Type) -> Choice?
    where Choice.RawValue == String {
        guard let text = text(key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        complain(
            key,
            "must be \(names.alternatives), not \"\(text)\""
                + NearestName.hint(text, among: names))
        return nil
    }

    public func list(_ key: String) -> [YAMLNode]? {
        guard let node = node(key) else { return nil }
        if case .list(let elements, _) = node.content { return elements }
        complain(key, "must be a list, not \(node.summary)")
        return nil
    }

    /// A list of texts. Elements of another kind are reported and left out.
    public func texts(_ key: String) -> [String]? {
        list(key)?.enumerated().compactMap { index, element in
            text(element) { problems.add(Problem(file, element.position, "\(path)\(key)[\(index)] " + $0)) }
        }
    }

    /// A list of whole numbers. Elements of another kind or out of range are reported and left out.
    public func integers(_ key: String, in range: ClosedRange<Int>) -> [Int] {
        (list(key) ?? []).enumerated().compactMap { index, element in
            if case .integer(let value)? = element.scalar?.meaning, range.contains(value) { return value }
            let wanted = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            problems.add(
                Problem(file, element.position, "\(path)\(key)[\(index)] \(wanted), not \(element.summary)"))
            return nil
        }
    }

    public func mapping(_ key: String, keys: [String]) -> YAMLMapping? {
        guard let node = node(key) else { return nil }
        return YAMLMapping(node, keys: keys, path: "\(path)\(key).", file: file, problems)
    }

    /// A list of mappings that all have the same keys.
    public func mappings(_ key: String, keys: [String]) -> [YAMLMapping]? {
        list(key)?.enumerated().map { index, element in
            YAMLMapping(element, keys: keys, path: "\(path)\(key)[\(index)].", file: file, problems)
        }
    }

    private func text(_ node: YAMLNode, _ complain: (String) -> Void) -> String? {
        guard let scalar = node.scalar else {
            complain("must be a text, not \(node.summary)")
            return nil
        }
        if case .text(let text) = scalar.meaning { return text }
        complain("must be a text, not \(node.summary); put it in quotes if it is meant")
        return nil
    }
}
