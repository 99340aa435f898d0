import AiboxConfig
import AiboxNetwork
import AiboxSystem
import Testing

@testable import AiboxPolicy

@Suite("Merging of policies")
struct PolicyMergeTests {
    /// A row of a table: what a project says to an organisation.
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var org: String
        var project: String
        /// The organisation's line that the complaint names, and a part of its words; nil where it is accepted.
        var line: Int?
        var words = ""

        init(_ what: String, _ org: String, _ project: String, _ line: Int? = nil, _ words: String = "") {
            (testDescription, self.org, self.project, self.line, self.words) = (what, org, project, line, words)
        }
    }

    static func merge(_ org: String, team: String? = nil, project: String? = nil) throws -> Result<
        EffectivePolicy, PolicyViolations
    > {
        func read(_ text: String?, _ layer: PolicyLayer) throws -> PolicyDocument? {
            try text.map {
                try PolicyDocument(Array("version: 1\n\($0)\n".utf8), layer: layer, file: layer.rawValue)
            }
        }
        return EffectivePolicy.merge(
            organisation: try #require(try read(org, .org)), team: try read(team, .team),
            project: try read(project, .project), day: "2026-11-22")
    }

    private static let entry = "network:\n  allow:\n    - id: api\n      hosts: [api.example.com]\n"

    static let holes = [
        // What the first aibox let through.
        Row("a port that the parent has not", entry, entry + "      ports: [443, 22]\n", 4, "opens port 22"),
        Row(
            "a rate limit left out", entry + "      rate_limit: {requests_per_min: 60}\n", entry, 4,
            "any number of requests a minute"),
        Row(
            "a rate limit raised", entry + "      rate_limit: {requests_per_min: 60}\n",
            entry + "      rate_limit: {requests_per_min: 61}\n", 4, "permits 61 requests a minute"),
        Row(
            "a limit of connections left out while another is kept",
            entry + "      rate_limit: {requests_per_min: 60, connections: 4}\n",
            entry + "      rate_limit: {requests_per_min: 60}\n", 4, "any number of connections"),
        Row(
            "one limit made two by two entries", entry + "      rate_limit: {requests_per_min: 60}\n",
            """
            network:
              allow:
                - {id: a, hosts: [api.example.com], paths: [/a], rate_limit: {requests_per_min: 60}}
                - {id: b, hosts: [api.example.com], paths: [/b], rate_limit: {requests_per_min: 60}}
            """, 4, "together permit 120"),
        Row("an upload limit left out", entry + "      max_upload: 1m\n", entry, 4, "any amount"),
        Row(
            "a host that the parent has not", entry, "network: {allow: [{id: e, hosts: [evil.example.com]}]}", 3,
            "evil.example.com"),
        Row(
            "a wildcard in the place of a name", entry, "network: {allow: [{id: e, hosts: [\"*.example.com\"]}]}", 3,
            "*.example.com"),
        Row(
            "another wildcard", "network: {allow: [{id: w, hosts: [\"*.example.com\"]}]}",
            "network: {allow: [{id: w, hosts: [\"*.a.example.com\"]}]}", 2, "*.a.example.com"),
        Row(
            "the clear-text scheme",
            "network: {allow: [{id: api, hosts: [api.example.com], ports: [80], schemes: [https]}]}",
            "network: {allow: [{id: api, hosts: [api.example.com], ports: [80]}]}", 2, "permits http"),
        Row(
            "every method where one was meant", entry + "      methods: [GET]\n", entry, 4, "permits every method"),
        Row(
            "another method", entry + "      methods: [GET]\n", entry + "      methods: [GET, POST]\n", 4,
            "permits POST"),
        Row("every path where one was meant", entry + "      paths: [/v1/models]\n", entry, 4, "permits /**"),
        Row(
            "a path beside the one meant", entry + "      paths: [/v1/models]\n", entry + "      paths: [/v1/*]\n", 4,
            "permits /v1/*"),
        Row(
            "a deep path where a flat one was meant", entry + "      paths: [/v1/*]\n",
            entry + "      paths: [/v1/**]\n", 4,
            "permits /v1/**"),
        Row("inspection left out", entry + "      inspect: true\n", entry, 4, "without inspection"),
        Row(
            "a name that was singled out, left to a wildcard",
            """
            network:
              allow:
                - {id: all, hosts: ["*.example.com"]}
                - {id: api, hosts: [api.example.com], methods: [GET]}
            """, "network: {allow: [{id: all, hosts: [\"*.example.com\"]}]}", 5,
            "permits every method to api.example.com"),
        Row(
            "hosts of the user's own", "network:\n  user_hosts: none", "network: {user_hosts: any}", 3,
            "looser than none"),
        Row("the host list where the organisation is silent", "network: {}", entry, 1, "not on the list"),
        Row(
            "addresses around those opened", "network: {targets: [10.1.0.0/16]}", "network: {targets: [10.0.0.0/8]}", 2,
            "10.0.0.0/8"),
        Row(
            "a proxy of the project's", "network: {}", "network: {upstream_proxy: {host: p.example.com, port: 3128}}",
            1, "alone to say"),
        Row(
            "names of the project's", "network: {}", "network: {names: [{name: a.example.com, addresses: [10.1.1.1]}]}",
            1, "alone to say"),
        Row("an authority of the project's", "network: {}", "network: {authorities: [/tmp/ca.pem]}", 1, "alone to say"),
        Row(
            "an exception of the project's", "network: {}",
            "exceptions: [{id: x, owner: me, expires: 2027-01-01, hosts: [evil.example.com]}]", 1, "alone to say"),
        Row(
            "the machine's root as workspace", "filesystem: {workspace_root: /workspace}",
            "filesystem: {workspace_root: /}", 2, "looser than /workspace"),
        Row(
            "a folder whose name only begins so", "filesystem: {workspace_root: /workspace}",
            "filesystem: {workspace_root: /workspace2}", 2),
        Row(
            "a forbidden tool allowed", "tools: {rules: [{match: [curl], allow: false}]}",
            "tools: {rules: [{match: [curl], allow: true, risk: review-required}]}", 2, "forbids it"),
        Row(
            "the same one level below", "tools: {rules: [{match: [curl], allow: false}]}",
            "tools: {rules: [{match: [curl, --version], allow: true, risk: safe}]}", 2, "forbids it"),
        Row(
            "the same by its path", "tools: {rules: [{match: [curl], allow: false}]}",
            "tools: {rules: [{match: [/usr/bin/curl], allow: true, risk: safe}]}", 2, "forbids it"),
        Row(
            "a review left out", "tools: {rules: [{match: [git, push], allow: true, risk: review-required}]}",
            "tools: {rules: [{match: [git, push, origin], allow: true, risk: safe}]}", 2, "asks for a review first"),
        Row(
            "a review made asynchronous", "tools: {rules: [{match: [git, push], allow: true, risk: review-required}]}",
            "tools: {rules: [{match: [git, push], allow: true, risk: review-required, async: true}]}", 2, "afterwards"),
        Row(
            "a command that no rule of the organisation lets run",
            "tools: {rules: [{match: [git, log], allow: true, risk: safe}, {match: [git, push], allow: false}]}",
            "tools: {rules: [{match: [git, status], allow: true, risk: safe}]}", 2, "no earlier rule lets it run"),
        Row(
            "the same, to be reviewed", "tools: {rules: [{match: [git, push], allow: false}]}",
            "tools: {rules: [{match: [git, status], allow: true, risk: review-required}]}", 2,
            "no earlier rule lets it run"),
        Row(
            "the same, by the program's path", "tools: {rules: [{match: [git, push], allow: false}]}",
            "tools: {rules: [{match: [/usr/bin/git, status], allow: true, risk: safe}]}", 2,
            "no earlier rule lets it run"),
        Row(
            "the same, by its name where the path is held",
            "tools: {rules: [{match: [/usr/bin/git, push], allow: false}]}",
            "tools: {rules: [{match: [git, status], allow: true, risk: safe}]}", 2, "no earlier rule lets it run"),
        Row(
            "the same, by a pattern", "tools: {rules: [{match: [git, push], allow: false}]}",
            "tools: {rules: [{match: [\"g*\", status], allow: true, risk: safe}]}", 2, "no earlier rule lets it run"),
        Row(
            "the same, where a pattern holds it", "tools: {rules: [{match: [\"g*t\", push], allow: false}]}",
            "tools: {rules: [{match: [git, status], allow: true, risk: safe}]}", 2, "no earlier rule lets it run"),
        Row(
            "fewer words", "tools: {rules: [{match: [git, status], allow: true, risk: safe}]}",
            "tools: {rules: [{match: [git], allow: true, risk: safe}]}", 2, "no earlier rule"),
        Row(
            "another rule under the name", "tools: {rules: [{id: a, match: [git], allow: true, risk: safe}]}",
            "tools: {rules: [{id: a, match: [git, x], allow: true, risk: safe}]}", 2, "takes the name"),
        Row("more processors", "resources: {cpus: 2}", "resources: {cpus: 3}", 2, "3, which is looser than 2"),
        Row(
            "more memory in another unit", "resources: {memory: 4096m}", "resources: {memory: 8Gi}", 2,
            "8g, which is looser than 4g"),
        Row("another engine than kata", "runtime: {engine: kata}", "runtime: {engine: gvisor}", 2, "gvisor"),
        Row("crun where the organisation is silent", "runtime: {}", "runtime: {engine: crun}", 1, "crun"),
        Row("a fallback", "runtime: {fallback: []}", "runtime: {fallback: [crun]}", 2, "crun"),
        Row("root where rootless is asked for", "runtime: {rootless: true}", "runtime: {rootless: false}", 2, "false"),
        Row(
            "a longer life of tokens", "credentials: {git_token_ttl: 4h}", "credentials: {git_token_ttl: 90000m}", 2,
            "62d12h"),
        Row("a token where none is lent", "credentials: {}", "credentials: {mirror_token_ttl: 1s}", 1, "0s"),
        Row("misuse that is only reported", "credentials: {on_misuse: stop}", "credentials: {on_misuse: report}", 2),
        Row("credentials that outlive the sandbox", "credentials: {}", "credentials: {revoke_on_stop: false}", 1),
        Row(
            "credentials in the workspace", "credentials: {no_persist_to_workspace: true}",
            "credentials: {no_persist_to_workspace: false}", 2),
        Row("another model", "llm: {models: [small-*]}", "llm: {models: [large-1]}", 2, "large-1"),
        Row("all models", "llm: {models: [small-*]}", "llm: {models: [\"*\"]}", 2, "*"),
        Row("a larger budget", "llm: {budget_tokens: 10}", "llm: {budget_tokens: 11}", 2),
        Row("uploads where they are forbidden", "llm: {uploads: forbidden}", "llm: {uploads: permitted}", 2),
        Row("uploads that nobody permitted", "llm: {}", "llm: {uploads: permitted}", 1),
        Row("less logging", "llm: {logging: full}", "llm: {logging: none}", 2),
        Row("pushes without review", "push: {unreviewed: [agent/*]}", "push: {unreviewed: [\"**\"]}", 2, "**"),
        Row(
            "deeper refs without review", "push: {unreviewed: [agent/*]}", "push: {unreviewed: [agent/**]}", 2,
            "agent/**"),
        Row("fewer reviewers", "push: {reviewers: 2}", "push: {reviewers: 1}", 2),
        Row("gaps in the audit log", "audit: {}", "audit: {on_failure: continue}", 1, "looser than stop"),
        Row("no recording", "audit: {recording_policy: required}", "audit: {recording_policy: optional}", 2),
        Row("no trace points", "audit: {trace_policy: required}", "audit: {trace_policy: disabled}", 2),
        Row(
            "another reader of recordings",
            "audit: {recording_recipient: \"aibox-recording:\(String(repeating: "A", count: 43))=\"}",
            "audit: {recording_recipient: \"aibox-recording:\(String(repeating: "B", count: 43))=\"}", 2, "stands"),
        Row(
            "a blocked MCP tool", "mcp: {servers: [{id: files, tools: {\"*\": safe, \"drop_*\": blocked-by-default}}]}",
            "mcp: {servers: [{id: files, tools: {drop_table: safe}}]}", 2, "forbids it"),
        Row(
            "another MCP server", "mcp: {servers: [{id: files, tools: {\"*\": safe}}]}",
            "mcp: {servers: [{id: shell, tools: {\"*\": safe}}]}", 2, "no earlier rule"),
        Row(
            "a pack that is not on the list", "toolpacks: {allow: [node@*]}", "toolpacks: {allow: [nmap@1]}", 2,
            "nmap@1"),
        Row(
            "a pin loosened", "pins:\n  resources.cpus: 2", "pins: {resources.cpus: 4}", 3, "4, which is looser than 2"),
    ]

    @Test("a project that loosens is refused, and the complaint names the organisation's line", arguments: holes)
    func loosens(_ row: Row) throws {
        guard case .failure(let violations) = try Self.merge(row.org, project: row.project) else {
            Issue.record("accepted")
            return
        }
        let line = try #require(row.line)
        let found = violations.violations.contains { violation in
            (violation.parent.line ?? 1) == line && violation.origin.layer == .project && violation.origin.line != nil
                && violation.message.contains(row.words)
        }
        #expect(found, "\(violations.violations)")
        #expect(violations.asError.code.exitStatus == 2)
    }

    static let tightenings = [
        Row(
            "nothing at all",
            "network: {user_hosts: any}\nruntime: {rootless: true}\ncredentials: {revoke_on_stop: true}", ""),
        Row(
            "the same", entry + "      rate_limit: {requests_per_min: 60}\n",
            entry + "      rate_limit: {requests_per_min: 60}\n"),
        Row("the same host in capitals", entry, "network: {allow: [{id: api, hosts: [API.example.COM]}]}"),
        Row("no host at all", entry, "network: {allow: []}"),
        Row("a name below a wildcard", "network: {allow: [{id: w, hosts: [\"*.example.com\"]}]}", entry),
        Row(
            "fewer methods, paths and requests", entry,
            entry + "      methods: [GET]\n      paths: [/a/**]\n      rate_limit: {requests_per_min: 1}\n"),
        Row(
            "a path below", entry + "      paths: [/v1/**]\n",
            entry + "      paths: [/v1/models, /v1/files/*, /v1/x/**]\n"),
        Row(
            "a limit shared fairly", entry + "      rate_limit: {requests_per_min: 60}\n",
            """
            network:
              allow:
                - {id: a, hosts: [api.example.com], paths: [/a], rate_limit: {requests_per_min: 20}}
                - {id: b, hosts: [api.example.com], paths: [/b], rate_limit: {requests_per_min: 40}}
            """),
        Row(
            "one of two limited paths",
            """
            network:
              allow:
                - {id: a, hosts: [api.example.com], paths: [/a], rate_limit: {requests_per_min: 10}}
                - {id: b, hosts: [api.example.com], paths: [/b], rate_limit: {requests_per_min: 90}}
            """,
            """
            network:
              allow:
                - {id: a, hosts: [api.example.com], paths: [/a], rate_limit: {requests_per_min: 5}}
                - {id: b, hosts: [api.example.com], paths: [/b], rate_limit: {requests_per_min: 90}}
            """),
        Row(
            "a wildcard with the name that was singled out",
            """
            network:
              allow:
                - {id: all, hosts: ["*.example.com"]}
                - {id: api, hosts: [api.example.com], methods: [GET]}
            """,
            """
            network:
              allow:
                - {id: all, hosts: ["*.example.com"]}
                - {id: api, hosts: [api.example.com], methods: [GET]}
            """),
        Row("fewer addresses", "network: {targets: [10.1.0.0/16]}", "network: {targets: [10.1.2.0/24]}"),
        Row(
            "a folder below the workspace", "",
            "filesystem: {workspace_root: /workspace/src, deny: [/workspace/secrets]}"),
        Row(
            "a tool forbidden", "tools: {rules: [{match: [\"*\"], allow: true, risk: safe}]}",
            "tools: {rules: [{match: [curl], allow: false}]}"),
        Row(
            "a review", "tools: {rules: [{match: [git], allow: true, risk: safe}]}",
            "tools: {rules: [{match: [git, push], allow: true, risk: review-required}]}"),
        Row(
            "words joined by a space, which are the name of no program",
            "tools: {rules: [{match: [git, push], allow: false}]}",
            "tools: {rules: [{id: joined, match: [git push], allow: true, risk: safe}]}"),
        Row(
            "a program that nobody named, denied", "", "tools: {rules: [{match: [curl], allow: false}]}"),
        Row(
            "a program that nobody named, reviewed", "tools: {rules: [{match: [make], allow: false}]}",
            "tools: {rules: [{match: [git, push], allow: true, risk: review-required}]}"),
        Row(
            "a command singled out of a program that nobody named", "",
            "tools: {rules: [{match: [git], allow: true, risk: safe}, {match: [git, push], allow: true, risk: review-required}]}"
        ),
        Row(
            "a program let run that runs anyway", "tools: {rules: [{match: [/usr/bin/git, push], allow: false}]}",
            "tools: {rules: [{match: [/opt/git], allow: true, risk: safe}, {match: [nc], allow: true, risk: safe}]}"),
        Row(
            "MCP servers where there was no list", "",
            "mcp: {servers: [{id: f, tools: {\"*\": safe, drop: blocked-by-default}}]}"
        ),
        Row(
            "a rule of the same name, stricter", "tools: {rules: [{id: g, match: [git], allow: true, risk: safe}]}",
            "tools: {rules: [{id: g, match: [git], allow: false}]}"),
        Row("a limit where there is none", "", "resources: {memory: 4g, cpus: 2}"),
        Row("a stronger engine", "runtime: {engine: crun}", "runtime: {engine: gvisor}"),
        Row("a shorter life", "credentials: {git_token_ttl: 4h}", "credentials: {git_token_ttl: 240m}"),
        Row("no uploads", "llm: {uploads: permitted}", "llm: {uploads: forbidden}"),
        Row("fewer models", "llm: {models: [small-*]}", "llm: {models: [small-1, small-x*]}"),
        Row(
            "more protected refs", "push: {protected: [main], unreviewed: [agent/*]}",
            "push: {protected: [release/*], unreviewed: [agent/x, agent/y*]}"),
        Row("more recording", "", "audit: {recording_policy: required}"),
        Row(
            "stricter MCP tools", "mcp: {servers: [{id: f, tools: {\"*\": safe}}]}",
            "mcp: {servers: [{id: f, tools: {\"write_*\": review-required}}]}"),
        Row(
            "more pins, and tighter ones", "pins: {resources.cpus: 4}",
            "pins: {resources.cpus: 2, gvisor.enabled: true}"),
    ]

    @Test("a project that tightens is accepted", arguments: tightenings)
    func tightens(_ row: Row) throws {
        if case .failure(let violations) = try Self.merge(row.org, project: row.project) {
            Issue.record("\(violations.violations)")
        }
    }

    @Test("violations of team and project are reported together, each with both places")
    func together() throws {
        let org = "runtime: {rootless: true}\nresources:\n  cpus: 2"
        guard
            case .failure(let violations) = try Self.merge(
                org, team: "runtime: {rootless: false}", project: "resources: {cpus: 8, memory: 1g}")
        else { throw AiboxError(.failed, "accepted") }
        #expect(
            violations.problems.map(\.description) == [
                "team:2:11: runtime.rootless is false, which is looser than true (the organisation's policy, org:2)",
                "project:2:13: resources.cpus is 8, which is looser than 2 (the organisation's policy, org:4)",
            ])
    }

    @Test("a project is held to what the team tightened")
    func threeTiers() throws {
        guard
            case .failure(let violations) = try Self.merge(
                "resources: {cpus: 8}", team: "resources: {cpus: 2}", project: "resources: {cpus: 4}")
        else { throw AiboxError(.failed, "accepted") }
        #expect(violations.violations.map(\.parent.layer) == [.team])
    }

    @Test("what a team says of a program that nobody named, a project cannot take back")
    func heldByTeam() throws {
        let team = "tools: {rules: [{match: [git, push], allow: true, risk: review-required}]}"
        for project in [
            "tools: {rules: [{match: [git], allow: true, risk: safe}]}",
            "tools: {rules: [{match: [git, status], allow: true, risk: review-required, async: true}]}",
            "tools: {rules: [{match: [git, push], allow: true, risk: safe}]}",
        ] {
            guard case .failure(let violations) = try Self.merge("", team: team, project: project) else {
                Issue.record("accepted: \(project)")
                continue
            }
            #expect(violations.violations.contains { $0.origin.layer == .project && $0.parent.layer == .team })
        }
        let denied = try Self.merge("", team: team, project: "tools: {rules: [{match: [git, push, -f], allow: false}]}")
        #expect(throws: Never.self) { try denied.get() }
        let servers = "mcp: {servers: [{id: f, tools: {read: safe}}]}"
        guard case .failure = try Self.merge("", team: servers, project: "mcp: {servers: [{id: g, tools: {x: safe}}]}")
        else {
            Issue.record("another server was accepted")
            return
        }
    }

    @Test("each value knows where it comes from, entries of joined lists each by itself")
    func origins() throws {
        let policy = try Self.merge(
            "filesystem:\n  deny: [/etc/shadow]\nresources: {cpus: 8}", team: "resources: {cpus: 2}",
            project: "filesystem:\n  deny:\n    - /workspace/secrets"
        ).get()
        #expect(policy["resources.cpus"]?.origin.description == "team:2")
        #expect(policy["filesystem.deny"]?.elements.map(\.origin.description) == ["org:3", "project:4"])
        #expect(policy["network.allow"]?.origin.isBuiltIn == true)
    }

    @Test("an exception adds its hosts until its day has passed, and says so then")
    func exceptions() throws {
        let text =
            "version: 1\nexceptions: [{id: x, owner: ann, expires: 2026-11-22, hosts: [x.example.com], ports: [8443]}]\n"
        let document = try PolicyDocument(Array(text.utf8), layer: .org, file: "org")
        let held = try EffectivePolicy(organisation: document, day: "2026-11-22")
        #expect(NetworkPolicy(held).allow.map(\.hosts) == [["x.example.com"]])
        #expect(NetworkPolicy(held).allow.map(\.ports) == [[8443]])
        let ended = try EffectivePolicy(organisation: document, day: "2026-11-23")
        #expect(NetworkPolicy(ended).allow.isEmpty)
        #expect(ended.notes.first?.contains("the exception x of ann ended on 2026-11-22") == true)
    }

    @Test(
        "the strictest rule wins, then the most specific, then org before team before project",
        arguments: [
            (["git", "status"], "allow", "git"), (["/usr/bin/git", "push"], "review", "push"),
            (["git", "push", "--force"], "deny", "force"), (["make"], "deny", "none"), (["curl"], "deny", "curl"),
            (["./x/curl"], "deny", "curl"), (["gitk"], "deny", "none"), ([""], "deny", "none"),
        ])
    func strictest(argv: [String], outcome: String, rule: String) throws {
        let list = try Self.merge(
            """
            tools:
              rules:
                - {id: git, match: [git], allow: true, risk: safe}
                - {id: push, match: [git, push], allow: true, risk: review-required}
            """,
            project: """
                tools:
                  rules:
                    - {id: force, match: [git, push, --force], allow: false}
                    - {id: curl, match: ["cur*"], allow: false}
                """
        ).get()["tools.rules"]
        let decision = ToolRule.decide(ToolRule.tools(try #require(list)), argv)
        #expect("\(decision.outcome)" == outcome)
        #expect(decision.rule?.id ?? "none" == rule)
    }
}
