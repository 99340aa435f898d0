import AiboxCrypto
import AiboxWire

/// How the signature of a bundle names the content of a file (OPA, "Signature Format": `hash`).
enum BundleHash {
    static let algorithm = "SHA-256"

    /// SHA-256 in hexadecimal: of the bytes, and of a form that white space and the order of keys do not change where
    /// OPA knows the file's structure, as it does for `.manifest` and `data.json` by their names alone.
    static func of(_ file: BundleFile) throws -> String {
        guard isStructured(file.name) else { return try SHA256.digest(file.bytes).hex }
        return try SHA256.digest(canonical(try parse(file))).hex
    }

    static func isStructured(_ name: String) -> Bool {
        ["data.json", "data.yaml", BundleManifest.fileName, BundleSignature.fileName].contains(
            String(name.split(separator: "/").last ?? ""))
    }

    static func parse(_ file: BundleFile) throws(BundleFault) -> JSONValue {
        do { return try JSONParser.parse(file.bytes) } catch { throw BundleFault("\(file.name) is no JSON: \(error)") }
    }

    /// Objects with their keys in the order of their bytes, no white space, texts as Go's encoding/json writes them.
    static func canonical(_ value: JSONValue) throws(BundleFault) -> [UInt8] {
        switch value {
        case .null, .bool, .integer: return value.bytes
        // Go keeps the digits as they were written, and a parser that does not could not say the same of them.
        case .number: throw BundleFault("a number in its manifest is no whole number")
        case .string(let text): return quoted(text)
        case .array(let elements):
            var bytes: [UInt8] = [UInt8(ascii: "[")]
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += try canonical(element)
            }
            return bytes + [UInt8(ascii: "]")]
        case .object(let object):
            var bytes: [UInt8] = [UInt8(ascii: "{")]
            let members = object.members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += quoted(member.name) + [UInt8(ascii: ":")]
                bytes += try canonical(member.value)
            }
            return bytes + [UInt8(ascii: "}")]
        }
    }

    private static func quoted(_ text: String) -> [UInt8] {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: result += "\\\""
            case 0x5c: result += "\\\\"
            case 0x08: result += "\\b"
            case 0x0c: result += "\\f"
            case 0x0a: result += "\\n"
            case 0x0d: result += "\\r"
            case 0x09: result += "\\t"
            case 0..<0x20, 0x2028, 0x2029:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return Array((result + "\"").utf8)
    }
}
