import AiboxSystem
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("Where the gate for tools stands, and what it asks")
struct ToolCallTests {
    private static func policy(_ rules: String) throws -> EffectivePolicy {
        let text = "version: 1\ntools: {rules: [\(rules)]}\n"
        return try EffectivePolicy(
            organisation: try PolicyDocument(Array(text.utf8), layer: .org, file: "org"), day: "2026-11-22")
    }

    private static let files = [
        ToolFile(paths: ["/usr/bin/curl"], aliases: ["/usr/bin/curl"]),
        ToolFile(
            paths: ["/usr/bin/git", "/usr/lib/git-core/git"],
            aliases: ["/usr/bin/git", "/usr/lib/git-core/git", "/usr/lib/git-core/git-push"]),
        ToolFile(paths: ["/usr/bin/python3.11"], aliases: ["/usr/bin/python3.11", "/usr/bin/python3"]),
        ToolFile(paths: ["/bin/busybox"], aliases: ["/bin/busybox", "/bin/wget", "/bin/ls"]),
        ToolFile(paths: ["/usr/bin/make"], aliases: ["/usr/bin/make"]),
        ToolFile(paths: ["/usr/bin/dash"], aliases: ["/usr/bin/dash", "/usr/bin/sh"]),
    ]
    private static let git = "{match: [git], allow: true, risk: safe}"

    @Test(
        "it stands where a rule names a file by any of its names, and keeps what may run",
        arguments: [
            ("a denied program is not there at all", "{match: [curl], allow: false}", "/usr/bin/curl denied"),
            ("a rule that lets it run asks for one as well", git, "/usr/bin/git /usr/lib/git-core/git kept"),
            (
                "one that lets a command of it run", "{match: [make, test], allow: true, risk: safe}",
                "/usr/bin/make kept"
            ),
            ("a rule that lets everything run names nothing", "{match: [\"*\"], allow: true, risk: safe}", ""),
            (
                "nor does it beside others", "{match: [\"*\"], allow: true, risk: safe}, {match: [curl], allow: false}",
                "/usr/bin/curl kept"
            ),
            ("what every session begins with, only let run", "{match: [sh], allow: true, risk: safe}", ""),
            ("the same under another name of the file", "{match: [dash], allow: true, risk: safe}", ""),
            ("of which a command is denied", "{match: [sh, -c], allow: false}", "/usr/bin/dash denied"),
            (
                "of which one command alone may run", "{match: [dash, -n], allow: true, risk: safe}",
                "/usr/bin/dash kept"
            ),
            (
                "under every name of a file", "\(git), {match: [git, push], allow: false}",
                "/usr/bin/git /usr/lib/git-core/git kept"
            ),
            ("by a name that is a link", "{match: [python3], allow: false}", "/usr/bin/python3.11 denied"),
            ("by its path", "{match: [/usr/bin/python3], allow: false}", "/usr/bin/python3.11 denied"),
            ("not by another path", "{match: [/opt/python3], allow: false}", ""),
            ("by a pattern", "{match: [\"py*\"], allow: false}", "/usr/bin/python3.11 denied"),
            ("one of many programs in a file", "{match: [wget], allow: false}", "/bin/busybox kept"),
            (
                "a review may let it run", "{match: [make], allow: true, risk: review-required}",
                "/usr/bin/make kept"
            ),
        ])
    func coverage(why: String, rules: String, expected: String) throws {
        let policy = try Self.policy(rules)
        let coverage = ToolCoverage(policy, files: Self.files)
        let words = coverage.programs.map { "\($0.file.paths.joined(separator: " ")) \($0.canRun ? "kept" : "denied")" }
        #expect(words.joined(separator: ", ") == expected, "\(why)")
        #expect(ToolCoverage.isNeeded(policy) == (why != "a rule that lets everything run names nothing"))
        let isImpossible = coverage.programs.contains { ToolCoverage.impossible(policy, $0) != nil }
        #expect(isImpossible == expected.hasPrefix("/usr/bin/dash"), "\(why)")
    }

    @Test(
        "what becomes of rules about programs that every session begins with is said beforehand",
        arguments: [
            ("{id: a, match: [git], allow: true, risk: safe}", []),
            (
                "{id: a, match: [\"*sh\"], allow: true, risk: safe}",
                [
                    "nobody is asked about bash, dash, sh: every session begins with it, and the rule a only lets it run (org:2)"
                ]
            ),
            (
                "{id: a, match: [sh], allow: true, risk: safe}, {id: b, match: [sh, -c, x], allow: false}",
                [
                    "with the rule b no sandbox starts whose image has sh: every session begins with it, "
                        + "and the gate for tools cannot stand there (org:2)"
                ]
            ),
            ("{id: a, match: [\"*\"], allow: true, risk: safe}", []),
        ])
    func beginning(rules: String, expected: [String]) throws {
        let notes = try Self.policy(rules).notes.filter { $0.contains("every session begins") }
        #expect(notes == expected)
    }

    @Test("why the gate cannot stand somewhere names the program that is meant, where it is another name of the file")
    func impossible() throws {
        let policy = try Self.policy("{id: no-wget, match: [wget], allow: false}")
        func why(_ aliases: [String]) throws -> String? {
            var file = ToolFile(paths: ["/bin/busybox"], aliases: aliases)
            file.applets = ["sh", "wget"]
            let program = try #require(ToolCoverage(policy, files: [file]).programs.first)
            return ToolCoverage.impossible(policy, program).map { "\($0.name): \($0.why)" }
        }
        let words = "every session begins with it; the rule no-wget names wget, which is the same file, (org:2)"
        #expect(try why(["/bin/busybox", "/bin/sh", "/bin/wget"]) == "/bin/sh: " + words)
        // Linked or not, it is in the file.
        #expect(try why(["/bin/busybox", "/bin/sh"]) == "/bin/sh: " + words)
        #expect(try why(["/bin/busybox", "/bin/wget"]) == nil)
    }

    private static let rules = """
        {id: curl, match: [curl], allow: false}, {id: git, match: [git], allow: true, risk: safe},
        {id: push, match: [git, push], allow: true, risk: review-required}, {id: wget, match: [wget], allow: false},
        {id: python, match: [python3], allow: false}
        """

    @Test(
        "whatever the caller puts as the first word, the program's own names count",
        arguments: [
            ("/usr/bin/curl", ["curl", "x"], "deny curl"), ("/usr/bin/curl", ["git", "x"], "deny curl"),
            ("/usr/bin/curl", [""], "deny curl"), ("/usr/bin/git", ["git", "status"], "allow git"),
            ("/usr/bin/git", ["git", "push"], "review push"), ("/usr/bin/git", ["x", "push"], "review push"),
            ("/usr/bin/git", ["/usr/lib/git-core/git-push", "x"], "review push"),
            ("/usr/bin/git", ["git-", "push"], "review push"),
            ("/usr/bin/git", ["git-rev-list", "push"], "allow git"),
            ("/usr/bin/git", ["git", "-C", "x", "push"], "review push"),
            ("/usr/bin/python3.11", ["python3.11", "-V"], "deny python"),
            ("/bin/busybox", ["wget", "x"], "deny wget"), ("/bin/busybox", ["/tmp/wget", "x"], "deny wget"),
            ("/bin/busybox", ["busybox", "wget", "x"], "deny wget"),
            ("/bin/busybox", ["busybox.old", "wget", "x"], "deny wget"), ("/bin/busybox", ["-wget"], "deny wget"),
            ("/bin/busybox", ["busybox", "/x/wget", "x"], "deny wget"),
            ("/bin/busybox", ["busybox", "busybox", "wget", "x"], "deny wget"),
            ("/bin/busybox", ["coreutils", "--coreutils-prog=wget", "x"], "deny wget"),
            ("/bin/busybox", ["ls"], "unnamed"), ("/bin/busybox", ["busybox", "ls"], "unnamed"),
            ("/bin/busybox", ["busybox", "--list"], "unnamed"), ("/bin/busybox", ["busybox"], "unnamed"),
            ("/bin/busybox", ["sh", "-c", "wget"], "running"), ("/bin/busybox", ["busybox", "ash"], "running"),
            ("/bin/busybox", ["busybox", "env", "wget"], "running"),
            ("/bin/busybox", ["busybox", "--install", "-s", "/tmp"], "running"),
        ])
    func names(path: String, argv: [String], expected: String) throws {
        let policy = try Self.policy(Self.rules)
        let decider = PolicyDecider(policy, engine: try PolicyEngine(try PolicyDeciderTests.modules(), action: "tool"))
        let found = ToolCoverage(policy, files: Self.files).programs.first { $0.file.paths.contains(path) }
        let program = try #require(found)
        let place = ToolPlan.Program(
            paths: program.file.paths, names: program.names, isMultiCall: program.isMultiCall, original: nil)
        let question = ToolQuestion(program: path, argv: argv, directory: "/workspace")
        let call: ToolCall
        do throws(ToolCall.Refusal) { call = try ToolCall(question, place, length: 2) } catch {
            #expect("\(error)".hasPrefix(expected), "\(argv)")
            return
        }
        let decision = decider.decide(call.question)
        #expect("\(decision.outcome) \(decision.rule)" == expected, "\(argv) \(call.called) \(decision)")
    }

    @Test(
        "of many programs in one file those are asked about that rules name, linked or not",
        arguments: [
            ("{match: [wget], allow: false}", "/bin/busybox/wget"), ("{match: [curl], allow: false}", ""),
            ("{match: [/bin/wget], allow: false}", ""), ("{match: [busybox], allow: false}", "/bin/busybox"),
            ("{match: [sh], allow: true, risk: safe}", ""),
            (
                "{match: [sh], allow: true, risk: safe}, {match: [\"w*\"], allow: false}",
                "/bin/busybox/sh /bin/busybox/wget"
            ),
        ])
    func applets(rules: String, expected: String) throws {
        var file = ToolFile(paths: ["/bin/busybox"], aliases: ["/bin/busybox"])
        file.applets = ["ls", "sh", "wget"]
        let programs = ToolCoverage(try Self.policy(rules), files: [file]).programs
        #expect(programs.map { $0.names.joined(separator: " ") } == (expected.isEmpty ? [] : [expected]))
    }

    @Test(
        "a rule about a command of a program that forbids the whole program is noted",
        arguments: [
            ("{match: [git, push], allow: false}", "git push"),
            ("{match: [git, push], allow: true, risk: review-required}", "git push"),
            ("\(git), {match: [git, push], allow: false}", ""), ("{match: [git], allow: false}", ""),
            ("{match: [git, push], allow: false}, {match: [git], allow: false}", ""),
            ("{match: [git, push], allow: false}, {match: [git, log], allow: true, risk: safe}", ""),
            ("{match: [git, push], allow: false}, {match: [git, fetch], allow: false}", "git push"),
            ("{match: [\"*\"], allow: true, risk: safe}, {match: [git, push], allow: false}", ""),
        ])
    func whole(rules: String, expected: String) throws {
        let notes = try Self.policy(rules).notes
        #expect(notes.count == (expected.isEmpty ? 0 : 1), "\(notes)")
        #expect(
            expected.isEmpty || notes.first?.contains("about \(expected), and no rule lets any other git run") == true)
    }

    @Test("a long command line is judged by its beginning, and one with a long beginning not at all")
    func long() throws {
        let place = ToolPlan.Program(paths: ["/bin/rm"], names: ["/bin/rm"], isMultiCall: false, original: nil)
        let many = ["rm"] + [String](repeating: "file", count: 20_000)
        let call = try ToolCall(ToolQuestion(program: "/bin/rm", argv: many, directory: "/"), place, length: 3)
        #expect(call.argv.count > 1000 && call.argv.count < 4000 && call.argv[0] == "/bin/rm")
        let hiding = ["rm", "-x" + String(repeating: "x", count: 20_000), "push"]
        #expect(throws: ToolCall.Refusal.overlong) {
            try ToolCall(ToolQuestion(program: "/bin/rm", argv: hiding, directory: "/"), place, length: 3)
        }
    }
}
