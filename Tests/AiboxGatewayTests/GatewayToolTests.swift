import AiboxAudit
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import NIOCore
import Testing

@testable import AiboxGateway

/// The door at which gates ask about tools.
@Suite("Gateway tools", .serialized)
struct GatewayToolTests {
    private static func plan() throws -> ToolPlan {
        let text = """
            version: 1
            tools:
              rules:
                - {id: curl, match: [curl], allow: false}
                - {id: git, match: [git], allow: true, risk: safe}
                - {id: push, match: [git, push], allow: true, risk: review-required}

            """
        let policy = try EffectivePolicy(
            organisation: try PolicyDocument(Array(text.utf8), layer: .org, file: "org"), day: "2026-11-22")
        let folder = Path.parent(Path.parent(Path.parent(#filePath))) + "/aibox-policies/org"
        let modules = PolicyModules(
            try Folder.names(folder).sorted().map { .init(name: $0, text: try File.read(folder + "/" + $0)) })
        return ToolPlan(
            policy: policy.decisionDocument, modules: modules.json,
            programs: [
                .init(paths: ["/usr/bin/curl"], names: ["/usr/bin/curl"], isMultiCall: false, original: nil),
                .init(paths: ["/usr/bin/git"], names: ["/usr/bin/git"], isMultiCall: false, original: "/run/x"),
            ], rules: [.init(id: "curl", origin: "org:2", owner: "who owns org (org) may change it", length: 1)])
    }

    /// Asks in the sandbox's namespace, or tries to.
    private static let client = """
        import socket, sys, time
        def connect():
            s = socket.socket(); s.settimeout(20); s.connect(("10.200.1.1", 8444)); return s
        def answer(s):
            data = b""
            try:
                while True:
                    more = s.recv(65536)
                    if not more: break
                    data += more
            except ConnectionError: pass
            return data.split(b"\\r\\n")[0].decode()
        def ask(program, *argv, head="POST /v1/tool HTTP/1.1"):
            body = b"".join(word.encode() + b"\\0" for word in (program, "/", *argv))
            s = connect(); s.sendall(f"{head}\\r\\nHost: 10.200.1.1:8444\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n".encode() + body)
            return answer(s)
        def raw(data):
            s = connect()
            try: s.sendall(data)
            except ConnectionError: pass
            return answer(s)
        print("deny", ask("/usr/bin/curl", "curl", "x"))
        print("allow", ask("/usr/bin/git", "git", "status"))
        print("elsewhere", ask("/tmp/curl", "git"))
        print("path", ask("/usr/bin/git", "git", head="POST /v2/tool HTTP/1.1"))
        print("get", raw(b"GET /v1/tool HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"))
        print("body", ask("/usr/bin/git", "git", head="GET /v1/tool HTTP/1.1"))
        print("head", raw(b"POST " + b"a" * 9000))
        def post(fields, body=b""): return raw(b"POST /v1/tool HTTP/1.1\\r\\nHost: a\\r\\n" + fields + b"\\r\\n\\r\\n" + body)
        print("length", post(b"Content-Length: 99999999999999999999"))
        print("lengths", post(b"Content-Length: 2\\r\\nContent-Length: 3", b"{}"))
        print("chunks", post(b"Transfer-Encoding: chunked", b"2\\r\\n{}\\r\\n0\\r\\n\\r\\n"))
        print("none", post(b"A: b"))
        print("large", post(b"Content-Length: 999999"))
        print("short", post(b"Content-Length: 4", b"/a\\0\\0"))
        print("open", post(b"Content-Length: 5", b"/a\\0\\0a"))
        print("relative", post(b"Content-Length: 6", b"a\\0\\0a\\0\\0"))
        print("more", post(b"Content-Length: 2", b"{}{}"))
        # Those who say nothing take no room for ever, and nobody's place for long.
        silent = [connect() for _ in range(256)]
        time.sleep(0.5)
        print("full", ask("/usr/bin/git", "git") or "closed")
        began = time.time()
        print("silent", {answer(s) for s in silent} == {""} and time.time() - began < 15)
        print("again", ask("/usr/bin/git", "git", "log"))
        """

    @Test("it answers what a gate asks, refuses everything else, and bounds who asks")
    func door() throws {
        let gateway = try LiveGateway { $0.tools = try Self.plan() }
        let said = try gateway.run(gateway.inBox("python3", ["-c", Self.client]), timeout: .seconds(90))
        let expected = """
            deny HTTP/1.1 403 Forbidden
            allow HTTP/1.1 200 OK
            elsewhere HTTP/1.1 403 Forbidden
            path HTTP/1.1 404 Not Found
            get HTTP/1.1 404 Not Found
            body HTTP/1.1 400 Bad Request
            head HTTP/1.1 431 Request Header Fields Too Large
            length HTTP/1.1 400 Bad Request
            lengths HTTP/1.1 400 Bad Request
            chunks HTTP/1.1 411 Length Required
            none HTTP/1.1 411 Length Required
            large HTTP/1.1 413 Content Too Large
            short HTTP/1.1 400 Bad Request
            open HTTP/1.1 400 Bad Request
            relative HTTP/1.1 400 Bad Request
            more HTTP/1.1 400 Bad Request
            full closed
            silent True
            again HTTP/1.1 200 OK
            """
        #expect(said == expected)
        let allowed = try gateway.events("policy.allow")
        let denied = try gateway.events("policy.deny")
        #expect(allowed.map(\.subject) == ["/usr/bin/git status", "/usr/bin/git log"])
        #expect(denied.map(\.subject) == ["/usr/bin/curl x", "git"])
        #expect((allowed + denied).allSatisfy { $0.json["problems"] == nil && $0.json["details"]?["action"] == "tool" })
    }

    @Test("who asks for what no gate does is refused and told: a few at once, the rest as a number")
    func strays() throws {
        let gateway = try LiveGateway { $0.tools = try Self.plan() }
        let script = """
            import socket
            def ask(data):
                s = socket.socket(); s.settimeout(20); s.connect(("10.200.1.1", 8444)); s.sendall(data); return s.recv(100).split()[1].decode()
            body = b'{"id":"5f2c09be","approved":true}'
            said = [ask(b"POST /v1/approvals/%d?token=hunter2 HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: %d\\r\\n\\r\\n" % (n, len(body)) + body) for n in range(38)]
            said.append(ask(b"POST http://gateway.aibox.internal:8444/" + b"a" * 3000 + b" HTTP/1.1\\r\\nHost: gateway.aibox.internal:8444\\r\\n\\r\\n"))
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"approve 5f2c09be", ("10.200.1.1", 8444))
            print(*sorted(set(said)))
            """
        #expect(try gateway.run(gateway.inBox("python3", ["-c", script])) == "404")
        #expect(eventually { ((try? gateway.events("gateway.deny").count) ?? 0) > ToolStrays.burst })
        let events = try gateway.events("gateway.deny")
        #expect(events.count == ToolStrays.burst + 1)
        #expect(events.prefix(2).map(\.subject) == ["POST /v1/approvals/0", "POST /v1/approvals/1"])
        #expect(events.last?.json["details"]?["count"] == .integer(Int64(40 - ToolStrays.burst)))
        #expect(events.allSatisfy { $0.outcome == "denied" && $0.json["problems"] == nil })
        #expect(!events.contains { String(decoding: $0.line, as: UTF8.self).contains("hunter2") })
        let first = try LiveGateway { $0.tools = try Self.plan() }
        _ = try first.run(first.inBox("python3", ["-c", script.replacing("range(38)", with: "range(0)")]))
        #expect(eventually { ((try? first.events("gateway.deny").count) ?? 0) == 2 })
        let (long, datagram) = (try first.events("gateway.deny")[0], try first.events("gateway.deny")[1])
        #expect(
            long.subject.utf8.count == ToolStrays.length && long.subject.hasPrefix("POST http://gateway.aibox.internal")
        )
        #expect(datagram.subject == "a datagram" && datagram.json["details"]?["status"] == nil)
    }

    /// Asks by datagram, and prints what comes back, or nothing.
    private static let datagrams = """
        import os, socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("10.200.1.1", 8444))
        def send(data, wait=5):
            s.settimeout(wait); s.send(data)
            try: return s.recv(65536)
            except TimeoutError: return b""
        MARK = b"aibox 1 0123456789abcdef0123456789abcdef"
        def ask(*words, mark=MARK, wait=5, end=b"\\0"): return send(mark + b"\\n" + b"\\0".join(word.encode() for word in words) + end, wait)
        def show(name, data): print(name, data.replace(MARK, b"MARK").decode().split("\\n")[:2])

        """

    @Test(
        "by datagram it answers what is decided at once, sends the rest to a connection, and says nothing to nonsense")
    func datagrams() throws {
        let gateway = try LiveGateway { $0.tools = try Self.plan() }
        let script =
            Self.datagrams + """
                show("allow", ask("/usr/bin/git", "/", "git", "status"))
                show("deny", ask("/usr/bin/curl", "/", "curl", "x"))
                show("review", ask("/usr/bin/git", "/", "git", "push"))
                show("words", ask("/tmp/" + "\u{1}" * 400, "/", "git"))
                long = ("/usr/bin/git", "/", "git", "x" * (1200 - 41 - 13 - 2 - 4 - 1))
                show("longest", ask(*long))
                show("longer", ask(*long[:3], long[3] + "x", wait=0.3))
                for bad in (b"aibox 2 0123456789abcdef0123456789abcdef", MARK[:-1], MARK + b"0", MARK.upper(), MARK[:-1] + b"\\n"):
                    show("mark", ask("/usr/bin/git", "/", "git", mark=bad, wait=0.3))
                show("relative", ask("git", "/", "git", wait=0.3))
                show("open", ask("/usr/bin/git", "/", "git", end=b"", wait=0.3))
                show("few", ask("/usr/bin/git", "/", wait=0.3))
                show("nothing", send(b"", wait=0.3))
                for _ in range(2000): s.send(os.urandom(300))
                # The flood may have filled the socket: what is lost there is asked again.
                show("again", next(answer for answer in (ask("/usr/bin/git", "/", "git", "log", wait=1) for _ in range(20)) if answer))
                """
        let said = try gateway.run(gateway.inBox("python3", ["-c", script]), timeout: .seconds(60))
        let expected = """
            allow ['MARK 200', 'run /run/x']
            deny ['MARK 403', 'say curl is refused: /usr/bin/curl x fits curl of the org policy']
            review ['MARK 202', '']
            words ['MARK 202', '']
            longest ['MARK 200', 'run /run/x']
            longer ['']
            mark ['']
            mark ['']
            mark ['']
            mark ['']
            mark ['']
            relative ['']
            open ['']
            few ['']
            nothing ['']
            again ['MARK 200', 'run /run/x']
            """
        #expect(said == expected)
        // What was sent elsewhere has left nothing.
        let allowed = try gateway.events("policy.allow")
        let subjects = allowed.map { String($0.subject.prefix(17)) }
        #expect(subjects == ["/usr/bin/git stat", "/usr/bin/git xxxx", "/usr/bin/git log"])
        #expect(try gateway.events("policy.deny").map(\.subject) == ["/usr/bin/curl x"])
        #expect(try gateway.events("approval.request").isEmpty)
    }

    @Test("a question that is asked by datagram and again over a connection is decided and written down once")
    func askedAgain() throws {
        let gateway = try LiveGateway { $0.tools = try Self.plan() }
        let script =
            Self.datagrams + """
                def post(*words, mark=MARK[8:], more=b""):
                    body = b"\\0".join(word.encode() for word in words) + b"\\0"
                    c = socket.create_connection(("10.200.1.1", 8444)); c.settimeout(20)
                    field = b"X-Aibox-Question: " + mark + b"\\r\\n" if mark else b""
                    c.sendall(b"POST /v1/tool HTTP/1.1\\r\\nHost: a\\r\\n" + field + more + b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
                    data = b""
                    while piece := c.recv(65536): data += piece
                    return data.split(b"\\r\\n\\r\\n")[-1]
                git = ("/usr/bin/git", "/", "git", "status")
                show("datagram", ask(*git))
                show("again", post(*git))
                # Once: whoever asks with it a third time asks anew. So does another question, and one without a mark.
                show("third", post(*git))
                show("asked", ask(*git))
                show("other", post("/usr/bin/curl", "/", "curl", "x"))
                show("words", post("/usr/bin/git", "/", "git", "log"))
                show("none", post(*git, mark=b""))
                show("odd", post(*git, mark=b"0" * 31))
                show("two", post(*git, more=b"X-Aibox-Question: " + MARK[8:] + b"\\r\\n"))
                show("same", post(*git))
                # Nobody waited for its answer.
                late = b"aibox 1 " + b"9" * 32
                s.send(late + b"\\n" + b"\\0".join(word.encode() for word in ("/usr/bin/git", "/", "git", "late")) + b"\\0")
                show("late", post("/usr/bin/git", "/", "git", "late", mark=late[8:]))
                """
        let said = try gateway.run(gateway.inBox("python3", ["-c", script]), timeout: .seconds(60))
        let runs = "['run /run/x', '']"
        let expected = """
            datagram ['MARK 200', 'run /run/x']
            again \(runs)
            third \(runs)
            asked ['MARK 200', 'run /run/x']
            other ['say curl is refused: /usr/bin/curl x fits curl of the org policy', 'say rule curl, org policy']
            words \(runs)
            none \(runs)
            odd \(runs)
            two \(runs)
            same \(runs)
            late \(runs)
            """
        #expect(said == expected)
        let allowed = try gateway.events("policy.allow").map { String($0.subject.dropFirst("/usr/bin/git ".count)) }
        // datagram, third, asked; then words, none, odd, two: same is asked's; late is one.
        #expect(allowed == ["status", "status", "status", "log", "status", "status", "status", "late"])
        #expect(try gateway.events("policy.deny").count == 1)
    }

    @Test("nothing runs whose decision is not on the disk")
    func unwritten() throws {
        let gateway = try LiveGateway { $0.tools = try Self.plan() }
        // The log's file may grow no further: the same as a full disk.
        _ = try gateway.run(Command("prlimit", ["--pid", "\(gateway.ready.pid)", "--fsize=1"]))
        let script = Self.client.prefix { $0 != "#" }.split(separator: "print(\"deny\"")[0]
        let ask = script + "print(ask('/usr/bin/git', 'git', 'status'))"
        #expect(try gateway.run(gateway.inBox("python3", ["-c", String(ask)])) == "HTTP/1.1 403 Forbidden")
        let post = Self.datagrams + "show('unwritten', ask('/usr/bin/git', '/', 'git', 'status'))"
        #expect(
            try gateway.run(gateway.inBox("python3", ["-c", post])).hasPrefix(
                "unwritten ['MARK 403', 'say git is refused"))
    }

    @Test("a sandbox that asks without end is made to wait, and everybody gets an answer")
    func pace() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var pace = ToolPace(now: start)
        let waits = (0..<(ToolPace.burst + 4000)).map { _ in pace.next(now: start).nanoseconds }
        #expect(waits.count { $0 == 0 } == ToolPace.burst && waits.sorted() == waits)
        #expect(waits.last ?? 0 > 10_000_000_000)
        #expect(pace.next(now: start + .seconds(120)).nanoseconds == 0)
        // By datagram nobody waits, and who would have to takes nobody's place.
        var crowd = ToolPace(now: start)
        #expect((0..<(ToolPace.burst + 500)).count { _ in crowd.passes(now: start) } == ToolPace.burst)
        #expect(crowd.next(now: start + .milliseconds(5)) == .nanoseconds(0))
    }
}
