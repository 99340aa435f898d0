import AiboxConfig
import AiboxEmbedded
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxPolicy

@Suite("The policy in force")
struct EffectivePolicyTests {
    private func policy(_ text: String) throws(AiboxError) -> EffectivePolicy {
        try PolicySet([PolicySet.Source(layer: .org, file: "org.yaml", bytes: Array(text.utf8))], day: "2026-11-22")
            .effective()
    }

    @Test("the embedded baseline permits gVisor and nothing else, and says nothing that is not enforced")
    func baseline() throws {
        let bytes = try #require(EmbeddedFile.bytes("configs/policy/org-baseline.yaml"))
        let source = PolicySet.Source(layer: .org, file: PolicySet.embeddedName, bytes: bytes)
        let policy = try PolicySet([source]).effective()
        #expect(try policy.judge(.gvisor) == .permitted)
        for engine in [Configuration.Isolation.crun, .kata] {
            let error = #expect(throws: AiboxError.self) { try policy.judge(engine) }
            #expect(error?.code == .denied)
        }
        #expect(PolicyEnforcement(policy).notes.isEmpty)
    }

    @Test("without a policy of the organisation's own git is lent for 4 hours, models and mirrors for 8, nothing else")
    func lifetimes() throws {
        let bytes = try #require(EmbeddedFile.bytes("configs/policy/org-baseline.yaml"))
        let source = PolicySet.Source(layer: .org, file: PolicySet.embeddedName, bytes: bytes)
        let policy = CredentialPolicy(try PolicySet([source]).effective())
        #expect(policy.modelKeys == 8 * 3600)
        #expect(policy.places == [.git: 4 * 3600, .mirror: 8 * 3600, .custom: 0])
    }

    @Test("the examples fit each other, and say nothing that is not enforced")
    func examples() throws {
        let folder = Path.parent(Path.parent(Path.parent(#filePath))) + "/aibox-policies/examples/"
        func policy(_ files: [(String, PolicyLayer)], day: String = "2027-03-31") throws -> EffectivePolicy {
            let policy = try PolicySet(
                try files.map { name, layer in
                    PolicySet.Source(layer: layer, file: name, bytes: try File.read(folder + name))
                }, day: day
            ).effective()
            let enforcement = PolicyEnforcement(policy)
            #expect(enforcement.notes.isEmpty && enforcement.required.isEmpty, "\(files)")
            return policy
        }
        let own = ("org.yaml", PolicyLayer.org)
        let (backend, data) = (("teams/backend.yaml", PolicyLayer.team), ("teams/data.yaml", PolicyLayer.team))
        let project = ("project/policy.yaml", PolicyLayer.project)
        let service = try policy([own, backend, project])
        #expect(NetworkPolicy(service).allow.map(\.id) == ["git", "npm", "model"])
        #expect(service.recordingPolicy == .required && service["llm.models"]?.texts == ["small-*"])
        let held = try policy([own, data])
        #expect(NetworkPolicy(held).allow.map(\.id) == ["git", "python", "warehouse", "model"])
        #expect(CredentialPolicy(held).leaks.count == 7 && !held.permitsLearning)
        // The organisation alone, with its exception and without.
        #expect(try policy([own])["network.allow"]?.elements.count == 6)
        #expect(try policy([own], day: "2027-04-01")["network.allow"]?.elements.count == 5)
        // What every example is there for: each layer says something, and a project of the other team's does not fit this one.
        #expect(throws: AiboxError.self) { _ = try policy([own, data, project]) }
    }

    @Test("the organisation of the examples holds the fields that a security team sets first")
    func firstFields() throws {
        let folder = Path.parent(Path.parent(Path.parent(#filePath))) + "/aibox-policies/examples/"
        let said = try PolicyDocument.load(folder + "org.yaml", layer: .org).fields
        for name in [
            "network.allow", "network.user_hosts", "runtime.engine", "runtime.rootless", "resources.memory",
            "tools.rules",
            "mcp.servers", "credentials.git_token_ttl", "credentials.on_misuse", "llm.models", "llm.dlp",
            "llm.daily_cost",
            "audit.on_failure", "audit.recording_policy", "pins", "exceptions", "required",
        ] { #expect(said[name] != nil, "\(name)") }
    }

    @Test("a fallback is permitted and said; what is stronger than the engine asked for is permitted")
    func engines() throws {
        let policy = try policy("version: 1\nruntime: {engine: gvisor, fallback: [crun]}\n")
        guard case .fallback(let words) = try policy.judge(.crun) else {
            Issue.record("crun is not a fallback")
            return
        }
        #expect(words.contains("crun") && words.contains("org.yaml:2"))
        #expect(throws: AiboxError.self) { try policy.judge(.kata) }
        #expect(try self.policy("version: 1\nruntime: {engine: crun}").judge(.gvisor) == .permitted)
    }

    @Test("a file that exists and cannot be used, or that is named and missing, is an error, not the baseline")
    func brokenFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("org.yaml", "version: 1\nfoo: bar\n")
        let paths = Paths(identity: .current, environment: ["HOME": folder.path])
        func organisation(_ path: String, setBy: String? = nil) throws(AiboxError) -> PolicySet.Source {
            var settings = Configuration().policy
            settings.orgBaselinePath = path
            settings.orgBaselineSetBy = setBy
            return try ConfiguredPolicy(settings, paths: paths).organisation(embedded: Array("version: 1".utf8))
        }
        let source = try organisation(file)
        #expect(throws: AiboxError.self) { try PolicySet([source]).effective() }
        try File.remove(file)
        for setBy in [nil, "AIBOX_POLICY_ORG_BASELINE_PATH"] {
            let missing = #expect(throws: AiboxError.self) { try organisation(file, setBy: setBy) }
            #expect(missing?.code == .policyInvalid && missing?.what.contains(file) == true, "\(missing as Any)")
            #expect(missing?.why?.contains(setBy ?? "policy.org_baseline_path") == true, "\(missing as Any)")
        }
        try Folder.make(file)
        #expect(throws: AiboxError.self) { try organisation(file) }
        // The ordinary place, said out loud.
        let ordinary = Configuration().policy.orgBaselinePath
        if !File.exists(ordinary) {
            #expect(try organisation(ordinary).file == PolicySet.embeddedName)
            #expect(throws: AiboxError.self) { try organisation(ordinary, setBy: "/etc/aibox/config.yaml:2") }
        }
        var settings = Configuration().policy
        settings.teamPolicyPath = "/nonexistent/team.yaml"
        settings.teamPolicySetBy = "~/.config/aibox/config.yaml:3"
        let team = #expect(throws: AiboxError.self) { try ConfiguredPolicy(settings, paths: paths).team() }
        #expect(team?.code == .policyInvalid && team?.why?.contains("config.yaml:3") == true, "\(team as Any)")
    }

    @Test("a limit lowers the setting and says who set it")
    func bounds() throws {
        var resources = Configuration().resources
        let words = try policy("version: 1\nresources: {memory: 4g, cpus: 64}\n").bound(&resources)
        #expect(resources.memory == ByteSize(gibibytes: 4))
        #expect(resources.cpus == 4)
        #expect(words == ["memory is 4g at most (org.yaml:2)"])
    }

    @Test("a pin moves a value that nobody changed, and refuses one that somebody loosened")
    func pins() throws {
        let pin = try #require(try policy("version: 1\npins: {resources.cpus: 2}\n").pins.first)
        var configuration = Configuration()
        try pin.hold(&configuration)
        #expect(configuration.resources.cpus == 2)
        configuration.resources.cpus = 1
        try pin.hold(&configuration)
        #expect(configuration.resources.cpus == 1)
        configuration.resources.cpus = 3
        let error = #expect(throws: AiboxError.self) { try pin.hold(&configuration) }
        #expect(error?.code == .denied)
        #expect(error?.why?.contains("org.yaml:2") == true)
    }

    @Test("a project that takes hosts away ends what the person could add to them")
    func additions() throws {
        let org = """
            version: 1
            network:
              user_hosts: any
              allow:
                - {id: api, hosts: [api.example.com], methods: [GET]}
                - {id: git, hosts: [git.example.com]}
            """
        func policy(_ project: String?) throws -> NetworkPolicy {
            var sources = [PolicySet.Source(layer: .org, file: "org", bytes: Array(org.utf8))]
            if let project {
                sources.append(
                    PolicySet.Source(layer: .project, file: "p", bytes: Array("version: 1\n\(project)".utf8)))
            }
            return NetworkPolicy(try PolicySet(sources).effective())
        }
        var settings = Configuration().network
        settings.allowedDomains = ["x.example.org"]
        #expect(try policy(nil).plan(settings)?.allow.last?.hosts == ["x.example.org"])
        // The project dropped api.example.com, which the organisation limits to GET: it must not come back without that.
        settings.allowedDomains = ["api.example.com"]
        let narrowed = try policy("network: {allow: [{id: git, hosts: [git.example.com]}]}")
        let error = #expect(throws: AiboxError.self) { try narrowed.plan(settings) }
        #expect(error?.code == .denied)
        settings.allowedDomains = []
        #expect(try narrowed.plan(settings)?.permitsAdditions == false)
        #expect(try narrowed.plan(settings)?.allow.map(\.layer) == ["project"])
    }

    @Test("what a team ended by taking a host away, a project that names it again does not bring back")
    func additionsStayEnded() throws {
        let wide = "network: {user_hosts: any, allow: [{id: a, hosts: [\"*.example.com\", git.example.com]}]}"
        let sources = [
            (PolicyLayer.org, wide), (.team, "network: {allow: [{id: a, hosts: [\"*.example.com\"]}]}"),
            (.project, "network: {allow: [{id: a, hosts: [\"*.example.com\", git.example.com]}]}"),
        ].map { layer, text in
            PolicySet.Source(layer: layer, file: layer.rawValue, bytes: Array("version: 1\n\(text)\n".utf8))
        }
        #expect(NetworkPolicy(try PolicySet(Array(sources[..<1])).effective()).additions == .any)
        #expect(NetworkPolicy(try PolicySet(Array(sources[..<2])).effective()).additions == .none)
        #expect(NetworkPolicy(try PolicySet(sources).effective()).additions == .none)
    }

    @Test("what is kept of a start reads back as the same policy, whatever becomes of the files")
    func kept() throws {
        let set = PolicySet(
            [
                PolicySet.Source(
                    layer: .org, file: "org",
                    bytes: Array(
                        "version: 1\nexceptions: [{id: x, owner: o, expires: 2026-01-01, hosts: [x.example.com]}]\n"
                            .utf8)),
                PolicySet.Source(layer: .project, file: "p", bytes: Array("version: 1 # ü\nresources: {cpus: 1}".utf8)),
            ], day: "2026-01-01")
        let back = try PolicySet(json: try JSONParser.parse(set.json.bytes))
        #expect(back == set)
        #expect(try back.effective().digest() == set.effective().digest())
        // The day of the start decides, not the day of reading.
        #expect(NetworkPolicy(try back.effective()).allow.count == 1)
        #expect(throws: (any Error).self) { try PolicySet(json: ["version": 2, "day": "", "documents": []]) }
    }

    @Test("the digest names what holds, not how it is written")
    func digests() throws {
        let one = try policy("version: 1\nresources: {cpus: 2, memory: 4g}\n").digest()
        #expect(try policy("# a comment\nversion: 1\nresources:\n  memory: 4096m\n  cpus: 2\n").digest() == one)
        #expect(try policy("version: 1\nresources: {cpus: 3, memory: 4g}\n").digest() != one)
    }

    @Test("problems of documents come before violations between them, and all of a kind at once")
    func problems() throws {
        let broken = PolicySet([
            PolicySet.Source(layer: .org, file: "org", bytes: Array("version: 1\nresources: {cpus: x}".utf8)),
            PolicySet.Source(layer: .project, file: "p", bytes: Array("resources: {cpus: 9}".utf8)),
        ])
        #expect(broken.problems.map(\.source) == ["org", "p"])
        #expect(throws: AiboxError.self) { try broken.effective() }
    }
}

@Suite("Differences of policies")
struct PolicyDifferenceTests {
    private func rows(_ before: String, _ after: String) throws -> [String] {
        func policy(_ text: String) throws -> EffectivePolicy {
            try PolicySet([PolicySet.Source(layer: .org, file: "f", bytes: Array("version: 1\n\(text)\n".utf8))])
                .effective()
        }
        return PolicyDifference(from: try policy(before), to: try policy(after)).rows.map {
            "\($0.direction.rawValue) \($0.field) \($0.what)"
        }
    }

    @Test(
        "what becomes possible and what stops",
        arguments: [
            ("nothing", "resources: {cpus: 2}", "resources: {cpus: 2}", []),
            ("a limit", "resources: {cpus: 2}", "resources: {cpus: 4}", ["opens resources.cpus 2 -> 4"]),
            ("a limit that was none", "", "resources: {memory: 4g}", ["closes resources.memory no limit -> 4g"]),
            ("a limit that is gone", "resources: {memory: 4g}", "", ["opens resources.memory 4g -> no limit"]),
            (
                "hosts", "network: {allow: [{id: a, hosts: [a.example.com, b.example.com]}]}",
                "network: {allow: [{id: a, hosts: [b.example.com, c.example.com], ports: [443, 8443]}]}",
                [
                    "opens network.allow b.example.com:8443", "opens network.allow c.example.com:443",
                    "opens network.allow c.example.com:8443", "closes network.allow a.example.com:443",
                ]
            ),
            (
                "a method", "network: {allow: [{id: a, hosts: [a.example.com]}]}",
                "network: {allow: [{id: a, hosts: [a.example.com], methods: [GET]}]}",
                ["closes network.allow a.example.com:443"]
            ),
            (
                "a limit of requests", "network: {allow: [{id: a, hosts: [a.example.com]}]}",
                "network: {allow: [{id: a, hosts: [a.example.com], rate_limit: {requests_per_min: 5}}]}",
                ["closes network.allow a.example.com:443"]
            ),
            (
                "tools", "tools: {rules: [{match: [git], allow: true, risk: safe}]}",
                "tools: {rules: [{match: [git, push], allow: true, risk: review-required}, {match: [make], allow: true, risk: safe}]}",
                ["closes tools.rules git push: allow -> review", "closes tools.rules git: allow -> deny"]
            ),
            (
                "a program that no rule named is denied", "", "tools: {rules: [{match: [curl], allow: false}]}",
                ["closes tools.rules curl: allow -> deny"]
            ),
            (
                "a rule that lets run what would run anyway",
                "tools: {rules: [{match: [git], allow: true, risk: safe}]}",
                "", []
            ),
            (
                "a rule about one command of a program", "",
                "tools: {rules: [{match: [git, push], allow: true, risk: review-required}]}",
                ["closes tools.rules git push: allow -> review", "closes tools.rules git: allow -> deny"]
            ),
            (
                "a rule that lets one command of a program run", "",
                "tools: {rules: [{match: [git, status], allow: true, risk: safe}]}",
                ["closes tools.rules git: allow -> deny"]
            ),
            (
                "what every session begins with, only let run", "",
                "tools: {rules: [{match: [bash], allow: true, risk: safe}]}", []
            ),
            (
                "the last rule that holds a program",
                "tools: {rules: [{match: [git], allow: true, risk: safe}, {match: [git, push], allow: false}]}",
                "tools: {rules: [{match: [git], allow: true, risk: safe}]}",
                ["opens tools.rules git push: deny -> allow"]
            ),
            (
                "a list of MCP servers where there was none", "",
                "mcp: {servers: [{id: lab, tools: {\"*\": safe, drop: blocked-by-default}}]}",
                ["closes mcp.servers lab drop: allow -> deny", "closes mcp.servers * *: allow -> deny"]
            ),
            (
                "a list of MCP servers without tools", "", "mcp: {servers: [{id: lab, tools: {}}]}",
                ["closes mcp.servers * *: allow -> deny"]
            ),
            (
                "a tool of an agent's own that a rule names", "",
                "tools: {rules: [{match: [WebFetch, \"https://a/*\"], allow: true, risk: safe}]}",
                ["closes tools.rules WebFetch: allow -> deny"]
            ),
            (
                "a limit that two entries share",
                "network: {allow: [{id: a, hosts: [a.example.com, b.example.com], rate_limit: {requests_per_min: 5}}]}",
                "network: {allow: [{id: a, hosts: [a.example.com], rate_limit: {requests_per_min: 5}}, {id: b, hosts: [b.example.com], rate_limit: {requests_per_min: 5}}]}",
                ["opens network.allow entry b and a, b together permit 10 requests a minute, not the 5 of a"]
            ),
            (
                "a model that the list covered already", "llm: {models: [small-*]}",
                "llm: {models: [small-*, small-1]}", []
            ),
            ("a model beside them", "llm: {models: [small-*]}", "llm: {models: [small-*, x]}", ["opens llm.models x"]),
            (
                "forbidden paths", "filesystem: {deny: [/a]}", "filesystem: {deny: [/b]}",
                ["closes filesystem.deny /b", "opens filesystem.deny /a"]
            ),
            ("engines", "runtime: {fallback: [crun]}", "runtime: {fallback: []}", ["closes runtime.fallback crun"]),
            (
                "an engine of another kind", "runtime: {engine: kata}", "runtime: {engine: gvisor}",
                ["changes runtime.engine kata -> gvisor"]
            ),
            ("a pin", "", "pins: {resources.cpus: 2}", ["closes pins resources.cpus: not fixed -> 2"]),
        ])
    func differences(what: String, before: String, after: String, expected: [String]) throws {
        #expect(try rows(before, after).sorted() == expected.sorted(), "\(what)")
    }

    @Test("rules with patterns that differ, and of which no sample shows how, are a change and not the same")
    func unseen() throws {
        let start = "tools: {rules: [{match: [git], allow: true, risk: safe}, {match: [git, push], allow: false}"
        let before = start + ", {match: [git, \"p*\"], allow: false}]}"
        let after = start + ", {match: [git, \"px*\"], allow: false}, {match: [git, \"po*\"], allow: false}]}"
        for (one, other) in [(before, after), (after, before)] {
            let rows = try rows(one, other)
            #expect(!rows.isEmpty && rows.contains { $0.contains("tools.rules git p*: deny") }, "\(rows)")
        }
        #expect(try self.rows(before, before).isEmpty)
    }

    @Test("long lists are compared in a short time, and what one host more opens is that host")
    func long() throws {
        func policy(_ hosts: Range<Int>, _ paths: Int = 40, id: String = "a") -> String {
            let names = hosts.map { "h\($0).example.com" }.joined(separator: ", ")
            let list = (0..<paths).map { "/p/\($0)/*" }.joined(separator: ", ")
            return
                "network: {allow: [{id: \(id), hosts: [\(names)], methods: [GET, POST], paths: [\(list)]}, {id: z, hosts: [z.example.com]}]}"
        }
        let begun = ContinuousClock.now
        #expect(try rows(policy(0..<200), policy(0..<200, id: "b")).isEmpty)
        let one = try rows(policy(0..<200), policy(0..<201))
        #expect(
            one.count == 80 && one.allSatisfy { $0.hasPrefix("opens network.allow h200.example.com:443 ") }, "\(one)")
        let many = try rows(policy(0..<200), policy(0..<200, 41))
        #expect(many.count == 400 || many.count == 200, "\(many.count)")
        #expect(
            many.allSatisfy { $0.hasPrefix("opens ") && $0.contains("/p/0/* (and 40 more)") }, "\(many.first ?? "")")
        #expect(begun.duration(to: .now) < .seconds(20), "\(begun.duration(to: .now))")
    }

    @Test("an entry that stays beside another one about its host is compared all the same")
    func beside() throws {
        let wide = "{id: a, hosts: [\"*.x.example.com\"]}"
        let narrow = "{id: b, hosts: [a.x.example.com], methods: [GET]}"
        #expect(
            try rows("network: {allow: [\(wide), \(narrow)]}", "network: {allow: [\(wide)]}")
                .contains { $0.hasPrefix("opens ") })
    }

    @Test("a list that takes hosts away, of a later layer, ends what a person could add: that shows")
    func additions() throws {
        func policy(_ team: String) throws -> EffectivePolicy {
            let org = "version: 1\nnetwork: {user_hosts: any, allow: [{id: a, hosts: [a.example.com]}]}\n"
            return try PolicySet([
                PolicySet.Source(layer: .org, file: "org", bytes: Array(org.utf8)),
                PolicySet.Source(layer: .team, file: "team", bytes: Array("version: 1\n\(team)\n".utf8)),
            ]).effective()
        }
        let rows = PolicyDifference(from: try policy(""), to: try policy("network: {allow: []}")).rows
        #expect(rows.map(\.direction) == [.closes, .closes])
        #expect(rows.map(\.field) == ["network.allow", "network.user_hosts"])
        #expect(rows.map(\.origin.description) == ["org:2", "team:2"])
    }
}
