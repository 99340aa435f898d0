import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxContainer

@Suite("Questions are told elsewhere, within bounds")
struct ApprovalNoticeTests {
    static func question(_ id: String, _ argv: [String] = ["git", "push"]) -> ApprovalQuestion {
        ApprovalQuestion(
            id: id, program: "/usr/bin/git", argv: argv, directory: "/workspace", rule: "push", layer: "org",
            policy: "p", waiting: 1, left: 60)
    }

    private static func questions(_ count: Int, from start: Int = 0) -> [(sandbox: String, question: ApprovalQuestion)]
    {
        (start..<start + count).map { ("web", question("id\($0)")) }
    }

    @Test("a question is shown once; of many, one notice tells; what is answered meanwhile is not shown")
    func desktop() {
        var notices = ApprovalNotices(now: 1000)
        notices.see(Self.questions(2))
        #expect(notices.notice(now: 1000) == .one(.init(sandbox: "web", id: "id0")))
        #expect(notices.notice(now: 1000) == .one(.init(sandbox: "web", id: "id1")))
        #expect(notices.notice(now: 1000) == nil)
        notices.see(Self.questions(2))
        #expect(notices.notice(now: 1001) == nil, "it was shown")
        // A flood: what the burst has left, one notice for the rest, and then one in a while.
        var shown = 0
        for second in 0..<150 {
            notices.see(Self.questions(16, from: 100 + second * 16))
            while notices.notice(now: 1002 + Int64(second)) != nil { shown += 1 }
        }
        #expect((2...13).contains(shown), "\(shown)")
        notices.see([])
        #expect(notices.notice(now: 9999) == nil)
    }

    @Test("a webhook gets each question; one that takes nothing is asked ever more seldom, and not for ever")
    func webhook() throws {
        var notices = ApprovalNotices(now: 0)
        notices.see(Self.questions(2))
        let first = try #require(notices.message(now: 0))
        notices.sent(first, isTaken: true, now: 0)
        let second = try #require(notices.message(now: 0))
        #expect(first != second)
        notices.sent(second, isTaken: true, now: 0)
        #expect(notices.message(now: 0) == nil)
        notices.see(Self.questions(4))
        var (times, now): ([Int64], Int64) = ([], 0)
        while now < 100_000 {
            if let key = notices.message(now: now) {
                times.append(now)
                notices.sent(key, isTaken: false, now: now)
            }
            now += 1
        }
        #expect(times.count == 2 * ApprovalNotices.tries && times.prefix(4) == [0, 1, 3, 7], "\(times)")
        notices.see(Self.questions(5))
        let last = try #require(notices.message(now: now))
        #expect(last.id == "id4")
        notices.see([])
        #expect(notices.message(now: now + 1000) == nil, "who has an answer needs none")
    }

    @Test("never more is kept in mind than the limit")
    func bounded() {
        var notices = ApprovalNotices(now: 0)
        notices.see(Self.questions(5000))
        #expect(notices.notice(now: 0) == .several(ApprovalNotices.limit))
    }

    @Test(
        "what looks like a secret does not leave the machine",
        arguments: [
            (["curl", "--token", "abc", "x"], ["curl", "--token", "***", "x"]),
            (["curl", "--token=abc"], ["curl", "--token=***"]),
            (["env", "DB_PASSWORD=abc", "run"], ["env", "DB_PASSWORD=***", "run"]),
            (["curl", "-H", "Authorization: Bearer abc"], ["curl", "-H", "Authorization: ***"]),
            (["curl", "-HX-Api-Key: abc"], ["curl", "-HX-Api-Key: ***"]),
            (["git", "clone", "https://u:pw@h.example/x"], ["git", "clone", "https://***@h.example/x"]),
            (["git", "clone", "https://u:p@w@h.example/x"], ["git", "clone", "https://***@h.example/x"]),
            (["x", "ghp_0123456789abcdef0123"], ["x", "***"]),
            (["x", "--h=a:sk-0123456789abcdef,b"], ["x", "--h=a:***,b"]),
            (["git", "push", "origin", "main"], ["git", "push", "origin", "main"]),
            (["git", "show", "0123456789abcdef0123456789abcdef01234567"], nil),
            (["git", "push", "--token", "--force"], ["git", "push", "--token", "***"]),
            (["x", "-token", "abc"], ["x", "-token", "***"]),
            (
                ["git", "-c", "http.extraHeader=Authorization: Basic YTpi"],
                ["git", "-c", "http.extraHeader=Authorization: ***"]
            ),
            (["wget", "--header=Authorization: Bearer abc"], ["wget", "--header=Authorization: ***"]),
            (["wget", "--header=X: bearer abc def"], ["wget", "--header=X: bearer *** def"]),
            (["curl", "https://h/?access_token=abc&a=b"], ["curl", "https://h/?access_token=***&a=b"]),
            (["sh", "-c", "A=1 TOKEN=abc run"], ["sh", "-c", "A=1 TOKEN=*** run"]),
            (["x", "X-Sig: 1; password=abc"], ["x", "X-Sig: 1; password=***"]),
            (["x", "a=b:c=d"], nil), (["x", "--token="], nil),
            (["x", "user@host:path"], nil), (["x", "https://token.example/a:b"], nil),
        ] as [([String], [String]?)])
    func masks(argv: [String], told: [String]?) {
        let (words, hasHidden) = ArgumentMask.masked(argv)
        #expect(words == told ?? argv)
        #expect(hasHidden == (words != argv))
    }

    @Test("a notice has no markup, no control character and no escape of its own, and the message is bounded")
    func hostile() {
        let argv = [
            "--help", "<b>bold</b>&amp;<a href=\"x\">", "\u{1b}]0;title\u{7}", "\\033[31m\\n", "a\nb", "\u{202e}x",
            String(repeating: "y", count: 100_000),
        ]
        let message = ApprovalMessage(
            sandbox: "web", question: Self.question("1", argv), now: Timestamp(seconds: 0))
        let (summary, body) = message.desktop
        #expect(summary == "aibox: web waits for your answer")
        #expect(!body.contains("<") && !body.contains(">") && body.utf8.count < 4096)
        #expect(
            body.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7f && $0.value != 0x202e })
        #expect(body.split(separator: "\n").count == 3)
        // A backslash is a pair of them, in whatever came in.
        #expect(body.replacing("\\\\", with: "").contains("\\") == false)
        #expect(body.contains("&lt;b&gt;bold&lt;/b&gt;&amp;amp;"))
        let many = ApprovalMessage(
            sandbox: "web",
            question: Self.question("1", [String](repeating: String(repeating: "z", count: 5000), count: 999)),
            now: Timestamp(seconds: 0))
        #expect(many.json.bytes.count < 80_000 && many.json["cut"]?.truth == true)
        #expect(many.json["expires"]?.stringValue == "1970-01-01T00:01:00.000000000Z")
    }
}
