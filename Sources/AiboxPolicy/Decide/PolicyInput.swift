import AiboxCrypto
public import AiboxSystem
public import AiboxWire

/// The input document of a decision.
public enum PolicyInput {
    /// SHA-256 in hexadecimal of the document with the members of every object in the order of their names.
    public static func digest(_ input: JSONValue) throws(AiboxError) -> String {
        try SHA256.digest(sorted(input).bytes).hex
    }

    /// As `digest`, of a question with a policy whose bytes `sortedBytes` gave: it is the larger part, and always the same.
    static func digest(_ asked: JSONObject, policy: [UInt8]) throws(AiboxError) -> String {
        var bytes: [UInt8] = []
        let members = asked.members.map { ($0.name, sorted($0.value).bytes) } + [("policy", policy)]
        for (name, value) in members.sorted(by: { $0.0 < $1.0 }) {
            bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            bytes += JSONValue.string(name).bytes
            bytes.append(UInt8(ascii: ":"))
            bytes += value
        }
        bytes.append(UInt8(ascii: "}"))
        return try SHA256.digest(bytes).hex
    }

    /// The bytes that `digest` takes of a value.
    static func sortedBytes(_ value: JSONValue) -> [UInt8] { sorted(value).bytes }

    private static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(sorted))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.sorted { $0.name < $1.name }.map { JSONObject.Member($0.name, sorted($0.value)) }))
        default: value
        }
    }
}
