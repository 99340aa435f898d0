import AiboxAudit
import AiboxContainer
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

/// Whoever asks for reviews chooses the words and how often: a person must neither be worn down nor misled (G07).
@Suite("Questions that are asked to mislead", .serialized)
struct GatewayApprovalTests {
    private static func gateway() throws -> LiveGateway {
        let text = """
            version: 1
            tools:
              rules:
                - {id: git, match: [git], allow: true, risk: review-required}
                - {id: write, match: [Write], allow: true, risk: review-required}

            """
        let policy = try EffectivePolicy(
            organisation: try PolicyDocument(Array(text.utf8), layer: .org, file: "org"), day: "2026-11-22")
        return try LiveGateway(name: "asking") {
            $0.tools = ToolPlan(
                policy: policy.decisionDocument, modules: try LiveGateway.decisions().modules,
                programs: [
                    .init(paths: ["/usr/bin/git"], names: ["/usr/bin/git"], isMultiCall: false, original: "/run/x")
                ], rules: [], patience: 600)
        }
    }

    /// Asks, and keeps the connections open; `first` is the beginning of an answer. Whatever is printed is behind `ready`.
    private static let client = """
        import json, socket, sys, threading, time
        held = []
        def post(path, body):
            s = socket.create_connection(("10.200.1.1", 8444), 30); held.append(s)
            s.sendall(b"POST %s HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: %d\\r\\n\\r\\n" % (path, len(body)) + body)
            return s
        def ask(*words, directory="/w"):
            return post(b"/v1/tool", b"".join(word.encode() + b"\\0" for word in ("/usr/bin/git", directory, "git", *words)))
        def write(text):
            return post(b"/v1/agent", json.dumps({"tool_name": "Write", "tool_input": {"file_path": "/w/a", "content": text}, "cwd": "/w"}).encode())
        def status(s): return s.recv(65536).split()[1].decode()
        def keep(): print("ready", flush=True); time.sleep(600)

        """

    @Test(
        "of hundreds of questions that hardly differ sixteen reach a person; the others are refused, in the log as well"
    )
    func flood() throws {
        let gateway = try Self.gateway()
        let home = try LiveHome(gateway, name: "asking")
        let script =
            Self.client + """
                said = [status(ask("push", "origin", "main", "x" * n)) for n in range(100)]
                said += [status(ask("push", directory="/w/%d" % n)) for n in range(100)]
                print("ready", flush=True); print(said.count("202"), said.count("403"), len(said), flush=True); time.sleep(600)
                """
        let asking = try gateway.keep(gateway.inBox("python3", ["-c", script]))
        let counts = try asking.nextLine().split(separator: " ").compactMap { Int($0) }
        // One more may come every ten seconds, and of those none: sixteen wait.
        #expect(counts == [16, 184, 200])
        #expect(try gateway.client.approvals().count == 16)
        #expect(try gateway.events("approval.request").count == 16)
        #expect(try gateway.events("policy.deny").count == 184)
        let listed = try home.aibox("approvals", "list")
        #expect(listed.succeeded && listed.text.split(separator: "\n").count == 16, "\(listed.errorText)")
        // Who denies one has not made room for the next at once.
        let id = try #require(try gateway.client.approvals().first?.id)
        #expect(try home.aibox("approvals", "deny", id).succeeded)
        #expect(try gateway.client.approvals().count == 15)
    }

    /// What would move a terminal's cursor, change its title, reorder or hide what is read.
    private static let hostile = [
        "\u{1b}[2K\u{1b}[1A\u{1b}]0;title\u{7}", "\u{202e}niam nigiro hsup", "a\u{200b}b\u{feff}c\u{2066}d",
        "\r\ngit status",
        "\u{9b}31m\u{85}\u{2028}x", "--help;\u{8}\u{8}\u{8}",
    ]

    private static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0x0a, 0x09: true
            case 0...0x1f, 0x7f...0x9f, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: false
            default: true
            }
        }
    }

    @Test("words made of escapes, of marks that reorder and of ten thousand characters are shown as they are written")
    func shown() throws {
        let gateway = try Self.gateway()
        let home = try LiveHome(gateway, name: "asking")
        let words = Self.hostile.map { word in word.unicodeScalars.map { "\\U" + hex($0.value) }.joined() }
        let script =
            Self.client + """
                for word in [\(words.map { "\"\($0)\"" }.joined(separator: ", "))]: ask("push", word, directory="/w/" + word)
                ask("push", "y" * 10000)
                ask("push", "e" + "\\u0301" * 7000)
                ask("push", "z", directory="/" + "d" * 10000)
                write("w" * 10000 + "\\u202e")
                keep()
                """
        try gateway.keep(gateway.inBox("python3", ["-c", script]))
        let count = Self.hostile.count + 4
        #expect(eventually { (try? gateway.client.approvals().count) == count })
        let listed = try home.aibox("approvals", "list")
        let rows = listed.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(listed.succeeded && rows.count == count, "\(listed.errorText)")
        for row in rows {
            #expect(row.split(separator: "\t", omittingEmptySubsequences: false).count == 7, "\(row.prefix(3000))")
            #expect(row.utf8.count < 3000, "\(row.prefix(100))")
        }
        #expect(Self.isPlain(listed.text), "\(listed.text)")
        #expect(
            listed.text.contains("\\u{1b}[2K\\u{1b}[1A\\u{1b}]0;title\\u{7}") && listed.text.contains("\\u{202e}niam"))
        #expect(listed.text.contains("yyy") && listed.text.contains("…"))
        for question in try gateway.client.approvals() {
            let shown = try home.aibox("approvals", "show", question.id)
            #expect(shown.succeeded && Self.isPlain(shown.text), "\(shown.errorText)")
            // In full: a line for each of its parts, none of which it made itself.
            #expect(shown.text.split(separator: "\n").count == 11, "\(shown.text.prefix(3000))")
            for word in question.argv.dropFirst() { #expect(shown.text.contains(SafeText.escaped(word))) }
            // Programs get what was asked.
            let json = try JSONParser.parse(try home.aibox("approvals", "show", question.id, "-o", "json").output)
            #expect(json["argv"]?.elements?.compactMap(\.stringValue) == question.argv)
            let denied = try home.aibox("approvals", "deny", question.id)
            #expect(
                denied.succeeded && Self.isPlain(denied.text) && denied.text.utf8.count < 5000, "\(denied.errorText)")
        }
        #expect(try gateway.client.approvals().isEmpty)
        #expect(try gateway.events("approval.decide").allSatisfy { $0.json["problems"] == nil })
    }

    private func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    @Test("questions too long to be read by a person are refused, and the longest of all hide no other")
    func long() throws {
        let gateway = try Self.gateway()
        let home = try LiveHome(gateway, name: "asking")
        let script =
            Self.client + """
                # Of a long command line the beginning is judged. Characters that take six times their room in JSON.
                words = ("push", *(["a"] * 80))
                said = [status(ask(*words, "\\u0001" * 200_000)), status(write("x" * 900_000)), status(ask("push", directory="/" + "d" * 200_000))]
                said += [status(ask(*words, "%d" % n, "\\u0001" * 20_000)) for n in range(15)]
                said.append(status(ask("push", "the", "last")))
                print("ready", flush=True); print(*said, flush=True); time.sleep(600)
                """
        let asking = try gateway.keep(gateway.inBox("python3", ["-c", script]))
        let said = try asking.nextLine().split(separator: " ")
        #expect(said.prefix(3) == ["403", "403", "403"] && said.dropFirst(3).allSatisfy { $0 == "202" }, "\(said)")
        #expect(said.count == 19)
        let reasons = try gateway.events("policy.deny").map { $0.json["details"]?["action"] }
        #expect(reasons == ["tool", "tool", "tool"])
        let listed = try home.aibox("approvals", "list")
        #expect(listed.succeeded && listed.text.split(separator: "\n").count == 16, "\(listed.errorText)")
        let last = try #require(try gateway.client.approvals().first { $0.argv.last == "last" })
        #expect(try home.aibox("approvals", "approve", last.id).succeeded)
        #expect(try gateway.client.approvals().count == 15)
    }
}
