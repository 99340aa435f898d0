import AiboxPolicy
import Testing

@testable import AiboxContainer

@Suite("Which programs an image has")
struct ToolSurveyTests {
    private static func survey(_ entries: [(String, String, String)], named: [String] = []) -> [ToolFile] {
        let text = entries.map { "\($0.0)\0\($0.1)\0\($0.2)\0" }.joined()
        return ToolSurvey(Array(text.utf8), named: named).files
    }

    @Test("a file has the names of its hard links, and of links that lead to it, whichever way")
    func names() {
        let files = Self.survey(
            [
                ("f", "1:7", "/usr/bin/git"), ("f", "1:7", "/usr/lib/git-core/git"), ("f", "1:8", "/usr/bin/odd\tname"),
                ("l", "/usr/lib/git-core/git-push", "git"), ("l", "/bin", "usr/bin"), ("l", "/opt/vcs", "../bin/git"),
                ("l", "/opt/a", "b"), ("l", "/opt/b", "a"), ("l", "/opt/gone", "/nowhere"),
                ("l", "/etc/alternatives/git", "/opt/vcs"),
            ], named: ["/bin/git", "/bin/none"])
        #expect(files.count == 2)
        #expect(files[0].paths == ["/usr/bin/git", "/usr/lib/git-core/git"])
        #expect(
            Set(files[0].aliases) == [
                "/usr/bin/git", "/usr/lib/git-core/git", "/usr/lib/git-core/git-push", "/opt/vcs",
                "/etc/alternatives/git", "/bin/git",
            ])
        #expect(files[1].aliases == ["/usr/bin/odd\tname"])
    }

    @Test("an empty or cut listing is no files, and no crash")
    func cut() {
        #expect(Self.survey([]).isEmpty)
        #expect(ToolSurvey(Array("f\u{0}1:7".utf8), named: ["/x"]).files.isEmpty)
    }
}
