import AiboxConfig
import AiboxSystem

/// A value of an answer. Moments and sizes know both their forms: local time and `8g` for a person, UTC and bytes
/// for a program.
indirect enum OutputValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case size(ByteSize)
    case time(Timestamp)
    case text(String)
    case list([OutputValue])
    /// In the order given.
    case object([Field])

    struct Field: Sendable, Equatable {
        var name: String
        var value: OutputValue

        init(_ name: String, _ value: OutputValue) {
            self.name = name
            self.value = value
        }
    }
}

extension OutputValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    init(stringLiteral value: String) { self = .text(value) }
    init(booleanLiteral value: Bool) { self = .boolean(value) }
    init(integerLiteral value: Int) { self = .integer(value) }

    /// A text, or null.
    static func optional(_ text: String?) -> OutputValue { text.map(OutputValue.text) ?? .null }
}

// MARK: - For a person

extension OutputValue {
    /// One line without control characters; `-` for nothing.
    var display: String {
        switch self {
        case .null: "-"
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): value == value.rounded() ? String(Int(exactly: value) ?? 0) : String(value)
        case .size(let value): value.description
        case .time(let value): value.local
        case .text(let value): SafeText.escaped(value)
        case .list(let values): values.map(\.display).joined(separator: ",")
        case .object(let fields): fields.map { $0.name + "=" + $0.value.display }.joined(separator: " ")
        }
    }
}

// MARK: - For a program

extension OutputValue {
    /// JSON (RFC 8259) on one line, or indented by two spaces.
    func json(indented: Bool) -> String {
        var text = ""
        write(to: &text, indented ? 0 : nil)
        return text
    }

    private func write(to text: inout String, _ level: Int?) {
        switch self {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? String(value) : "null"
        case .size(let value): text += String(value.bytes)
        case .time(let value): text += "\"" + value.rfc3339 + "\""
        case .text(let value): Self.write(value, to: &text)
        case .list(let values):
            Self.write("[", "]", values, to: &text, level) { value, text, inner in value.write(to: &text, inner) }
        case .object(let fields):
            Self.write("{", "}", fields, to: &text, level) { field, text, inner in
                Self.write(field.name, to: &text)
                text += inner == nil ? ":" : ": "
                field.value.write(to: &text, inner)
            }
        }
    }

    private static func write<Element>(
        _ open: String, _ close: String, _ elements: [Element], to text: inout String, _ level: Int?,
        _ one: (Element, inout String, Int?) -> Void
    ) {
        let inner = level.map { $0 + 1 }
        text += open
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: "  ", count: inner) }
            one(element, &text, inner)
        }
        if let level, !elements.isEmpty { text += "\n" + String(repeating: "  ", count: level) }
        text += close
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default:
                // Beyond what RFC 8259 demands: DEL, C1 and line separators, for programs that print what they read.
                switch scalar.value {
                case 0...0x1f, 0x7f...0x9f, 0x2028, 0x2029:
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}
