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
            ("a pattern that only lets run", "{match: [\"/usr/bin/*\"], allow: true, risk: safe}", ""),
            (
                "the same beside a rule that says more",
                "{match: [\"/usr/bin/*\"], allow: true, risk: safe}, "
                    + "{match: [make, x], allow: false}", "/usr/bin/make kept"
            ),
            (
                "a pattern of which one command alone may run", "{match: [\"ma*\", x], allow: true, risk: safe}",
                "/usr/bin/make kept"
            ),
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
            ("/usr/bin/git", ["git-x", "push"], "review push"), ("/usr/bin/git", ["git-x", "status"], "allow git"),
            ("/usr/bin/git", ["git", "-C", "x", "push"], "review push"),
            ("/usr/bin/python3.11", ["python3.11", "-V"], "deny python"),
            ("/bin/busybox", ["wget", "x"], "deny wget"), ("/bin/busybox", ["/tmp/wget", "x"], "deny wget"),
            ("/bin/busybox", ["busybox", "wget", "x"], "deny wget"),
            ("/bin/busybox", ["busybox.old", "wget", "x"], "deny wget"), ("/bin/busybox", ["-wget"], "deny wget"),
            ("/bin/busybox", ["busybox", "/x/wget", "x"], "deny wget"),
            ("/bin/busybox", ["busybox", "busybox", "wget", "x"], "deny wget"),
            ("/bin/busybox", ["-busybox", "wget", "x"], "deny wget"),
            ("/bin/busybox", ["-/bin/busybox", "busyboxx", "wget", "x"], "deny wget"),
            ("/bin/busybox", ["busybox", "-x/wget", "x"], "deny wget"),
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

    private static func busyboxes(_ count: Int) -> [String] {
        [String](repeating: "busybox", count: count) + ["rm", "-rf"]
    }

    private static let told: [(path: String, told: String, links: [String])] = [
        ("/bin/busybox", "sh env wget rm ls busybox", []),
        ("/bin/busybox.static", "sh env wget rm ls", []), ("/bin/busybox-extras", "wget", []),
        ("/usr/bin/toybox", "[ env ls oneit rm wget", []),
        (
            "/usr/bin/coreutils", "Usage: coreutils --coreutils-prog=NAME\n [ env ls rm,\nUse: it",
            ["/usr/bin/[", "/usr/bin/env", "/usr/bin/ls", "/usr/bin/rm"]
        ),
    ]

    /// Files that are many programs, with what they tell of them.
    private static let many: [ToolFile] = told.map { entry in
        var file = ToolFile(paths: [entry.path], aliases: [entry.path] + entry.links)
        file.applets = MultiCall.applets(in: entry.told)
        return file
    }

    private static func answer(_ rules: String, _ path: String, _ argv: [String]) throws -> String {
        let policy = try policy(rules)
        guard let found = ToolCoverage(policy, files: many).programs.first(where: { $0.file.paths == [path] }) else {
            return "no gate"
        }
        let place = ToolPlan.Program(
            paths: found.file.paths, names: found.names, isMultiCall: found.isMultiCall, applets: found.applets,
            original: nil)
        let question = ToolQuestion(program: path, argv: argv, directory: "/workspace")
        do {
            let call = try ToolCall(question, place, length: 3)
            #expect(call.words == [path] + argv.dropFirst())
            let decider = PolicyDecider(
                policy, engine: try PolicyEngine(try PolicyDeciderTests.modules(), action: "tool"))
            let decision = decider.decide(call.question)
            return "\(decision.outcome) \(decision.rule)"
        } catch let error as ToolCall.Refusal {
            return "\(error)"
        }
    }

    @Test(
        "of many programs in one file the one that would run is judged, by the words behind its name",
        arguments: [
            ("a family's prefix is the file itself", "/bin/busybox.static", ["busyboxx", "wget", "x"], "deny wget"),
            ("also as a second word", "/bin/busybox.static", ["busybox.static", "busyboxx", "wget"], "deny wget"),
            ("and behind a dash", "/bin/busybox-extras", ["-busybox", "wget"], "deny wget"),
            ("a name of another is none of its programs", "/bin/busybox.static", ["toybox", "wget"], "unnamed"),
            ("its own words", "/bin/busybox", ["busybox", "busybox", "rm", "-rf", "/x"], "deny force"),
            ("and no others", "/bin/busybox", ["busybox", "busybox", "rm", "-i", "-rf"], "allow rm"),
            ("far behind", "/bin/busybox", busyboxes(9), "deny force"),
            (
                "farther than what is kept", "/bin/busybox",
                busyboxes(5000), "overlong"
            ),
            ("toybox, the same", "/usr/bin/toybox", ["-toyboxx", "toybox", "rm", "-rf", "/x"], "deny force"),
            ("toybox could follow a link", "/usr/bin/toybox", ["toybox", "/tmp/x", "y"], "unclear"),
            ("by its first word too", "/usr/bin/toybox", ["/tmp/x", "y"], "unclear"),
            ("toybox, another", "/usr/bin/toybox", ["toybox", "ls", "y"], "unnamed"),
            ("toybox, one that runs others", "/usr/bin/toybox", ["toybox", "oneit", "wget"], "running(\"oneit\")"),
            (
                "coreutils by an option", "/usr/bin/coreutils", ["coreutils", "--coreutils-prog=rm", "-rf"],
                "deny force"
            ),
            (
                "its name behind it", "/usr/bin/coreutils", ["coreutils", "--coreutils-prog=rm", "rm", "-rf"],
                "deny force"
            ),
            ("and what may run", "/usr/bin/coreutils", ["coreutils", "--coreutils-prog=rm", "rm", "-i"], "allow rm"),
            (
                "as an interpreter", "/usr/bin/coreutils",
                ["coreutils", "--coreutils-prog-shebang=rm", "/tmp/s", "-rf"], "deny force"
            ),
            ("a first word that is no program", "/usr/bin/coreutils", ["x", "--coreutils-prog=rm", "rm"], "unclear"),
            ("or one of what it tells", "/usr/bin/coreutils", ["Usage:", "--coreutils-prog=rm", "rm"], "unclear"),
            ("or the end of one", "/usr/bin/coreutils", ["x-rm", "f"], "unclear"),
            ("a second word", "/usr/bin/coreutils", ["coreutils", "rm", "-rf"], "deny force"),
            ("by its own name", "/usr/bin/coreutils", ["/usr/bin/rm", "-rf"], "deny force"),
            ("the others run", "/usr/bin/coreutils", ["[", "a"], "unnamed"),
            ("those that run others open a file", "/usr/bin/coreutils", ["env", "rm", "-rf"], "unnamed"),
        ])
    func many(why: String, path: String, argv: [String], expected: String) throws {
        let rules = """
            {id: wget, match: [wget], allow: false}, {id: rm, match: [rm], allow: true, risk: safe},
            {id: force, match: [rm, -rf], allow: false}
            """
        #expect(try Self.answer(rules, path, argv) == expected, "\(why)")
    }

    @Test(
        "a rule about the file itself lets none of its programs run others unasked",
        arguments: [
            (["busybox", "ls"], "allow all"), (["busybox", "wget", "x"], "deny wget"),
            (["busybox", "env", "wget", "x"], "running(\"env\")"),
            (["busybox", "sh", "-c", "wget x"], "running(\"sh\")"),
            (["busybox", "busybox", "env", "wget"], "running(\"env\")"), (["sh", "-c", "x"], "running(\"sh\")"),
            (["busybox", "mim"], "running(\"mim\")"), (["busybox", "bootchartd"], "running(\"bootchartd\")"),
        ])
    func itself(argv: [String], expected: String) throws {
        let rules = "{id: all, match: [busybox], allow: true, risk: safe}, {id: wget, match: [wget], allow: false}"
        #expect(try Self.answer(rules, "/bin/busybox", argv) == expected)
        // One that a rule names is that rule's to permit.
        let named = rules + ", {id: own, match: [sh], allow: true, risk: safe}"
        if argv.first == "sh" { #expect(try Self.answer(named, "/bin/busybox", argv) == "allow own") }
    }

    @Test("a first word of the caller's adds a reading, and takes none away")
    func suffix() throws {
        let policy = try Self.policy(
            "{id: all, match: [kubectl], allow: true, risk: safe}, {id: delete, match: [kubectl, delete], allow: false}"
        )
        let decider = PolicyDecider(policy, engine: try PolicyEngine(try PolicyDeciderTests.modules(), action: "tool"))
        let place = ToolPlan.Program(
            paths: ["/bin/kubectl"], names: ["/bin/kubectl"], isMultiCall: false, original: nil)
        for argv in [["kubectl-x", "delete", "ns"], ["kubectl-delete", "ns"], ["kubectl-get", "delete"]] {
            let call = try ToolCall(ToolQuestion(program: "/bin/kubectl", argv: argv, directory: "/"), place, length: 2)
            #expect(decider.decide(call.question).rule == "delete", "\(argv)")
        }
    }

    @Test(
        "where busybox is the shell, rules that only let its programs run hold nothing",
        arguments: [
            ("{match: [wget], allow: true, risk: safe}", false), ("{match: [wget], allow: false}", true),
            ("{match: [wget, x], allow: true, risk: safe}", true),
            ("{match: [wget], allow: true, risk: safe}, {match: [ls], allow: false}", true),
        ])
    func shell(rules: String, isHeld: Bool) throws {
        var file = ToolFile(paths: ["/bin/busybox"], aliases: ["/bin/busybox", "/bin/sh", "/bin/wget"])
        file.applets = ["ls", "sh", "wget"]
        let policy = try Self.policy(rules)
        let programs = ToolCoverage(policy, files: [file]).programs
        #expect(programs.isEmpty == !isHeld)
        #expect(programs.allSatisfy { ToolCoverage.impossible(policy, $0) != nil })
    }

    @Test(
        "what is asked without a sandbox about many programs in one file is what a gate asks",
        arguments: [
            (["busybox", "wget", "x"], "deny wget"), (["/bin/busybox", "busybox", "rm", "-rf"], "deny force"),
            (["busybox", "env", "wget"], "running(\"env\")"),
            (["coreutils", "--coreutils-prog=rm", "-rf"], "deny force"),
            (["busybox", "ls"], "nobody"), (["ls", "wget"], "nobody"), (["busybox"], "nobody"),
        ])
    func asked(argv: [String], expected: String) throws {
        let policy = try Self.policy(
            """
            {id: wget, match: [wget], allow: false}, {id: rm, match: [rm], allow: true, risk: safe},
            {id: force, match: [rm, -rf], allow: false}
            """)
        let decider = PolicyDecider(policy, engine: try PolicyEngine(try PolicyDeciderTests.modules(), action: "tool"))
        do throws(ToolCall.Refusal) {
            let question = try policy.multiCall(argv)
            let answer = question.map { decider.decide($0) }.map { "\($0.outcome) \($0.rule)" }
            #expect(answer ?? "nobody" == expected)
            if let question { #expect(policy.unasked(question) == nil) }
        } catch {
            #expect("\(error)" == expected)
        }
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
