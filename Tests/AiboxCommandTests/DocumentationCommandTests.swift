import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Completion and manual pages")
struct DocumentationCommandTests {
    @Test("the completion script of bash offers commands and options")
    func bash() throws {
        let command = try BuiltCommand()
        let script = try command.folder.write("aibox.bash", try command.run("completion", "bash").text)
        let asked = #"""
            source "$1"; COMP_WORDS=(aibox st); COMP_CWORD=1; COMP_LINE="aibox st"; COMP_POINT=8; COMP_TYPE=9
            $(complete -p aibox | sed 's/.*-F \([^ ]*\).*/\1/') aibox st aibox; echo "${COMPREPLY[*]}"
            """#
        let result = try SystemCommandRunner().run(Command("bash", ["-c", asked, "bash", script]))
        #expect(result.text.contains("start") && result.text.contains("status"), "\(result.text) \(result.errorText)")
    }

    @Test("the prepared answer to --help is the parser's own")
    func help() throws {
        let command = try BuiltCommand()
        let prepared = try command.run("--help").text
        let own = try command.run("help").text
        #expect(prepared == own, "COLUMNS=80 aibox help > configs/help.txt")
    }

    @Test("every command has a manual page that mandoc accepts")
    func manual() throws {
        let command = try BuiltCommand()
        let folder = command.folder.path + "/man"
        #expect(try command.run("man", folder).succeeded)
        let pages = try Folder.names(folder).sorted()
        #expect(pages.contains("aibox.1") && pages.contains("aibox-config-set.1") && pages.count > 30)
        let lint = try SystemCommandRunner().run(
            Command("mandoc", ["-T", "lint", "-W", "error"] + pages.map { folder + "/" + $0 }))
        #expect(lint.succeeded, "\(lint.text) \(lint.errorText)")
        let page = try SystemCommandRunner().run(Command("mandoc", ["-T", "ascii", folder + "/aibox-start.1"])).text
        #expect(page.contains("workspace"))
    }
}
