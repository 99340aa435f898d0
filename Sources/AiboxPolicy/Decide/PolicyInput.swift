import AiboxCrypto
public import AiboxSystem
public import AiboxWire

/// The input document of a decision.
public enum PolicyInput {
    /// SHA-256 in hexadecimal of the document with the members of every object in the order of their names.
    public static func digest(_ input: JSONValue) throws(AiboxError) -> String {
        try SHA256.digest(sorted(input).bytes).hex
    }

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
