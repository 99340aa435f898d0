import AiboxCrypto
public import AiboxSystem
public import AiboxWire

extension EffectivePolicy {
    /// What holds, without where it comes from: one object by field names, sorted, so that equal policies give equal bytes.
    public var json: JSONValue {
        .object(JSONObject(values.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, $0.value.json) }))
    }

    /// SHA-256 of what holds and of what stands where it was tightened, in hexadecimal: the policy's name in the audit log.
    public func digest() throws(AiboxError) -> String { try SHA256.digest(json.bytes).hex }
}

extension PolicyItem {
    /// Sizes in bytes, durations in seconds.
    public var json: JSONValue {
        switch content {
        case .boolean(let value): .bool(value)
        case .integer(let value): .integer(Int64(value))
        case .text(let value): .string(value)
        case .list(let elements): .array(elements.map(\.json))
        case .group(let members):
            .object(JSONObject(members.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, $0.value.json) }))
        }
    }
}
