/// A value that a key does not take, in words that complete `KEY ...`.
struct UnfitValue: Error, Equatable {
    var message: String
}

extension ConfigurationKey {
    /// Reads a value as the command line, the environment and pins give it: text, lists separated by commas.
    func parse(_ text: String) throws(UnfitValue) -> ConfigurationValue {
        switch kind {
        case .boolean:
            if text == "true" { return .boolean(true) }
            if text == "false" { return .boolean(false) }
        case .integer(let range):
            if let value = Int(text), range.contains(value), !text.hasPrefix("+") { return .integer(value) }
        case .size(let range):
            if let value = ByteSize(text), range.contains(value) { return .size(value) }
        case .choice(let names):
            if names.contains(text) { return .text(text) }
            throw unfit(text, NearestName.hint(text, among: names))
        case .text(let form):
            if form.accepts(text) { return .text(text) }
        case .list(let form):
            let elements = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
            return try list(elements.map { String($0).trimmingSpaces }, form)
        }
        throw unfit(text)
    }

    /// Reads a value from a file, where YAML's own types must match the key's.
    func parse(_ node: YAMLNode) throws(UnfitValue) -> ConfigurationValue {
        switch (kind, node.content) {
        case (.list(let form), .list(let elements, _)):
            var texts: [String] = []
            for element in elements {
                guard case .text(let text)? = element.scalar?.meaning else {
                    throw unfit(element.summary, quoted: false)
                }
                texts.append(text)
            }
            return try list(texts, form)
        case (.list, _):
            throw unfit(node.summary, quoted: false)
        case (_, .scalar(let scalar)):
            switch (kind, scalar.meaning) {
            case (.boolean, .boolean), (.integer, .integer), (.size, .integer), (.size, .text), (.choice, .text),
                (.text, .text):
                // YAML also has True and TRUE.
                return try parse(scalar.style == .plain && isBoolean ? scalar.text.lowercased() : scalar.text)
            case (.text, .boolean), (.text, .integer), (.text, .number):
                throw unfit(node.summary, "; put it in quotes if it is meant", quoted: false)
            case (.boolean, .text(let text)), (.integer, .text(let text)):
                let isSame = (try? parse(text)) != nil
                throw unfit(node.summary, isSame ? "; remove the quotes" : "", quoted: false)
            default: throw unfit(node.summary, quoted: false)
            }
        default: throw unfit(node.summary, quoted: false)
        }
    }

    private var isBoolean: Bool {
        if case .boolean = kind { return true }
        return false
    }

    private func list(_ elements: [String], _ form: TextForm) throws(UnfitValue) -> ConfigurationValue {
        var seen: Set<String> = []
        for element in elements {
            guard form.accepts(element) else { throw unfit(element) }
            guard seen.insert(element).inserted else { throw UnfitValue(message: "has \"\(element)\" twice") }
        }
        return .list(elements)
    }

    private func unfit(_ value: String, _ hint: String = "", quoted: Bool = true) -> UnfitValue {
        let shown = value.count > 80 ? value.prefix(80) + "…" : value[...]
        return UnfitValue(message: "must be \(values), not " + (quoted ? "\"\(shown)\"" : String(shown)) + hint)
    }

    /// Whether `value` is as tight as the pinned one, or tighter.
    func satisfies(_ pinned: ConfigurationValue, _ value: ConfigurationValue) -> Bool {
        if value == pinned { return true }
        switch (strictness, value, pinned) {
        case (.on, .boolean(let value), .boolean): return value
        case (.off, .boolean(let value), .boolean): return !value
        case (.less, .integer(let value), .integer(let pinned)): return value < pinned
        case (.less, .size(let value), .size(let pinned)): return value < pinned
        case (.part, .list(let value), .list(let pinned)): return Set(value).isSubset(of: pinned)
        case (.later, .text(let value), .text(let pinned)):
            guard case .choice(let names) = kind, let own = names.firstIndex(of: value),
                let least = names.firstIndex(of: pinned)
            else { return false }
            return own > least
        default: return false
        }
    }
}

extension String {
    /// Without spaces and tabs at both ends.
    var trimmingSpaces: String {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
