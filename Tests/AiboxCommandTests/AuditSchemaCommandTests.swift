import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@Suite("The JSON schema of audit events")
struct AuditSchemaCommandTests {
    private static let schema = Path.parent(Path.parent(Path.parent(#filePath))) + "/configs/audit-event.schema.json"

    @Test(
        "a validator accepts the events of a log as they stand there, and refuses them without a part or with a false one"
    )
    func events() throws {
        let command = try BuiltCommand()
        let org = try command.folder.write("org.yaml", "version: 1\nruntime:\n  engine: gvisor\n")
        try Folder.make(command.folder.path + "/.ssh/project")
        let refused = try command.run(
            "start", "-w", command.folder.path + "/.ssh/project", variables: ["AIBOX_POLICY_ORG_BASELINE_PATH": org])
        #expect(refused.termination == .exited(2))
        let log = command.folder.path + "/state/aibox/audit"
        let files = try Folder.names(log).filter { $0.hasPrefix("events-") }.sorted()
        let events = try files.flatMap { name in
            try File.text(log + "/" + name).split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
        }
        #expect(events.count >= 2)
        #expect(try SchemaValidator.answers(schema: Self.schema, events.map(\.text)).allSatisfy { $0 == nil })
        var broken: [JSONValue] = []
        for event in events {
            guard case .object(let whole) = event else { continue }
            for name in ["seq", "id", "time", "type"] {
                var part = whole
                part[name] = nil
                broken.append(.object(part))
                part[name] = ["no": "such"]
                broken.append(.object(part))
            }
            var other = whole
            other["type"] = "no.such"
            broken.append(.object(other))
        }
        let answers = try SchemaValidator.answers(schema: Self.schema, broken.map(\.text))
        for (event, answer) in zip(broken, answers) { #expect(answer != nil, "\(event.text)") }
    }
}
