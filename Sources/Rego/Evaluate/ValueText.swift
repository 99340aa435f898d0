extension Value {
    /// The value as Rego writes it: `{"a": 1}`, `{1, 2}`, `set()`, strings quoted.
    public var text: String {
        var result = ""
        write(to: &result, limit: Value.limit)
        return result
    }

    /// As `text`, cut where it gets too long for a message.
    var shortText: String {
        var result = ""
        write(to: &result, limit: 4096)
        return result
    }

    /// As `text`, but a string stands for itself.
    var plainText: String {
        if case .string(let box) = self { return box.string }
        return text
    }

    /// Values share their parts: the text of a small one may be endless, and is cut.
    static let limit = 1 << 28

    private func write(to result: inout String, limit: Int) {
        if result.utf8.count > limit { return }
        switch self {
        case .undefined: result += "<undefined>"
        case .null: result += "null"
        case .bool(let value): result += value ? "true" : "false"
        case .int(let value): result += String(value)
        case .number(let box): result += box.text
        case .string(let box): result += GoText.quote(box.string)
        case .array(let box): Value.write(box.items, "[", "]", to: &result, limit: limit)
        case .set(let box):
            if box.items.isEmpty {
                result += "set()"
            } else {
                Value.write(box.items, "{", "}", to: &result, limit: limit)
            }
        case .object(let box):
            result += "{"
            for index in 0..<box.count where result.utf8.count <= limit {
                if index > 0 { result += ", " }
                box.keys[index].write(to: &result, limit: limit)
                result += ": "
                box.values[index].write(to: &result, limit: limit)
            }
            result += "}"
        }
    }

    private static func write(_ items: [Value], _ open: String, _ close: String, to result: inout String, limit: Int) {
        result += open
        for index in 0..<items.count where result.utf8.count <= limit {
            if index > 0 { result += ", " }
            items[index].write(to: &result, limit: limit)
        }
        result += close
    }
}
