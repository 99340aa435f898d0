import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// A real sandbox whose project is narrower than its organisation, and which learns.
    @Suite("Learning")
    struct LearnTests {
        private static let rules = """
            learn: {mode: permitted}
            tools:
              rules:
                - {id: git, match: [git], allow: true, risk: safe}
                - {id: no-wget, match: [wget], allow: false}

            """

        /// The host, the port and the scheme stay; what is asked for in the tunnel is limited, which opens it.
        private static func project(_ origin: LabOrigin, _ more: [String] = []) -> String {
            """
            version: 1
            tools:
              rules:
                - {id: no-status, match: [git, status], allow: false}
            network:
              allow:
                - {id: read, hosts: [allowed.test], ports: [\(origin.https)], schemes: [https], paths: [/seen]}

            """ + more.map { $0 + "\n" }.joined()
        }

        @Test("start, work, show: what is printed, put into the project's policy, lets the same pass without learning")
        func roundTrip() throws {
            let origin = try LabOrigin(geteuid() == 0 ? 41 : 43)
            // Squid, which opens the tunnel, reads the authority as a user of its own.
            chmod(origin.folder.path, 0o755)
            let fixture = try SandboxFixture(
                policy: origin.policy(hosts: ["allowed.test", "other.test"]) + Self.rules)
            try Folder.make(fixture.workspace + "/aibox")
            try File.replace(fixture.workspace + "/aibox/policy.yaml", with: Self.project(origin))
            try fixture.start()
            let opened = "curl -s -o /dev/null -w '%{http_code}' https://allowed.test:\(origin.https)/other"
            let calls = [
                opened, "curl -s -o /dev/null -w '%{http_code}' http://other.test:\(origin.http)/x",
                "git -C /tmp status >/dev/null 2>&1; test $? = 126 && echo refused || echo runs",
                // Above the organisation, always.
                "curl -s -o /dev/null -w '%{http_code}' http://denied.test:\(origin.http)/",
                "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/",
                "wget -q -O- http://other.test:\(origin.http)/ >/dev/null 2>&1; echo $?",
            ]
            let asked = { () throws -> [String] in
                try calls.map { try fixture.shell("bash", "-c", $0).text.trimmed }
            }
            let held = ["403", "403", "refused", "403", "403", "126"]
            #expect(try asked() == held)
            let begun = try fixture.aibox.run("learn", "start", "--name", fixture.name, "--for", "10m")
            #expect(begun.succeeded, "\(begun.errorText)")
            #expect(try fixture.status()["learning"]?.stringValue?.contains("s left") == true)
            #expect(try fixture.shell("true").errorText.contains("learns for"))
            let passing = try asked()
            #expect(passing == ["200", "200", "runs", "403", "403", "126"])
            // Not from inside: neither the socket nor the program is there.
            #expect(
                try fixture.shell("bash", "-c", "ls -d /run/user/*/aibox /run/aibox/*/control* 2>/dev/null").text == "")
            let stopped = try fixture.aibox.run("learn", "stop", "--name", fixture.name)
            #expect(stopped.succeeded, "\(stopped.errorText)")
            #expect(try asked() == held)

            let show = try fixture.aibox.run("learn", "show", "--name", fixture.name)
            #expect(show.succeeded, "\(show.errorText)")
            #expect(
                show.text.contains("aibox/policy.yaml:4: take out the rule no-status of tools.rules"), "\(show.text)")
            #expect(show.text.contains("http://denied.test:\(origin.http)/, seen once: who owns"), "\(show.text)")
            #expect(!show.text.contains("hosts: [\"denied.test\"]"))
            let lines = show.text.split(separator: "\n").map(String.init)
            let entries = Array(lines.drop { $0 != "  allow:" }.dropFirst().prefix { !$0.hasPrefix("#") })
            #expect(entries.contains { $0.contains("other.test") } && entries.contains { $0.contains("allowed.test") })
            let whole = Self.project(origin, entries).replacing(
                "    - {id: no-status, match: [git, status], allow: false}",
                with: "    - {id: push, match: [git, push], allow: false}")
            try File.replace(fixture.workspace + "/aibox/policy.yaml", with: whole)
            _ = try fixture.aibox.run("stop", "--name", fixture.name)
            try fixture.start()
            let after = try asked()
            #expect(after == passing)
            let again = try JSONParser.parse(
                try fixture.aibox.run("learn", "show", "--name", fixture.name, "-o", "json").output)
            #expect(again["additions"]?.elements?.isEmpty == true && again["removals"]?.elements?.isEmpty == true)
        }

        @Test("a project can take the permission back, and without the organisation's there is none")
        func forbidden() throws {
            let fixture = try SandboxFixture(policy: "version: 1\nlearn: {mode: permitted}\n")
            try Folder.make(fixture.workspace + "/aibox")
            try File.replace(fixture.workspace + "/aibox/policy.yaml", with: "version: 1\nlearn: {mode: forbidden}\n")
            try fixture.start()
            let refused = try fixture.aibox.run("learn", "start", "--name", fixture.name)
            #expect(
                refused.termination == .exited(2) && refused.errorText.contains("aibox/policy.yaml:2"),
                "\(refused.errorText)")
            #expect(try fixture.status()["learning"] == nil)
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(split(separator: "\n").last ?? "") }
}
