/// A value of a YAML document with its place in the text.
public struct YAMLNode: Sendable, Equatable {
    public var content: Content
    public var position: TextPosition
    /// The bytes of the file that the value takes, for edits that leave all others alone.
    public var bytes: Range<Int>

    public indirect enum Content: Sendable, Equatable {
        case scalar(YAMLScalar)
        case list([YAMLNode], YAMLStyle)
        case mapping([YAMLEntry], YAMLStyle)
    }
}

/// A key of a mapping and its value.
public struct YAMLEntry: Sendable, Equatable {
    public var key: String
    public var position: TextPosition
    /// The bytes of the key.
    public var bytes: Range<Int>
    public var value: YAMLNode
}

/// How a list or mapping is written.
public enum YAMLStyle: Sendable, Equatable {
    /// By indentation.
    case block
    /// In brackets or braces.
    case flow
}

/// Text without structure. What a plain (unquoted) one means is decided by the reader that asks, in the terms of
/// YAML 1.2's core schema: `true` and `false` are booleans, `yes` and `off` are words.
public struct YAMLScalar: Sendable, Equatable {
    public var text: String
    public var style: Style

    public enum Style: Sendable, Equatable { case plain, quoted, block }

    public enum Meaning: Sendable, Equatable {
        case nothing
        case boolean(Bool)
        case integer(Int)
        /// A number that is no integer, or that does not fit one.
        case number
        case text(String)
    }

    public var meaning: Meaning {
        if style != .plain { return .text(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .nothing
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        default: break
        }
        guard YAMLScalar.looksLikeNumber(text) else { return .text(text) }
        return Int(text).map(Meaning.integer) ?? .number
    }

    /// YAML 1.2's core schema (chapter 10.3.2), and what YAML 1.1 readers take for numbers beside it: `0x1f`, `1_000`.
    static func looksLikeNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
        let word = String(rest)?.lowercased() ?? ""
        if word == ".inf" || word == ".nan" { return true }
        guard let first = rest.first else { return false }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard digits.contains(first) || first == UInt8(ascii: ".") else { return false }
        if word.hasPrefix("0x") || word.hasPrefix("0o") || word.hasPrefix("0b") {
            return word.utf8.count > 2 && word.dropFirst(2).utf8.allSatisfy { isHexadecimal($0) || $0 == 0x5f }
        }
        var points = 0
        var exponent = false
        var hasDigit = false
        var previous: UInt8 = 0
        for byte in rest {
            switch byte {
            case digits: hasDigit = true
            case UInt8(ascii: "_"): break
            case UInt8(ascii: ".") where !exponent: points += 1
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                if exponent || !hasDigit { return false }
                exponent = true
            case UInt8(ascii: "+"), UInt8(ascii: "-"):
                if previous | 0x20 != UInt8(ascii: "e") { return false }
            default: return false
            }
            previous = byte
        }
        return hasDigit && points <= 1
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x66, 0x41...0x46: true
        default: false
        }
    }
}

extension YAMLNode {
    /// The text of a scalar, whatever it means; nil for a list or mapping.
    public var scalar: YAMLScalar? {
        if case .scalar(let scalar) = content { return scalar }
        return nil
    }

    /// True for `key:` with nothing after it, `~` and `null`.
    public var isNothing: Bool { scalar?.meaning == .nothing }

    /// What it is, for messages: `the text "abc"`, `a list`.
    public var summary: String {
        switch content {
        case .list: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar):
            switch scalar.meaning {
            case .nothing: return "nothing"
            case .boolean(let value): return value ? "true" : "false"
            case .integer, .number: return "the number \(scalar.text.prefix(40))"
            case .text(let text):
                let shown = text.count > 40 ? text.prefix(40) + "…" : text[...]
                return "the text \"\(shown)\""
            }
        }
    }
}
