import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("aibox audit falco")
struct AuditFalcoTests {
    @Test("alerts from standard input are in the log, and what is none is named and counted")
    func taken() throws {
        let command = try BuiltCommand()
        let alert =
            #"{"rule":"aibox ptrace","output":"seen","priority":"Critical","output_fields":{"container.name":"aibox-dev"}}"#
        let script = "printf '%s\\n' \"$2\" 'no alert' \"$2\" | \"$1\" audit falco"
        let result = try SystemCommandRunner().run(
            Command("sh", ["-c", script, "sh", BuiltCommand.path, alert], environment: command.environment))
        #expect(result.termination == .exited(1) && result.errorText.contains("line 2"), "\(result.errorText)")
        let found = try command.run("audit", "search", "--sandbox", "dev", "--type", "falco.alert", "-o", "jsonl")
        #expect(found.text.split(separator: "\n").count == 2, "\(found.text) \(found.errorText)")
        #expect(try command.run("audit", "verify").succeeded)
    }
}
