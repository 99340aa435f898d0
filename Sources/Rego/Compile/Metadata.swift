/// The annotations that apply to a rule, as `rego.metadata.chain` and `rego.metadata.rule` give them.
struct Metadata {
    let modules: [ModuleSyntax]
    let module: Int
    let rule: RuleSyntax
    let path: [Value]
    let strings: StringPool

    private func string(_ text: String) -> Value { .string(strings.intern(text)) }

    private var rulePath: [Value] {
        var result = path
        for part in rule.head.ref {
            switch part.kind {
            case .variable(let name): result.append(string(name))
            case .string(let bytes, _): result.append(.string(strings.intern(bytes)))
            default: return result
            }
        }
        return result
    }

    /// The annotations of the rule itself; an empty object if there are none.
    func ofRule() -> Value {
        let own = modules[module]
        for index in rule.annotations where own.annotations[index].scope == "rule" {
            return value(own.annotations[index])
        }
        return Value.emptyObject
    }

    /// From the rule outwards: the rule, its document, its package, the packages above.
    func chain() -> Value {
        var entries: [Value] = []
        func entry(_ path: [Value], _ annotation: Annotation?) {
            var pairs: [(Value, Value)] = [(string("path"), .array(path))]
            if let annotation { pairs.append((string("annotations"), value(annotation))) }
            entries.append(.object(ObjectBox(unsorted: pairs)))
        }
        let own = modules[module]
        let rulePath = self.rulePath
        let ruleAnnotations = rule.annotations.map { own.annotations[$0] }.filter { $0.scope == "rule" }
        entry(rulePath, ruleAnnotations.first)
        for other in modules where packagePath(other) == path {
            for candidate in other.rules where headPath(candidate) == rulePath {
                for index in candidate.annotations where other.annotations[index].scope == "document" {
                    entry(rulePath, other.annotations[index])
                }
            }
        }
        for other in modules where packagePath(other) == path {
            for annotation in other.annotations where annotation.scope == "package" { entry(path, annotation) }
        }
        var above = path
        while !above.isEmpty {
            for other in modules where packagePath(other) == above {
                for annotation in other.annotations where annotation.scope == "subpackages" { entry(above, annotation) }
            }
            above.removeLast()
        }
        return .array(entries)
    }

    private func packagePath(_ module: ModuleSyntax) -> [Value] {
        module.packagePath.map { part in
            switch part.kind {
            case .variable(let name): string(name)
            case .string(let bytes, _): .string(strings.intern(bytes))
            default: .null
            }
        }
    }

    private func headPath(_ rule: RuleSyntax) -> [Value] {
        Metadata(modules: modules, module: module, rule: rule, path: path, strings: strings).rulePath
    }

    private func value(_ annotation: Annotation) -> Value {
        guard case .object(var box) = Metadata.value(annotation.value) else { return Value.emptyObject }
        if box["scope"].isUndefined { box = box.setting(.string("scope"), .string(annotation.scope)) }
        if case .array(let items) = box["authors"] {
            box = box.setting(.string("authors"), .array(items.map(Metadata.author)))
        }
        if case .array(let items) = box["related_resources"] {
            let resources = items.map { item -> Value in
                guard case .string = item else { return item }
                return .object(ObjectBox(unsorted: [(.string("ref"), item)]))
            }
            box = box.setting(.string("related_resources"), .array(resources))
        }
        return .object(box)
    }

    /// `Jane Doe <jane@example.com>` as an object.
    private static func author(_ item: Value) -> Value {
        guard case .string(let box) = item else { return item }
        var name = Substring(box.string)
        var pairs: [(Value, Value)] = []
        if name.hasSuffix(">"), let open = name.lastIndex(of: "<") {
            pairs.append((.string("email"), .string(String(name[name.index(after: open)...].dropLast()))))
            name = name[..<open]
        }
        let trimmed = name.trimmedSpaces
        if !trimmed.isEmpty { pairs.append((.string("name"), .string(trimmed))) }
        return .object(ObjectBox(unsorted: pairs))
    }

    static func value(_ node: YAMLNode) -> Value {
        switch node {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let number): .number(number)
        case .string(let text): .string(text)
        case .sequence(let items): .array(items.map(value))
        case .mapping(let pairs):
            .object(ObjectBox(unsorted: pairs.map { (Value.string($0.key), value($0.value)) }))
        }
    }
}
