import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes.PolicyTests {
    /// What a sandbox is told, of tools, hosts and models.
    private struct Answers: Equatable {
        var tools: [String]
        var hosts: [String]
        var models: [String]
    }

    private static let start = """
        version: 1
        tools:
          rules:
            - {id: git, match: [git], allow: true, risk: safe}
            - {id: no-tag, match: [git, tag], allow: false}
        network:
          targets: [127.0.0.1/32]
          allow: [{id: listed, hosts: [listed.example.com], ports: [80]}]
          names: [{name: listed.example.com, addresses: [127.0.0.1]}, {name: other.example.com, addresses: [127.0.0.1]}]
        credentials: {llm_api_key_ttl: 1h}
        llm: {models: ["claude-lab"]}

        """
    private static let looser = start.replacing(
        "match: [git, tag], allow: false", with: "match: [git, notes], allow: false"
    )
    .replacing("hosts: [listed.example.com]", with: "hosts: [listed.example.com, other.example.com]")
    .replacing("[\"claude-lab\"]", with: "[\"*\"]")
    private static let tighter = start.replacing(
        "match: [git], allow: true, risk: safe", with: "match: [git], allow: false"
    )
    .replacing("allow: [{id: listed, hosts: [listed.example.com], ports: [80]}]", with: "allow: []")
    .replacing("[\"claude-lab\"]", with: "[\"claude-none\"]")

    private static func answers(_ fixture: SandboxFixture) throws -> Answers {
        let script = """
            cd /tmp; git init -q r 2>/dev/null; cd r
            for words in "status" "tag -l" "notes list"; do git $words >/dev/null 2>&1; echo $?; done
            for host in listed other; do
              curl -s -m 20 -o /dev/null -w '%{http_code}\\n' -x http://10.200.1.1:3128 http://$host.example.com/
            done
            for model in claude-lab claude-other; do
              curl -sS -m 20 -o /dev/null -w '%{http_code}\\n' -H "x-api-key: $ANTHROPIC_API_KEY" \\
                -d '{"model":"'$model'","max_tokens":5}' $ANTHROPIC_BASE_URL/v1/messages
            done
            """
        let said = try fixture.shell("bash", "-c", script)
        let lines = said.text.split(separator: "\n").map(String.init)
        try #require(lines.count == 7, "\(said.text) \(said.errorText)")
        return Answers(tools: Array(lines[..<3]), hosts: Array(lines[3..<5]), models: Array(lines[5...]))
    }

    /// The digests in the decisions since the last call of this.
    private static func digests(_ fixture: SandboxFixture, after seen: inout Int) throws -> Set<String> {
        let log =
            try JSONParser.parse(
                try fixture.aibox.run("policy", "log", "--sandbox", fixture.name, "-o", "json").output,
                limits: .init(size: 16 << 20)
            ).elements ?? []
        defer { seen = log.count }
        return Set(log.dropFirst(seen).map { $0["policy"]?.stringValue ?? "" })
    }

    @Test(
        "what the organisation or the project edits decides nothing in a sandbox that runs, looser or tighter, and is in force after the next start"
    )
    func edited() throws {
        let provider = try LabProvider()
        let fixture = try SandboxFixture(
            policy: Self.start,
            settings: [
                "AIBOX_LLM_API_KEY": "sk-lab-0123456789", "AIBOX_LLM_PROVIDER": "anthropic",
                "AIBOX_CREDENTIALS_STORE": "environment",
                "AIBOX_NETWORK_LLM_GATEWAY": "http://127.0.0.1:\(provider.port)",
            ])
        try fixture.start()
        func policy() throws -> String { try fixture.status()["policy"]?.stringValue ?? "" }
        let before = try Self.answers(fixture)
        // Nobody serves port 80 of 127.0.0.1, or somebody does: it was not the gateway that refused.
        #expect(before.tools == ["0", "126", "0"] && before.models == ["200", "403"], "\(before)")
        #expect(before.hosts[0] != "403" && before.hosts[1] == "403", "\(before)")
        var seen = 0
        let digest = try Self.digests(fixture, after: &seen)
        #expect(digest.count == 1)
        #expect(try policy() == "that of its start, as it is on the disk")

        let edits: [(what: String, file: String, text: String)] = [
            ("the organisation's, looser", "", Self.looser), ("the organisation's, tighter", "", Self.tighter),
            (
                "the project's, tighter", "project/aibox/policy.yaml",
                "version: 1\nnetwork: {allow: []}\nllm: {models: []}\n"
            ),
            ("the project's, looser", "project/aibox/policy.yaml", Self.looser),
            ("the organisation's, broken", "", "version: ["),
        ]
        for edit in edits {
            if edit.file.isEmpty {
                try fixture.aibox.home.write("org-policy.yaml", edit.text)
            } else {
                try fixture.aibox.home.write("org-policy.yaml", Self.start)
                try fixture.folder.write(edit.file, edit.text)
            }
            #expect(try Self.answers(fixture) == before, "\(edit.what)")
            #expect(try Self.digests(fixture, after: &seen) == digest, "\(edit.what)")
            let told = try policy()
            let isUsable = !edit.what.contains("broken") && edit.what != "the project's, looser"
            #expect(
                told.contains(
                    isUsable ? "differs, and takes effect at the next start" : "cannot be used, and nothing starts"),
                "\(edit.what): \(told)")
        }
        try fixture.folder.write("project/aibox/policy.yaml", "version: 1\n")

        for (text, expected) in [
            (
                Self.looser,
                Answers(tools: ["0", "0", "126"], hosts: [before.hosts[0], before.hosts[0]], models: ["200", "200"])
            ),
            (Self.tighter, Answers(tools: ["126", "126", "126"], hosts: ["403", "403"], models: ["403", "403"])),
        ] {
            try fixture.aibox.home.write("org-policy.yaml", text)
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            try fixture.start()
            #expect(try policy() == "that of its start, as it is on the disk")
            let now = try Self.answers(fixture)
            #expect(now == expected, "\(now)")
            let other = try Self.digests(fixture, after: &seen)
            #expect(other.count == 1 && other != digest)
        }
    }

    @Test("status says beforehand when exceptions end, and a start on a later day says which have")
    func exceptions() throws {
        let today = Timestamp.now
        func day(_ offset: Int64) -> String {
            String(Timestamp(seconds: today.seconds + offset * 86_400).rfc3339.prefix(10))
        }
        let fixture = try SandboxFixture(
            policy: """
                version: 1
                exceptions:
                  - {id: vendor, owner: ann, expires: \(day(0)), hosts: [vendor.example.com]}
                  - {id: over, owner: bob, expires: \(day(-1)), hosts: [over.example.com]}

                """)
        let started = try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name)
        #expect(started.succeeded && started.errorText.contains("the exception over of bob ended on \(day(-1))"))
        let told = try fixture.status()["exceptions"]?.elements?.compactMap(\.stringValue)
        #expect(told == ["vendor of ann: ends at \(day(1))T00:00:00Z"], "\(told ?? [])")
        let text = try fixture.aibox.run("status", "--name", fixture.name).text
        #expect(text.contains("vendor of ann: ends at"), "\(text)")
    }
}
