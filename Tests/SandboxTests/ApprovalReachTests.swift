import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes.ApprovalTests {
    private static func answer(_ fixture: SandboxFixture, _ words: String...) throws -> CommandResult {
        try SystemCommandRunner().run(fixture.aibox.command(["approvals"] + words))
    }

    /// A `git tag -l` that waits, and the question's id.
    private static func asked(
        _ fixture: SandboxFixture, _ name: String, _ command: String = "git tag -l", in folder: String = "/workspace/r"
    ) throws -> String {
        try call(fixture, name, command, in: folder)
        return try #require(try question(fixture)["id"]?.stringValue)
    }

    private static func repository(_ fixture: SandboxFixture) throws {
        #expect(try fixture.shell("git", "init", "-q", "-b", "main", "/workspace/r").succeeded)
    }

    @Test(
        "a question is shown in full, is answered by its id alone, once, and by one person",
        arguments: SandboxFixture.Engine.allCases)
    func shown(engine: SandboxFixture.Engine) throws {
        let fixture = try SandboxFixture(engine: engine, policy: Self.policy(engine))
        try fixture.start()
        try Self.repository(fixture)
        let id = try Self.asked(fixture, "first", "git tag -l \"a b\"")
        let listed = try #require(try Self.open(fixture).first)
        #expect(listed["sandbox"]?.stringValue == fixture.name && listed["rule"] == "tag" && listed["waiting"] == 1)
        #expect(listed["command"]?.stringValue == "git tag -l 'a b'" && listed["directory"] == "/workspace/r")
        #expect((1...40).contains(listed["seconds_left"]?.wholeNumber ?? 0))
        let shown = try JSONParser.parse(try Self.answer(fixture, "show", id, "-o", "json").output)
        #expect(shown["argv"]?.elements?.compactMap(\.stringValue) == ["git", "tag", "-l", "a b"], "\(shown)")
        #expect(
            shown["program"]?.stringValue == "/usr/bin/git" && shown["layer"] == "org" && shown["id"] == listed["id"])
        #expect(shown["policy"]?.stringValue?.count == 64)
        let text = try Self.answer(fixture, "show", String(id.prefix(5)))
        for words in [id, fixture.name, "git tag -l 'a b'", "/workspace/r", "/usr/bin/git"] {
            #expect(text.text.contains(words), "\(words): \(text.text)")
        }
        let table = try Self.answer(fixture, "list").text
        #expect(table.contains("\(id)\t\(fixture.name)\tgit tag -l 'a b'\t/workspace/r\ttag\t1\t"), "\(table)")

        // An id that nobody gave; this id at another sandbox.
        for verb in ["show", "approve", "deny"] {
            let unknown = try Self.answer(fixture, verb, id == "ffffffff" ? "fffffffe" : "ffffffff")
            #expect(unknown.termination == .exited(1) && unknown.text.isEmpty)
            #expect(unknown.errorText.contains("no such question is open"), "\(unknown.errorText)")
        }
        let other = fixture.name + "b"
        try Folder.make(fixture.folder.path + "/other")
        let started = try fixture.aibox.run("start", "-w", fixture.folder.path + "/other", "--name", other)
        try #require(started.succeeded, "\(started.errorText)")
        for verb in ["show", "approve", "deny"] {
            let elsewhere = try Self.answer(fixture, verb, id, "--name", other)
            #expect(elsewhere.termination == .exited(1))
            #expect(
                elsewhere.errorText.contains("it was asked in the sandbox \(fixture.name), and no answer"),
                "\(elsewhere.errorText)")
        }
        #expect(try fixture.aibox.run("stop", "--name", other).succeeded)
        #expect(try Self.open(fixture).count == 1 && !Self.said(fixture, "first").contains("ended"))

        #expect(try Self.answer(fixture, "deny", id, "--reason", "not today").succeeded)
        let denied = Self.ended(fixture, "first")
        #expect(denied.contains("says no: not today") && denied.hasSuffix("ended 126\n"), "\(denied)")
        let again = try Self.answer(fixture, "approve", id)
        #expect(again.termination == .exited(1) && again.errorText.contains(" denied it at "), "\(again.errorText)")

        // Two at once: one answer counts, and the other person is told so.
        let both = try Self.asked(fixture, "both")
        let people = try ["approve", "deny"].map { verb in
            try ChildProcess.start(fixture.aibox.command(["approvals", verb, both]), descriptors: [-1, 2, 2])
        }
        let ends = try people.map { try $0.wait() }
        #expect(ends.filter { $0 == .exited(0) }.count == 1 && ends.filter { $0 == .exited(1) }.count == 1, "\(ends)")
        let end = Self.ended(fixture, "both")
        #expect(end.hasSuffix(ends[0] == .exited(0) ? "ended 0\n" : "ended 126\n"), "\(end)")
        let log = try fixture.aibox.run("audit", "search", "--type", "approval.decide", "--text", both, "-o", "jsonl")
        #expect(log.text.split(separator: "\n").count == 1, "\(log.text)")
    }

    @Test(
        "an answer holds for its time, for the same words and folder, and until the gateway ends, however it ends",
        arguments: SandboxFixture.Engine.allCases)
    func reach(engine: SandboxFixture.Engine) throws {
        let fixture = try SandboxFixture(engine: engine, policy: Self.policy(engine))
        try fixture.start()
        try Self.repository(fixture)
        func passes(_ name: String) throws {
            try Self.call(fixture, name, "git tag -l", in: "/workspace/r")
            #expect(Self.ended(fixture, name).hasSuffix("ended 0\n"), "\(name): \(Self.said(fixture, name))")
        }

        // For a time.
        let timed = try Self.asked(fixture, "timed")
        let until = ContinuousClock.now + .seconds(11)
        #expect(try Self.answer(fixture, "approve", timed, "--for", "10s").succeeded)
        #expect(Self.ended(fixture, "timed").hasSuffix("ended 0\n"))
        try passes("within")
        while ContinuousClock.now < until { usleep(100_000) }
        let anew = try Self.asked(fixture, "anew")
        #expect(anew != timed)

        // For the session: another word and another folder are asked about anew.
        let digest = try JSONParser.parse(try Self.answer(fixture, "show", anew, "-o", "json").output)["policy"]
        #expect(try Self.answer(fixture, "approve", anew, "--session").succeeded)
        #expect(Self.ended(fixture, "anew").hasSuffix("ended 0\n"))
        try passes("session")
        let word = try Self.asked(fixture, "word", "git tag -l x")
        try Self.call(fixture, "folder", "git tag -l", in: "/workspace")
        for _ in 0..<150 where try Self.open(fixture).count < 2 { usleep(100_000) }
        #expect(
            try Self.open(fixture).compactMap { $0["directory"]?.stringValue }.sorted() == [
                "/workspace", "/workspace/r",
            ])

        // A gateway that is killed takes questions and answers along, and nothing goes on.
        let pid = try #require(try fixture.status()["gateway_pid"]?.wholeNumber)
        kill(pid_t(truncatingIfNeeded: pid), SIGKILL)
        usleep(300_000)
        let left = try Self.answer(fixture, "list", "-o", "json")
        #expect(left.text == "[]" && left.errorText.contains("cut the sandbox off"), "\(left.text) \(left.errorText)")
        let lost = try Self.answer(fixture, "approve", word)
        #expect(
            lost.termination == .exited(1) && lost.errorText.contains("no answer is written down"), "\(lost.errorText)")
        for name in ["word", "folder"] { #expect(!Self.said(fixture, name).contains("ended 0"), "\(name)") }
        try fixture.start()
        #expect(try Self.open(fixture).isEmpty)
        let second = try Self.asked(fixture, "second")
        #expect(try Self.answer(fixture, "approve", word).termination == .exited(1))
        #expect(try Self.answer(fixture, "approve", second, "--session").succeeded)
        #expect(Self.ended(fixture, "second").hasSuffix("ended 0\n"))
        try passes("third")

        // Nor does an answer outlive a stop; another policy is another question.
        #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
        let more = Self.policy(engine) + "    - {id: note, match: [git, notes], allow: false}\n"
        try fixture.aibox.home.write("org-policy.yaml", more)
        try fixture.start()
        let last = try Self.asked(fixture, "last")
        let other = try JSONParser.parse(try Self.answer(fixture, "show", last, "-o", "json").output)["policy"]
        #expect(other != nil && other != digest && last != second)
        #expect(try Self.answer(fixture, "deny", last).succeeded)
        #expect(Self.ended(fixture, "last").hasSuffix("ended 126\n"))
    }
}
