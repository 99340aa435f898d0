import AiboxWire

/// What docs/audit-events.md and configs/audit-event.schema.json hold, made from the definitions.
public enum AuditEventSchema {
    /// The version that `audit.open` names.
    static let version: Int64 = 1

    /// The page of all types.
    public static var markdown: String {
        var page = """
            # Audit events

            Made by `aibox audit docs`; a test fails when it is out of date. How the lines are chained and signed:
            [audit-log.md](audit-log.md). The JSON schema: `configs/audit-event.schema.json`.

            ## Every event

            | member | what it holds |
            |---|---|

            """
        for member in members { page += "| `\(member.name)` | \(member.summary) |\n" }
        for group in AuditEventType.Group.allCases {
            page += "\n## \(group.rawValue)\n"
            for type in AuditEventType.allCases where type.group == group { page += section(type) }
        }
        return page
    }

    private static func section(_ type: AuditEventType) -> String {
        let definition = type.definition
        var text = """

            ### `\(type.rawValue)`

            \(definition.summary) Subject: \(definition.subject). Severity \(definition.severity.rawValue); kept at \
            least \(definition.retention.days) days.

            """
        if definition.fields.isEmpty { return text }
        text += "\n| details | kind | |\n|---|---|---|\n"
        for field in definition.fields {
            text +=
                "| `\(field.name)` | \(field.kind.rawValue)\(field.required ? ", always" : "") | \(field.summary) |\n"
        }
        return text
    }

    /// The members of a line, in their order.
    private static let members: [(name: String, schema: JSONValue, required: Bool, summary: String)] = [
        ("seq", ["type": "integer", "minimum": 1], true, "its number in the log, from 1 without a gap"),
        (
            "id", ["type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"], true,
            "a ULID; ids of one log sort as the events do"
        ),
        ("time", ["type": "string", "format": "date-time"], true, "when, UTC, RFC 3339 with nanoseconds"),
        (
            "mono", ["type": "integer", "minimum": 0], true,
            "nanoseconds since the boot `boot`, by a clock that nobody sets"
        ),
        ("boot", ["type": "string"], true, "the kernel's id of the boot"),
        ("type", ["type": "string"], true, "one of the types below"),
        (
            "severity", words(AuditSeverity.allCases.map(\.rawValue)), true,
            "how much it matters: info, warning, high, critical"
        ),
        (
            "risk", words(AuditRisk.allCases.map(\.rawValue)), false,
            "the risk class that a policy gave it; absent if none did"
        ),
        (
            "outcome", words(AuditOutcome.allCases.map(\.rawValue)), true,
            "how it ended: success, allowed, denied, pending, failure, unknown"
        ),
        ("source", words(AuditSource.allCases.map(\.rawValue)), true, "the program that saw it"),
        ("host", ["type": "string"], true, "the machine"),
        ("user", ["type": "string"], true, "the person on whose behalf it happened"),
        ("session", ["type": "string"], true, "the stay in a sandbox from start to stop; empty outside one"),
        ("sandbox", ["type": "string"], true, "the sandbox's name; empty outside one"),
        ("policy", ["type": "string"], true, "SHA-256 of the merged policy in force; empty where none is"),
        ("subject", ["type": "string"], true, "what it happened to; the type says what that is"),
        ("details", ["type": "object"], true, "the fields of the type"),
        (
            "truncated", ["type": "array", "items": ["type": "object"]], false,
            "texts over 64 KiB that were cut, or details over 256 KiB that were left out: `field`, `bytes`, `sha256` of the whole"
        ),
        (
            "problems", ["type": "array", "items": ["type": "string"]], false,
            "what in the details does not fit the type: an emitter's mistake"
        ),
        ("prev", ["type": "string", "pattern": "^[0-9a-f]{64}$"], true, "the hash of the line before"),
        ("mac", ["type": "string", "pattern": "^[0-9a-f]{64}$"], true, "the MAC of this line"),
    ]

    private static func words(_ words: [String]) -> JSONValue { ["enum": .array(words.map(JSONValue.string))] }

    /// JSON Schema 2020-12 of a line.
    public static var json: String {
        var properties = JSONObject()
        for member in members { properties[member.name] = member.schema }
        properties["type"] = words(AuditEventType.allCases.map(\.rawValue))
        let schema: JSONValue = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "An event of the aibox audit log",
            "type": "object",
            "properties": .object(properties),
            "required": .array(members.filter(\.required).map { .string($0.name) }),
            "additionalProperties": false,
            // A line that names problems of its details is exempt from their schema.
            "if": ["not": ["required": ["problems"]]],
            "then": ["oneOf": .array(AuditEventType.allCases.map(schema))],
        ]
        return indented(schema, 0) + "\n"
    }

    private static func schema(_ type: AuditEventType) -> JSONValue {
        var properties = JSONObject()
        for field in type.definition.fields { properties[field.name] = field.kind.schema }
        return [
            "properties": [
                "type": ["const": .string(type.rawValue)],
                "details": [
                    "properties": .object(properties),
                    "required": .array(type.definition.fields.filter(\.required).map { .string($0.name) }),
                    "additionalProperties": false,
                ],
            ]
        ]
    }

    /// Objects that hold objects on several lines, the rest on one: readable, and small in a diff.
    private static func indented(_ value: JSONValue, _ level: Int) -> String {
        let inner = String(repeating: "  ", count: level + 1)
        let outer = String(repeating: "  ", count: level)
        switch value {
        case .object(let object) where level < 5 && object.members.contains { !isPlain($0.value) }:
            let members = object.members.map {
                inner + JSONValue.string($0.name).text + ": " + indented($0.value, level + 1)
            }
            return "{\n" + members.joined(separator: ",\n") + "\n" + outer + "}"
        case .array(let elements) where elements.contains { !isPlain($0) }:
            return "[\n" + elements.map { inner + indented($0, level + 1) }.joined(separator: ",\n") + "\n" + outer
                + "]"
        default: return value.text
        }
    }

    private static func isPlain(_ value: JSONValue) -> Bool {
        switch value {
        case .object, .array: false
        default: true
        }
    }
}

extension AuditEventDefinition.Kind {
    var schema: JSONValue {
        switch self {
        case .text: ["type": "string"]
        case .integer: ["type": "integer"]
        case .boolean: ["type": "boolean"]
        case .texts: ["type": "array", "items": ["type": "string"]]
        case .object: ["type": "object"]
        }
    }
}
