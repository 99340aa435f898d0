import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@Suite("aibox llm models")
struct LLMModelsTests {
    @Test("what the policy permits, each with the price that counts; the project's list narrows it")
    func models() throws {
        let command = try BuiltCommand()
        let org = try command.folder.write(
            "org.yaml",
            """
            version: 1
            llm:
              models: ["claude-*", "gpt-5*", local]
              prices:
                - {model: "claude-opus-*", input: 15, output: 75, cached: 1.5}
                - {model: "claude-*", input: 3, output: 15, cached: 0.3, cache_write: 3.75, cache_write_1h: 6}
                - {model: "claude-late", input: 99, output: 99}
                - {model: "gpt-5-mini", input: 0.25, output: 2}
                - {model: "other-*", input: 1, output: 1}

            """)
        let project = try command.folder.write(
            "project.yaml", "version: 1\nllm: {models: [\"claude-opus-*\", local]}\n")
        let result = try command.run("llm", "models", "--org", org, "-o", "json")
        #expect(result.succeeded, "\(result.errorText)")
        let names = ["model", "input", "output", "cached", "cache_write", "cache_write_1h"]
        func rows(_ result: CommandResult) throws -> [[String]] {
            try JSONParser.parse(result.output).elements?.map { row in names.map { row[$0]?.stringValue ?? "-" } } ?? []
        }
        let none = ["-", "-", "-", "-", "-"]
        #expect(
            try rows(result) == [
                ["claude-*", "3.00", "15.00", "0.30", "3.75", "6.00"],
                ["claude-opus-*", "15.00", "75.00", "1.50", "15.00", "15.00"],
                ["gpt-5*"] + none, ["gpt-5-mini", "0.25", "2.00", "0.25", "0.25", "0.25"], ["local"] + none,
            ])
        let text = try command.run("llm", "models", "--org", org).text.split(separator: "\n")
        #expect(text.count == 5 && text.first == "claude-*\t3.00\t15.00\t0.30\t3.75\t6.00")
        #expect(text.last == "local\t-\t-\t-\t-\t-")
        let narrowed = try command.run("llm", "models", "--org", org, "--project", project, "-o", "json")
        #expect(try rows(narrowed).map { $0.first ?? "" } == ["claude-opus-*", "local"])
        // Nothing is permitted that nobody permits.
        let empty = try command.folder.write("empty.yaml", "version: 1\n")
        let nothing = try command.run("llm", "models", "--org", empty)
        #expect(nothing.succeeded && nothing.errorText.contains("permits no model"))
        #expect(try command.run("llm", "models", "--org", org, "--name", "x").termination == .exited(64))
    }
}
