import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("aibox policy, as a person runs it")
struct PolicyCommandTests {
    private static let org = """
        version: 1
        runtime: {rootless: false}
        network:
          allow:
            - {id: git, hosts: [git.example.com]}
        resources:
          memory: 4g
        """

    private func start(_ command: BuiltCommand, org: String, project: String?, team: String? = nil) throws
        -> CommandResult
    {
        let file = try command.folder.write("org.yaml", org)
        try Folder.make(command.folder.path + "/project/aibox")
        if let project { try command.folder.write("project/aibox/policy.yaml", project) }
        var variables = ["AIBOX_POLICY_ORG_BASELINE_PATH": file]
        if let team { variables["AIBOX_POLICY_TEAM_POLICY_PATH"] = try command.folder.write("team.yaml", team) }
        return try command.run("start", "-w", command.folder.path + "/project", variables: variables)
    }

    @Test("validate reports everything at once, with both places, and ends with status 2")
    func validate() throws {
        let command = try BuiltCommand()
        let org = try command.folder.write("org.yaml", Self.org)
        let team = try command.folder.write("team.yaml", "version: 1\nresources: {memory: 8g}\n")
        let project = try command.folder.write(
            "project.yaml", "version: 1\nnetwork: {allow: [{id: e, hosts: [evil.example.com]}]}\n")
        let bad = try command.run("policy", "validate", "--org", org, "--team", team, "--project", project)
        #expect(bad.termination == .exited(2))
        #expect(
            bad.text == """
                \(team):2:13: resources.memory is 8g, which is looser than 4g (the organisation's policy, \(org):7)
                \(project):2:27: network.allow entry e has the host evil.example.com, which is not on the list (the organisation's policy, \(org):4)
                """)
        let json = try command.run("policy", "validate", "--org", org, "--team", team, "-o", "json")
        #expect(json.termination == .exited(2))
        #expect(json.text.contains("\"valid\": false") && json.text.contains("\"line\": 2"))
        let good = try command.run("policy", "validate", "--org", org)
        #expect(good.succeeded && good.text.contains("are valid"))
    }

    @Test("diff judges a change of one layer in the effective policy")
    func diff() throws {
        let command = try BuiltCommand()
        let org = try command.folder.write("org.yaml", Self.org)
        let next = try command.folder.write("next.yaml", Self.org.replacing("memory: 4g", with: "memory: 8g"))
        let team = try command.folder.write("team.yaml", "version: 1\nresources: {memory: 2g}\n")
        let wider = try command.folder.write("wider.yaml", "version: 1\nresources: {memory: 3g, cpus: 2}\n")
        let loose = try command.folder.write("loose.yaml", "version: 1\nresources: {memory: 64g}\n")
        func rows(_ arguments: String...) throws -> [String] {
            let said = try SystemCommandRunner().run(
                Command(BuiltCommand.path, ["policy", "diff"] + arguments, environment: command.environment))
            #expect(said.succeeded, "\(said.errorText)")
            return said.text.split(separator: "\n").map { $0.split(separator: "\t").prefix(3).joined(separator: " ") }
        }
        #expect(try rows(org, next) == ["opens resources.memory 4g -> 8g"])
        // Below a team that says less nothing changes.
        #expect(try rows(org, next, "--team", team) == [])
        #expect(try rows("--org", org, "--with-org", next) == ["opens resources.memory 4g -> 8g"])
        #expect(
            try rows("--org", org, "--team", team, "--with-team", wider) == [
                "closes resources.cpus no limit -> 2", "opens resources.memory 2g -> 3g",
            ])
        #expect(
            try rows("--org", org, "--with-team", team, "--with-project", team) == ["closes resources.memory 4g -> 2g"])
        let refused = try command.run("policy", "diff", "--org", org, "--with-team", loose)
        #expect(
            refused.termination == .exited(2) && refused.errorText.contains("looser than 4g"), "\(refused.errorText)")
        for wrong in [[], [org], ["--org", org], [org, next, "--org", org], [org, next, "--with", next]] {
            let said = try SystemCommandRunner().run(
                Command(BuiltCommand.path, ["policy", "diff"] + wrong, environment: command.environment))
            #expect(said.termination == .exited(64), "\(wrong)")
        }
    }

    @Test("validate names what nothing enforces yet, and ends with status 3 where that is required")
    func notEnforced() throws {
        let command = try BuiltCommand()
        let text = "version: 1\nfilesystem: {deny: [/a]}\n"
        let file = try command.folder.write("org.yaml", text)
        let said = try command.run("policy", "validate", "--org", file)
        #expect(said.succeeded && said.text.contains("does not enforce filesystem.deny of \(file)"))
        try command.folder.write("org.yaml", text + "required: [filesystem]\n")
        let refused = try command.run("policy", "validate", "--org", file)
        #expect(refused.termination == .exited(3))
        #expect(refused.errorText.contains("filesystem.deny (required in \(file):3)"))
    }

    @Test("without files, validate and show are about the current folder's project")
    func here() throws {
        let command = try BuiltCommand()
        let org = try command.folder.write("org.yaml", Self.org)
        try Folder.make(command.folder.path + "/aibox")
        try command.folder.write("aibox/policy.yaml", "version: 1\nresources:\n  memory: 1g\n")
        var environment = command.environment
        environment["AIBOX_POLICY_ORG_BASELINE_PATH"] = org
        func run(_ arguments: String...) throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(BuiltCommand.path, arguments, environment: environment, directory: command.folder.path))
        }
        #expect(try run("policy", "validate").succeeded)
        let shown = try run("policy", "show", "--origin").text
        #expect(shown.contains("resources.memory\t1g\tproject\taibox/policy.yaml:3\tyes"))
        #expect(shown.contains("network.allow\t{id: git, hosts: [git.example.com]}\torg\t\(org):5\tyes"))
        #expect(!shown.contains("default"))
        #expect(
            try run("policy", "show", "--effective", "--origin").text.contains(
                "runtime.engine\tgvisor\torg\tdefault\tyes"))
        let json = try run("policy", "show", "-o", "json").text
        #expect(json.contains("\"field\": \"resources.memory\""))
    }

    @Test("diff says what opens and what closes")
    func difference() throws {
        let command = try BuiltCommand()
        let before = try command.folder.write("a.yaml", Self.org)
        let after = try command.folder.write(
            "b.yaml", "version: 1\nnetwork: {allow: [{id: x, hosts: [x.example.com]}]}\nresources: {memory: 4g}\n")
        let text = try command.run("policy", "diff", before, after).text
        #expect(text.contains("opens\tnetwork.allow\tx.example.com:443\t\(after):2"))
        #expect(text.contains("closes\tnetwork.allow\tgit.example.com:443\t\(before):5"))
        #expect(try command.run("policy", "diff", before, before).text == "")
        #expect(try command.run("policy", "diff", before).termination == .exited(64))
    }

    @Test("a start whose project loosens is refused with the organisation's line, and audited")
    func refusedStart() throws {
        let command = try BuiltCommand()
        let result = try start(command, org: Self.org, project: "version: 1\nresources: {memory: 16g}\n")
        #expect(result.termination == .exited(2))
        #expect(result.errorText.contains("aibox/policy.yaml:2:13: resources.memory is 16g, which is looser than 4g"))
        #expect(result.errorText.contains("org.yaml:7"))
        let log = try command.run("audit", "search", "--type", "policy.deny", "-o", "json").text
        #expect(log.contains("looser than 4g"), "\(log)")
        #expect(try command.run("list").text == "")
    }

    @Test(
        "a start is refused where a document cannot be used, whoever wrote it",
        arguments: [
            ("an unknown key of the project", "version: 1\nresource: {}\n", nil, "unknown key resource", 2),
            ("a broken team policy", nil, "version: [\n", "team.yaml", 2),
            ("a team that loosens", nil, "version: 1\nruntime: {engine: crun}\n", "runtime.engine is crun", 2),
            (
                "a proxy of the project's", "version: 1\nnetwork: {upstream_proxy: {host: p.example.com, port: 1}}\n",
                nil,
                "alone to say", 2
            ),
            (
                "what nothing enforces, required by the project",
                "version: 1\nrequired: [push]\npush: {protected: [main]}\n", nil, "push.protected (required in", 3
            ),
            (
                "a pin that a variable loosens", "version: 1\npins: {logging.level: warn}\n", nil,
                "logging.level is debug", 2
            ),
        ] as [(String, String?, String?, String, Int32)])
    func unusable(what: String, project: String?, team: String?, words: String, status: Int32) throws {
        let command = try BuiltCommand()
        let file = try command.folder.write("org.yaml", Self.org)
        try Folder.make(command.folder.path + "/project/aibox")
        if let project { try command.folder.write("project/aibox/policy.yaml", project) }
        var variables = ["AIBOX_POLICY_ORG_BASELINE_PATH": file, "AIBOX_LOGGING_LEVEL": "debug"]
        if let team { variables["AIBOX_POLICY_TEAM_POLICY_PATH"] = try command.folder.write("team.yaml", team) }
        let result = try command.run("start", "-w", command.folder.path + "/project", variables: variables)
        #expect(result.termination == .exited(status), "\(what): \(result.errorText)")
        #expect(result.errorText.contains(words), "\(what): \(result.errorText)")
    }

    @Test(
        "a policy that is named and missing ends validate, show, why, status and start with status 2, and is never the baseline",
        arguments: [
            ("AIBOX_POLICY_ORG_BASELINE_PATH", "the organisation's policy"),
            ("AIBOX_POLICY_TEAM_POLICY_PATH", "the team's policy"),
        ])
    func missing(variable: String, words: String) throws {
        let command = try BuiltCommand()
        let file = command.folder.path + "/gone.yaml"
        try Folder.make(command.folder.path + "/project")
        for arguments in [
            ["policy", "validate"], ["policy", "show", "--effective"], ["policy", "why", "tool", "git"],
            ["policy", "status"], ["start", "-w", command.folder.path + "/project"],
        ] {
            let environment = command.environment.merging([variable: file]) { $1 }
            let result = try SystemCommandRunner().run(
                Command(BuiltCommand.path, arguments, environment: environment))
            #expect(result.termination == .exited(2), "\(arguments): \(result.text) \(result.errorText)")
            #expect(
                result.errorText.contains("\(words) is missing: there is no \(file)"),
                "\(arguments): \(result.errorText)")
            #expect(result.errorText.contains(variable), "\(arguments): \(result.errorText)")
        }
        let option = variable.contains("ORG") ? "--org" : "--team"
        let named = try command.run("policy", "validate", option, file)
        #expect(named.termination == .exited(2), "\(named.errorText)")
        #expect(named.errorText.contains("\(words) is missing: there is no \(file): \(option) names it"))
    }

    @Test("a project's policy that is no ordinary file in the workspace is refused unread")
    func disguised() throws {
        for make in ["ln -s /etc/hostname policy.yaml", "mkfifo policy.yaml", "mkdir policy.yaml"] {
            let command = try BuiltCommand()
            try Folder.make(command.folder.path + "/project/aibox")
            let made = try SystemCommandRunner().run(
                Command("sh", ["-euc", make], directory: command.folder.path + "/project/aibox"))
            try #require(made.succeeded)
            let result = try start(command, org: Self.org, project: nil)
            #expect(result.termination == .exited(2), "\(make): \(result.errorText)")
            #expect(result.errorText.contains("not an ordinary file"), "\(make): \(result.errorText)")
        }
    }

    @Test("a policy that the sandbox could change is refused")
    func withinReach() throws {
        let command = try BuiltCommand()
        try Folder.make(command.folder.path + "/project")
        let file = try command.folder.write("project/org.yaml", Self.org)
        let result = try command.run(
            "start", "-w", command.folder.path + "/project", variables: ["AIBOX_POLICY_ORG_BASELINE_PATH": file])
        #expect(result.termination == .exited(2))
        #expect(result.errorText.contains("it lies in the workspace"))
    }

    @Test("no setting of a user's points past the machine's own policy")
    func machinePolicy() throws {
        let command = try BuiltCommand()
        try command.folder.write("own.yaml", "version: 1\nruntime: {engine: crun}\n")
        let script = """
            mkdir "$2/etc"
            cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$2/etc"
            mount --bind "$2/etc" /etc
            mkdir -p /etc/aibox; echo 'version: 1' > /etc/aibox/org-policy.yaml
            mkdir -p "$2/project"
            AIBOX_POLICY_ORG_BASELINE_PATH="$2/own.yaml" "$1" start -w "$2/project"
            """
        let result = try command.runIsolated(script)
        #expect(result.termination == .exited(2), "\(result.errorText)")
        #expect(result.errorText.contains("the organisation's policy of this machine is /etc/aibox/org-policy.yaml"))
        #expect(result.errorText.contains("AIBOX_POLICY_ORG_BASELINE_PATH asks for"))
    }

    @Test("a team's policy that the machine names cannot be dropped, and must be there")
    func machineTeam() throws {
        let command = try BuiltCommand()
        let script = """
            mkdir "$2/etc"
            cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$2/etc"
            mount --bind "$2/etc" /etc
            mkdir -p /etc/aibox "$2/project"
            printf 'policy:\\n  team_policy_path: /etc/aibox/team.yaml\\n' > /etc/aibox/config.yaml
            printf 'version: 1\\nresources: {memory: 1g}\\n' > /etc/aibox/team.yaml
            "$1" policy validate
            AIBOX_POLICY_TEAM_POLICY_PATH= "$1" start -w "$2/project" && exit 90
            AIBOX_POLICY_TEAM_POLICY_PATH= "$1" policy show && exit 91
            rm /etc/aibox/team.yaml
            "$1" start -w "$2/project"
            """
        let result = try command.runIsolated(script)
        #expect(result.termination == .exited(2), "\(result.text) \(result.errorText)")
        #expect(result.text.contains("/etc/aibox/team.yaml"), "\(result.text)")
        #expect(
            result.errorText.split(separator: "\n").count {
                $0.contains("policy.team_policy_path is set in /etc/aibox/config.yaml only")
            } == 2, "\(result.errorText)")
        #expect(
            result.errorText.contains("the team's policy is missing: there is no /etc/aibox/team.yaml"),
            "\(result.errorText)")
        #expect(result.errorText.contains("/etc/aibox/config.yaml:2"), "\(result.errorText)")
    }
}

@Suite("aibox policy why, as a person runs it")
struct PolicyWhyCommandTests {
    private static let org = """
        version: 1
        network:
          allow:
            - {id: api, hosts: [api.example.com], methods: [GET]}
            - {id: closed, hosts: [closed.example.com]}
        tools:
          rules:
            - {match: [git], allow: true, risk: safe}
            - {match: [curl], allow: false}
            - {id: make, match: [make, test], allow: true, risk: safe}
        push: {protected: [main]}
        llm: {models: [small-*]}
        mcp: {servers: [{id: lab, tools: {"*": safe, drop: blocked-by-default}}]}
        filesystem: {deny: [/etc/shadow]}
        """

    @Test(
        "the answer names the rule and its line",
        arguments: [
            (["tool", "--", "git", "push", "--force"], "allow: ", "git, org (ORG:8)"),
            (["tool", "/usr/bin/curl", "-v"], "deny: ", "curl, org (ORG:9)"),
            (["tool", "nc"], "allow: no rule names it", "tools.unnamed"),
            (["tool", "make", "x"], "deny: no rule lets this tool run", "not fired make (ORG:10): word 2 is x"),
            (["tool", "make", "test"], "allow: make test fits make of the org policy", "make, org (ORG:10)"),
            (["net", "https://api.example.com/x"], "allow: ", "api, org (ORG:4)"),
            (
                ["net", "https://api.example.com/x", "--method", "POST"], "deny: api.example.com is allowed with GET",
                "api, org (ORG:4)"
            ),
            (
                ["net", "https://api.example.com//x"],
                "deny: in an opened tunnel the path is forwarded as it is written",
                "  change    Send the path in its normal form"
            ),
            (["net", "https://api.example.com/%78"], "deny: in an opened tunnel", "normal-path"),
            (["net", "https://api.example.com/./../x"], "deny: in an opened tunnel", "normal-path"),
            (["net", "https://api.example.com/./%78"], "deny: in an opened tunnel", "normal-path"),
            // Squid is given the path without what apt writes there.
            (
                ["net", "https://api.example.com/x/./y?z=/./"], "allow: ",
                "it goes out as https://api.example.com/x/y?z=/./; with a body it is refused"
            ),
            (
                ["net", "https://api.example.com/./x", "--method", "POST"], "deny: api.example.com is allowed with GET",
                "api"
            ),
            (
                ["net", "https://api.example.com/x", "--method", "get"], "deny: the method is not in capitals",
                "  change    Write methods in capitals"
            ),
            // Nobody reads the path in a tunnel that stays closed, nor is one in the clear forwarded as it is written.
            (["net", "https://closed.example.com//x"], "allow: ", "closed, org (ORG:5)"),
            (["net", "evil.example.com:443"], "deny: evil.example.com is not on the allow-list", "default-deny"),
            (["push", "main", "--force"], "deny: force of main is not allowed", "push.protected:main, org (ORG:11)"),
            (["push", "topic"], "review: ", "push.default"),
            (["llm", "small-1"], "allow: ", "llm.models:small-*, org (ORG:12)"),
            (["llm", "large"], "deny: ", "who owns ORG (org) may add to llm.models"),
            (["llm", "arn:aws:bedrock:eu:1:small-1"], "deny: ", "the model is arn:aws:bedrock:eu:1:small-1, an ARN"),
            (["llm", "large"], "deny: ", "not fired llm.models:small-* (ORG:12): the model is large"),
            (["mcp", "lab", "look"], "allow: ", "fired     lab/* (ORG:13)"),
            (["mcp", "lab", "drop"], "deny: ", "who owns ORG (org) may change it"),
            (["mcp", "db", "x"], "deny: ", "not fired lab/drop (ORG:13): the server is db"),
            (["file", "/etc/shadow"], "deny: ", "filesystem.deny:/etc/shadow, org (ORG:14)"),
            (["file", "/workspace/a", "--write"], "allow: ", "filesystem.workspace_root"),
            (["tool", "curl", "x"], "deny: ", "fired     curl (ORG:9)\n  not fired git (ORG:8): the program is curl"),
            (
                ["tool", "curl", "x"], "deny: ",
                "not fired make (ORG:10): the program is curl\n              match is make test"
            ),
            (["net", "evil.example.com:443"], "deny: ", "not fired api (ORG:4): hosts has evil.example.com"),
        ])
    func answers(arguments: [String], first: String, rule: String) throws {
        let command = try BuiltCommand()
        let file = try command.folder.write("org.yaml", Self.org)
        let words = ["policy", "why", arguments[0], "--org", file] + arguments.dropFirst()
        let result = try SystemCommandRunner().run(
            Command(BuiltCommand.path, words, environment: command.environment))
        #expect(result.succeeded, "\(result.errorText)")
        #expect(result.text.hasPrefix(first), "\(result.text)")
        #expect(result.text.contains(rule.replacing("ORG", with: file)), "\(result.text)")
        #expect(result.text.contains("does not enforce") == ["push", "file"].contains(arguments[0]))
    }

    @Test("as JSON, and with what makes no sense")
    func json() throws {
        let command = try BuiltCommand()
        let file = try command.folder.write("org.yaml", Self.org)
        let answer = try command.run("policy", "why", "net", "-o", "json", "--org", file, "evil.example.com").text
        #expect(answer.contains("\"decision\": \"deny\"") && answer.contains("\"enforced\": true"))
        #expect(try command.run("policy", "why", "net", "--org", file, "10.0.0.1").termination == .exited(64))
        #expect(
            try command.run("policy", "why", "net", "--org", file, "https://api.example.com/a/..%2fb").termination
                == .exited(64))
        #expect(try command.run("policy", "why", "tool", "--org", file).termination == .exited(64))
    }
}
