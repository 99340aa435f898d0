import AiboxConfig
import AiboxEmbedded
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxPolicy

/// The schema as a validator reads it that other people wrote (python-jsonschema).
@Suite("The JSON schema of policies")
struct PolicyJSONSchemaTests {
    private static let repository = Path.parent(Path.parent(Path.parent(#filePath)))

    private static func answers(_ documents: [JSONValue]) throws -> [String?] {
        try SchemaValidator.answers(schema: repository + "/configs/policy.schema.json", documents.map(\.text))
    }

    /// As an editor reads it.
    private static func json(_ text: String) throws -> JSONValue {
        let (document, problems) = YAMLDocument.read(Array(text.utf8), file: "p")
        try #require(problems.isEmpty, "\(problems)")
        return try document.root.map(json) ?? .null
    }

    private static func json(_ node: YAMLNode) throws -> JSONValue {
        switch node.content {
        case .list(let elements, _): return .array(try elements.map(json))
        case .mapping(let entries, _):
            return .object(JSONObject(try entries.map { JSONObject.Member($0.key, try json($0.value)) }))
        case .scalar(let scalar):
            return switch scalar.meaning {
            case .nothing: .null
            case .boolean(let value): .bool(value)
            case .integer(let value): .integer(Int64(value))
            case .number: .number(try #require(Double(scalar.text)))
            case .text(let text): .string(text)
            }
        }
    }

    private static func isAccepted(_ text: String) -> Bool {
        PolicyDocument.read(Array(text.utf8), layer: .org, file: "p").problems.isEmpty
    }

    @Test("it accepts the examples, the baseline and every document of these tests that is read")
    func accepted() throws {
        let examples = Self.repository + "/aibox-policies/examples"
        var texts = [try File.text(Self.repository + "/configs/policy/org-baseline.yaml")]
        for folder in [examples, examples + "/teams", examples + "/project"] {
            for name in try Folder.names(folder) where name.hasSuffix(".yaml") {
                texts.append(try File.text(folder + "/" + name))
            }
        }
        #expect(texts.count >= 5)
        texts += (PolicyMergeTests.holes + PolicyMergeTests.tightenings).flatMap { [$0.org, $0.project] }.map {
            "version: 1\n\($0)\n"
        }
        texts += PolicySchemaTests.effects.map { "version: 1\n\($0.document)\n" }
        texts += PolicySchema.sections.filter { PolicySchema.field($0) == nil }.map { "version: 1\n\($0):\n" }
        texts += ["512", "512k", "8Gi", "2GiB", "7MB", "1t", "3b"].map { "version: 1\nresources: {memory: \($0)}\n" }
        texts += ["90s", "1h30m", "1d2h3m4s", "0s"].map { "version: 1\ncredentials: {custom_ttl: \($0)}\n" }
        texts += ["/", "/a", "/a/.b", "/a/..b/c.", "/a b/ü"].map { "version: 1\nfilesystem: {deny: [\"\($0)\"]}\n" }
        texts.append("version: 1\npins: {network.allowed_domains: [a.example.com], resources.memory: 4g}\n")
        let read = texts.filter(Self.isAccepted)
        #expect(read.count > 150, "\(read.count) of \(texts.count)")
        for (text, answer) in zip(read, try Self.answers(try read.map(Self.json))) {
            #expect(answer == nil, "\(text): \(answer ?? "")")
        }
    }

    /// Values that a kind does not take.
    private static func wrong(_ kind: PolicyKind) -> [String] {
        switch kind {
        case .boolean: ["yes", "1", "[true]"]
        case .integer(let range): ["x", "1.5", "\(range.upperBound + 1)", "\(range.lowerBound - 1)", "[1]", "true"]
        case .size: ["x", "8q", "true", "[1g]", "1.5g"]
        case .amount: ["x", "true", "-1", "1000000000", "[1]"]
        case .duration: ["60", "x", "1w", "h", "true"]
        case .date: ["soon", "2027-1-1", "20270101", "true"]
        case .choice: ["no-such", "true", "[no-such]", "7"]
        case .text: ["7", "true", "[x]", "{a: b}", "\"\""]
        case .list: ["x", "7", "{a: b}", "[{no-such: 1}]", "[[a]]"]
        case .table: ["x", "[a]", "7"]
        case .setting: ["{a: b}"]
        case .group: ["x", "[a]", "{no-such: 1}", "7"]
        }
    }

    @Test("it refuses what no reader takes: other keys, other types, other values, of every field")
    func refused() throws {
        var texts = ["{}", "[]", "version: 2", "version: \"1\"", "version: 1\nnetworks: {}", "version: 1\nnetwork: []"]
        for field in PolicySchema.fields {
            for value in Self.wrong(field.kind) + ["null"] {
                let said = field.key.map { "{\($0): \(value)}" } ?? value
                texts.append("version: 1\n\(field.section): \(said)\n")
            }
            if field.key != nil { texts.append("version: 1\n\(field.section): {no-such: 1}\n") }
        }
        texts += [
            "network: {allow: [{hosts: [a.example.com]}]}", "network: {allow: [{id: a}]}",
            "network: {allow: [{id: a, hosts: []}]}", "network: {allow: [{id: a, hosts: [a.b], port: 443}]}",
            "network: {allow: [{id: a, hosts: [a.b], ports: [0]}]}", "network: {allow: [{id: a b, hosts: [a.b]}]}",
            "network: {allow: [{id: a, hosts: [a.b], rate_limit: {per_min: 5}}]}",
            "network: {upstream_proxy: {host: p}}", "tools: {rules: [{match: [], allow: true, risk: safe}]}",
            "tools: {rules: [{match: [a], allow: true, risk: harmless}]}", "tools: {rules: [{match: [a]}]}",
            "filesystem: {deny: [a]}", "filesystem: {deny: [/a/]}", "filesystem: {deny: [/a/../b]}",
            "filesystem: {deny: [/a//b]}", "filesystem: {deny: [//a]}", "filesystem: {deny: [/.]}",
            "filesystem: {deny: [/a, /a]}", "llm: {models: [\"a?\"]}", "llm: {models: [\"[ab]\"]}",
            "llm: {dlp: [{id: a, known: passwords, action: block}]}", "mcp: {servers: [{id: a, tools: {x: risky}}]}",
            "pins: {no.such: 1}", "required: [tool]", "required: [network.allows]",
            "audit: {recording_recipient: age1xyz}", "exceptions: [{id: x, owner: o, hosts: [a.b]}]",
        ].map { "version: 1\n\($0)\n" }
        for text in texts { #expect(!Self.isAccepted(text), "\(text)") }
        let answers = try Self.answers(try texts.map(Self.json))
        for (text, answer) in zip(texts, answers) { #expect(answer != nil, "\(text)") }
        #expect(texts.count > 250)
    }
}
