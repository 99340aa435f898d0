import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Files that aibox policy reads")
struct PolicyFileTests {
    private func run(
        _ command: BuiltCommand, _ arguments: [String], _ variables: [String: String] = [:]
    ) throws -> CommandResult {
        try SystemCommandRunner().run(
            Command(
                BuiltCommand.path, arguments, environment: command.environment.merging(variables) { $1 },
                directory: command.folder.path), timeout: .seconds(30))
    }

    private func make(_ command: BuiltCommand, _ script: String) throws {
        let made = try SystemCommandRunner().run(Command("sh", ["-euc", script], directory: command.folder.path))
        try #require(made.succeeded, "\(made.errorText)")
    }

    @Test(
        "a project's policy that is no ordinary file in the folder is refused unread by every command, as by start",
        arguments: [
            "mkfifo aibox/policy.yaml", "ln -s /etc/passwd aibox/policy.yaml", "mkdir aibox/policy.yaml",
            "rmdir aibox; ln -s /etc aibox; ln -s /etc/passwd policy.yaml",
        ])
    func disguised(script: String) throws {
        let command = try BuiltCommand()
        try make(command, "mkdir aibox; \(script)")
        // A link of the folder leads out of it: any file there will do.
        let settings = script.hasPrefix("rmdir") ? ["AIBOX_POLICY_PROJECT_POLICY_PATH": "aibox/passwd"] : [:]
        for arguments in [
            ["policy", "show"], ["policy", "validate"], ["policy", "why", "llm", "x"], ["llm", "models"],
            ["policy", "diff", "--with-team", "/dev/null"],
        ] {
            let said = try run(command, arguments, settings)
            #expect(said.termination == .exited(2), "\(arguments): \(said.errorText)")
            #expect(said.errorText.contains("not an ordinary file"), "\(arguments): \(said.errorText)")
            #expect(!said.errorText.contains("root:"))
        }
    }

    @Test("a file that is named is an ordinary one, whichever option names it")
    func named() throws {
        let command = try BuiltCommand()
        try make(command, "mkfifo pipe; echo 'version: 1' > good.yaml; ln -s good.yaml link.yaml")
        for arguments in [
            ["show", "--org", "pipe"], ["show", "--org", "good.yaml", "--team", "pipe"],
            ["validate", "--org", "good.yaml", "--project", "/dev/zero"], ["diff", "good.yaml", "pipe"],
            ["diff", "pipe", "good.yaml"], ["diff", "--org", "good.yaml", "--with-team", "pipe"],
            ["replay", "--with-project", "pipe"],
        ] {
            let said = try run(command, ["policy"] + arguments)
            #expect(said.termination == .exited(2), "\(arguments): \(said.errorText)")
            #expect(said.errorText.contains("it is not an ordinary file"), "\(arguments): \(said.errorText)")
        }
        for variable in ["AIBOX_POLICY_ORG_BASELINE_PATH", "AIBOX_POLICY_TEAM_POLICY_PATH"] {
            let said = try run(command, ["policy", "show"], [variable: command.folder.path + "/pipe"])
            #expect(said.termination == .exited(2) && said.errorText.contains("it is not an ordinary file"))
        }
        #expect(try run(command, ["policy", "fmt", "pipe"]).errorText.contains("it is not an ordinary file"))
        #expect(try run(command, ["policy", "show", "--org", "link.yaml"]).succeeded)
    }

    @Test("a file that is missing is the same error on both sides of a difference")
    func missing() throws {
        let command = try BuiltCommand()
        try make(command, "echo 'version: 1' > org.yaml")
        for (arguments, name) in [
            (["nofile", "org.yaml"], "A"), (["org.yaml", "nofile"], "B"),
            (["--org", "org.yaml", "--with-org", "nofile"], "--with-org"),
        ] {
            let said = try run(command, ["policy", "diff"] + arguments)
            #expect(said.termination == .exited(2))
            #expect(
                said.errorText.contains(
                    "the organisation's policy is missing: there is no nofile: \(name) names it"), "\(said.errorText)")
        }
    }

    @Test(
        "what makes no sense ends with status 64 and the words of the command that was asked",
        arguments: [
            (["log", "--limit", "0"], "log"), (["log", "--since", "bla"], "log"), (["why", "llm", ""], "why llm"),
            (["why", "mcp", "", ""], "why mcp"), (["why", "mcp", "lab", ""], "why mcp"),
            (["why", "push", ""], "why push"),
            (["why", "file", ""], "why file"), (["why", "tool", "--", ""], "why tool"), (["why", "tool"], "why tool"),
        ])
    func senseless(arguments: [String], name: String) throws {
        let said = try run(try BuiltCommand(), ["policy"] + arguments)
        #expect(said.termination == .exited(64), "\(said.text) \(said.errorText)")
        #expect(said.errorText.contains("aibox policy \(name) "), "\(said.errorText)")
    }
}
