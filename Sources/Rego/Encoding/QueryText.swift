/// Query strings, as Go's `net/url` escapes and reads them.
enum QueryText {
    static func encode(_ text: String) -> String {
        String(decoding: escaped(text.utf8), as: UTF8.self)
    }

    static func decode(_ text: String) throws(SupportError) -> String {
        GoText.string(repairing: try unescaped(Array(text.utf8)[...]))
    }

    /// `pairs` in the order of the keys.
    static func encode(pairs: [(String, [String])]) -> String {
        var result: [UInt8] = []
        for (key, values) in pairs {
            for value in values {
                if !result.isEmpty { result.append(UInt8(ascii: "&")) }
                result += escaped(key.utf8)
                result.append(UInt8(ascii: "="))
                result += escaped(value.utf8)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Keys in order of appearance, each with all of its values.
    static func decodeObject(_ text: String) throws(SupportError) -> [(String, [String])] {
        var result: [(String, [String])] = []
        var places: [String: Int] = [:]
        for part in Array(text.utf8).split(separator: UInt8(ascii: "&")) {
            if part.contains(UInt8(ascii: ";")) { throw .invalid("invalid semicolon separator in query") }
            let mark = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let key = GoText.string(repairing: try unescaped(part[..<mark]))
            let value = GoText.string(repairing: try unescaped(part[mark...].dropFirst()))
            if let place = places[key] {
                result[place].1.append(value)
            } else {
                places[key] = result.count
                result.append((key, [value]))
            }
        }
        return result
    }

    private static func escaped(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in bytes {
            if RuneContext.isWord(UInt32(byte)) || "-.~".utf8.contains(byte) {
                result.append(byte)
            } else if byte == UInt8(ascii: " ") {
                result.append(UInt8(ascii: "+"))
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return result
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) throws(SupportError) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "%"):
                let escape = Array(rest.prefix(3))
                guard escape.count == 3, let high = BigInt.digit(escape[1]), let low = BigInt.digit(escape[2]),
                    high < 16, low < 16
                else {
                    throw .invalid("invalid URL escape \(GoText.quote(GoText.string(repairing: escape)))")
                }
                result.append(UInt8(high * 16 + low))
                rest = rest.dropFirst(3)
                continue
            case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
            default: result.append(byte)
            }
            rest = rest.dropFirst()
        }
        return result
    }
}
