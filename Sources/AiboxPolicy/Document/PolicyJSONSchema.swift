import AiboxWire

/// The JSON schema of policy documents, made from `PolicySchema`: `configs/policy.schema.json`, with which editors complete
/// and check `policy.yaml`.
public enum PolicyJSONSchema {
    /// One line a field.
    public static var text: String {
        var text = """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "title": "A policy of aibox: the organisation's, a team's or a project's (aibox/policy.yaml)",
              "type": "object",
              "required": ["version"],
              "additionalProperties": false,
              "properties": {
                "version": {"type":"integer","const":\(PolicySchema.version)}
            """
        for section in PolicySchema.sections {
            let fields = PolicySchema.fields.filter { $0.section == section }
            if let field = fields.first, field.key == nil {
                text += ",\n    \(quoted(section)): \(schema(field).text)"
                continue
            }
            text += ",\n    \(quoted(section)): {\n      \"type\": [\"object\", \"null\"],"
            text += "\n      \"additionalProperties\": false,\n      \"properties\": {"
            for (index, field) in fields.enumerated() {
                text += "\(index > 0 ? "," : "")\n        \(quoted(field.key ?? "")): \(schema(field).text)"
            }
            text += "\n      }\n    }"
        }
        return text + "\n  }\n}\n"
    }

    private static func schema(_ text: PolicyText) -> JSONValue {
        // The parts of a policy are the fields that this schema is made of.
        let choices = text.name == PolicyText.part.name ? PolicySchema.parts : text.choices
        if let choices { return ["enum": .array(choices.map { .string($0) })] }
        var schema: JSONObject = ["type": "string", "minLength": 1]
        schema["pattern"] = text.pattern.map { .string($0) }
        schema["examples"] = [.string(text.example)]
        return .object(schema)
    }

    private static func quoted(_ text: String) -> String { JSONValue.string(text).text }

    private static func schema(_ field: PolicyField) -> JSONValue {
        described(schema(field.kind), field.documentation + " Tighter: \(field.order.words).")
    }

    private static func described(_ schema: JSONValue, _ words: String) -> JSONValue {
        guard case .object(var object) = schema else { return schema }
        object["description"] = .string(words)
        return .object(object)
    }

    private static func schema(_ kind: PolicyKind) -> JSONValue {
        switch kind {
        case .boolean: return ["type": "boolean"]
        case .integer(let range):
            return [
                "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
                "maximum": .integer(Int64(range.upperBound)),
            ]
        case .amount: return ["type": "number", "minimum": 0, "exclusiveMaximum": 1_000_000_000]
        case .size:
            return ["type": ["string", "integer"], "pattern": "^[0-9]+([kKmMgGtT]([iI]?[bB]|[iI])?|[bB])?$"]
        case .duration:
            return ["type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2]
        case .date: return ["type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"]
        case .choice(let names): return ["enum": .array(names.map { .string($0) })]
        case .text(let form): return schema(form)
        case .list(let element, let least):
            return [
                "type": "array", "items": schema(element), "minItems": .integer(Int64(least)), "uniqueItems": true,
            ]
        case .table(let key, let value):
            return ["type": "object", "propertyNames": schema(key), "additionalProperties": schema(value)]
        case .setting: return ["type": ["boolean", "integer", "string", "array"]]
        case .group(let members):
            let properties = members.map { JSONObject.Member($0.name, described(schema($0.kind), $0.documentation)) }
            return [
                "type": "object", "additionalProperties": false,
                "required": .array(members.filter(\.isRequired).map { .string($0.name) }),
                "properties": .object(JSONObject(properties)),
            ]
        }
    }
}
