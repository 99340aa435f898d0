import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("Decisions, as a person sees them")
struct DecisionCommandTests {
    private let command: BuiltCommand
    private let org: String

    init() throws {
        command = try BuiltCommand()
        org = try command.folder.write("org.yaml", "version: 1\nruntime:\n  engine: gvisor\n")
        try Folder.make(command.folder.path + "/.ssh/project")
    }

    /// A start that admission refuses: its workspace lies in a folder of keys.
    private func refusedStart() throws -> CommandResult {
        try command.run(
            "start", "-w", command.folder.path + "/.ssh/project",
            variables: ["AIBOX_POLICY_ORG_BASELINE_PATH": org])
    }

    @Test("a start that the policies refuse ends with status 2, the rule, its line and its layer, and leaves nothing")
    func refused() throws {
        let result = try refusedStart()
        #expect(result.termination == .exited(2))
        #expect(result.errorText.contains("the policy does not admit this sandbox"))
        #expect(result.errorText.contains("mounts.keys (org, aibox-policies/org/mounts.rego:"), "\(result.errorText)")
        #expect(result.errorText.contains("take the folder of one project as the workspace"))
        #expect(try command.run("list").text == "")
        let events = try command.run("audit", "search", "-o", "jsonl").text
        #expect(events.contains(#""type":"policy.deny""#) && !events.contains("sandbox.create"), "\(events)")
        #expect(try command.run("audit", "verify").succeeded)
    }

    @Test("log lists it, explain asks it again and says who may change it, replay what another policy would say")
    func explained() throws {
        _ = try refusedStart()
        let row = try command.run("policy", "log").text
        #expect(row.contains("deny\tstart\t") && row.contains("mounts.keys\torg"), "\(row)")
        let number = String(row.prefix { $0 != "\t" })
        let text = try command.run("policy", "explain", "--log-entry", number).text
        #expect(text.hasPrefix("deny: start "), "\(text)")
        #expect(text.contains("again     deny by mounts.keys, org: the same"), "\(text)")
        #expect(text.contains("fired     mounts.keys (aibox-policies/org/mounts.rego:"), "\(text)")
        #expect(text.contains("not fired runtime.privileged (aibox-policies/org/runtime.rego:"), "\(text)")
        #expect(text.contains("change    mounts.keys: take the folder of one project as the workspace; "), "\(text)")
        let json = try command.run("policy", "explain", "--log-entry", number, "-o", "json").text
        #expect(json.contains("\"agrees\": true") && json.contains("\"condition\": \"not input"), "\(json)")
        let lines = try command.run("policy", "log", "--denied", "-o", "jsonl").text
        #expect(lines.contains(#""action":"start""#) && lines.contains(#""question":{"#), "\(lines)")

        let candidate = try command.folder.write("candidate.yaml", "version: 1\nruntime: {engine: crun}\n")
        let replay = try command.run("policy", "replay", "--with", candidate)
        #expect(replay.succeeded && replay.text == "" && replay.errorText.contains("0 of 1 decisions change"))
    }

    @Test("replay judges documents of several layers, and what they are not valid by themselves for is said")
    func replayed() throws {
        _ = try refusedStart()
        let org = try command.folder.write("candidate.yaml", "version: 1\nruntime: {engine: kata}\n")
        let project = try command.folder.write("project.yaml", "version: 1\nruntime: {engine: crun}\n")
        // The workspace is still a folder of keys; the answer names the first rule in the order of their names.
        let one = try command.run("policy", "replay", "--with", org)
        #expect(one.succeeded && one.errorText.contains("of 1 decisions change"), "\(one.errorText)")
        let both = try command.run("policy", "replay", "--with-org", org, "--with-project", project, "-o", "json")
        #expect(both.succeeded && both.errorText.contains("0 of 1 decisions change"), "\(both.errorText)")
        let other = try command.run("policy", "replay", "--with", org, "--sandbox", "no-such")
        #expect(other.errorText.contains("0 of 0 decisions change"), "\(other.errorText)")
        #expect(try command.run("policy", "replay").termination == .exited(64))
        let broken = try command.folder.write("team.yaml", "version: 1\nteams: {}\n")
        #expect(try command.run("policy", "replay", "--with-team", broken).termination == .exited(2))
    }

    @Test("completion offers the decisions of the log, the newest first, and the sandboxes")
    func completion() throws {
        _ = try refusedStart()
        let id = try #require(
            try command.run("policy", "log", "-o", "jsonl").text.split(separator: "\"").dropFirst(3).first.map(
                String.init))
        let offered = try completed(["policy", "explain", "--log-entry", ""])
        #expect(offered.contains(id), "\(id) \(offered)")
        let log = command.folder.path + "/state/aibox/audit"
        #expect(try completed(["policy", "explain", "--log", log, "--log-entry", ""]).contains(id))
        #expect(try completed(["policy", "explain", "--log", "/nowhere", "--log-entry", ""]) == "")
        // None runs here; what is asked for is not a file of this folder.
        for words in [
            ["status", "--name", ""], ["policy", "show", "--name", ""], ["policy", "log", "--sandbox", ""],
        ] {
            #expect(try completed(words) == "", "\(words)")
        }
    }

    /// What bash would offer for the last word.
    private func completed(_ words: [String]) throws -> String {
        let script = try command.folder.write("aibox.bash", try command.run("completion", "bash").text)
        let asked = #"""
            cd "$2"; source "$1"; aibox=$3; shift 3; aibox() { "$aibox" "$@"; }
            COMP_WORDS=(aibox "$@"); COMP_CWORD=$#; COMP_LINE="aibox $*"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
            $(complete -p aibox | sed 's/.*-F \([^ ]*\).*/\1/') aibox "" "${COMP_WORDS[$#-1]}"; echo "${COMPREPLY[*]}"
            """#
        let result = try SystemCommandRunner().run(
            Command(
                "bash", ["-c", asked, "bash", script, command.folder.path, BuiltCommand.path] + words,
                // Not the sandboxes of whoever runs the tests.
                environment: command.environment.merging(["XDG_RUNTIME_DIR": command.folder.path]) { $1 }))
        return result.text
    }

    @Test("what is no decision, or not there, is said so")
    func wrong() throws {
        _ = try refusedStart()
        let other = try command.run("policy", "explain", "--log-entry", "1")
        #expect(other.termination == .exited(64) && other.errorText.contains("is no decision"), "\(other.errorText)")
        let missing = try command.run("policy", "explain", "--log-entry", "9999")
        #expect(missing.termination == .exited(64) && missing.errorText.contains("there is no event 9999"))
        let broken = try command.folder.write("broken.yaml", "version: [\n")
        #expect(try command.run("policy", "replay", "--with", broken).termination == .exited(2))
    }

    @Test("the organisation's own Rego is asked at the start, and its folder is the machine's")
    func own() throws {
        let script = """
            mkdir "$2/etc"
            cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$2/etc"
            mount --bind "$2/etc" /etc
            mkdir -p /etc/aibox/policies /etc/project "$2/project"
            printf 'package aibox.org\\n\\ndeny contains {"rule": "night", "reason": "not at night"} if input.action == "start"\\n' \
                > /etc/aibox/policies/own.rego
            "$1" start -w "$2/project" 2>&1 && exit 90
            rm /etc/aibox/policies/own.rego
            "$1" start -w /etc/project 2>&1 && exit 91
            exit 0
            """
        let result = try command.runIsolated(script)
        #expect(result.termination == .exited(0), "\(result.text) \(result.errorText)")
        #expect(result.text.contains("night (org, /etc/aibox/policies/own.rego:3): not at night"), "\(result.text)")
        #expect(result.text.contains("who owns /etc/aibox/policies/own.rego (org) may change it"), "\(result.text)")
        #expect(result.text.contains("mounts.host (org, aibox-policies/org/mounts.rego:"), "\(result.text)")
    }
}
