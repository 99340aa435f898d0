import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxCredentials

@Suite("Which store is used")
struct CredentialStoresTests {

    private static func settings(_ change: (inout Configuration.Credentials) -> Void) -> Configuration.Credentials {
        var settings = Configuration.Credentials()
        change(&settings)
        return settings
    }

    private static func program(_ lab: FileStoreLab, _ script: String) throws -> CommandStore {
        let path = try lab.folder.write("helper", "#!/bin/sh\n" + script)
        chmod(path, 0o755)
        return CommandStore([path, "--fixed"], timeout: .seconds(30))
    }

    private static func available(
        _ lab: FileStoreLab, _ variables: [String: String] = [:], command: CommandStore? = nil
    ) -> AvailableStores {
        AvailableStores(
            environment: EnvironmentStore(variables), command: command,
            keyring: SecretServiceStore(environment: ["PATH": "/nonexistent"]), file: lab.store())
    }

    @Test(
        "what works is used, in order, and the first that keeps anything takes what is new",
        arguments: [
            ("auto with nothing", Configuration.Credentials.Store.auto, false, false, ["file"]),
            ("auto with variables", .auto, true, false, ["environment", "file"]),
            ("auto with a program", .auto, false, true, ["command", "file"]),
            ("file", .file, true, true, ["file"]), ("environment", .environment, true, true, ["environment"]),
            ("command", .command, true, true, ["command"]),
        ])
    func chosen(
        name: String, store: Configuration.Credentials.Store, hasVariables: Bool, hasCommand: Bool, expected: [String]
    ) throws {
        let lab = try FileStoreLab()
        let variables = hasVariables ? ["AIBOX_LLM_API_KEY": "k", "AIBOX_LLM_PROVIDER": "openai"] : [:]
        let command = hasCommand ? try Self.program(lab, "exit 1") : nil
        let stores = try CredentialStores(
            Self.settings { $0.store = store }, of: Self.available(lab, variables, command: command))
        #expect(stores.stores.map(\.kind.rawValue) == expected)
        #expect(stores.notes.isEmpty)
        #expect(stores.writable?.kind.rawValue == (expected.contains("file") ? "file" : nil))
        if stores.writable == nil {
            #expect(throws: AiboxError.self) { try stores.write(try FileStoreLab.stored("git-token:a.example", "x")) }
        }
    }

    @Test("a keyring that was asked for and does not work is an error, or visibly the file")
    func fallback() throws {
        let lab = try FileStoreLab()
        let error = #expect(throws: AiboxError.self) {
            try CredentialStores(Self.settings { $0.store = .keyring }, of: Self.available(lab))
        }
        #expect(error?.reason.contains("keyring") == true && error?.remedy != nil)
        let settings = Self.settings { settings in
            settings.store = .keyring
            settings.fallback = .file
        }
        let stores = try CredentialStores(settings, of: Self.available(lab))
        #expect(stores.stores.map(\.kind) == [.file])
        #expect(stores.notes.count == 1 && stores.notes[0].contains("encrypted file takes its place"))
    }

    @Test("a store that is asked first and fails stops the search: no older value is taken in silence")
    func noOlderValue() throws {
        let lab = try FileStoreLab()
        try lab.store().write(try FileStoreLab.stored("git-token:git.example", "old"))
        let failing = CredentialStores([try Self.program(lab, "echo locked >&2; exit 1"), lab.store()])
        let error = #expect(throws: AiboxError.self) { try failing.read(try CredentialName("git-token:git.example")) }
        #expect(error?.reason == "credentials.command failed: locked")
        let empty = CredentialStores([try Self.program(lab, #"echo '{"version":1}'"#), lab.store()])
        #expect(try empty.secret(for: try CredentialName("git-token:git.example"))?.text == "old")
    }

    @Test("what is written to one store is taken out of the others that keep")
    func moved() throws {
        let (first, second) = (try FileStoreLab(), try FileStoreLab())
        let stored = try FileStoreLab.stored("git-token:git.example", "old")
        try second.store().write(stored)
        let both = CredentialStores([first.store(), second.store()])
        #expect(try both.list().count == 1)
        #expect(try both.remove(stored.credential.name) == [.file])
        #expect(try both.list().isEmpty)
    }

    @Test("a stand-in is no secret to keep, wherever it comes from", arguments: BrokerPlan.API.allCases)
    func standIns(api: BrokerPlan.API) throws {
        let lab = try FileStoreLab()
        let surrogate = try Secret(api.surrogatePrefix + String(repeating: "0f", count: 32))
        let credential = try Credential(try CredentialName("git-token:git.example"))
        #expect(throws: AiboxError.self) {
            try CredentialStores([lab.store()]).write(StoredCredential(credential, surrogate))
        }
        #expect(try lab.store().list().isEmpty)
        let store = EnvironmentStore(["AIBOX_GIT_TOKEN": surrogate.text, "AIBOX_GIT_HOST": "git.example"])
        let error = #expect(throws: AiboxError.self) { try store.list() }
        #expect(error?.description.contains(surrogate.text) == false)
    }

    @Test(
        "variables are credentials of whom the second one names",
        arguments: [
            ("git", ["AIBOX_GIT_TOKEN": "s", "AIBOX_GIT_HOST": "git.example"], ["git-token:git.example"], false),
            (
                "a provider", ["AIBOX_LLM_API_KEY": "s", "AIBOX_LLM_PROVIDER": "anthropic"], ["llm-api-key:anthropic"],
                false
            ),
            (
                "a gateway",
                ["AIBOX_LLM_API_KEY": "s", "AIBOX_LLM_PROVIDER": "custom", "AIBOX_LLM_HOST": "llm.example"],
                ["llm-api-key:custom"], false
            ),
            (
                "a mirror", ["AIBOX_MIRROR_TOKEN": "s", "AIBOX_MIRROR_HOST": "p.example"], ["mirror-token:p.example"],
                false
            ),
            ("nobody's", ["AIBOX_GIT_TOKEN": "canary"], [], true),
            ("a gateway nowhere", ["AIBOX_LLM_API_KEY": "canary", "AIBOX_LLM_PROVIDER": "custom"], [], true),
            ("a strange provider", ["AIBOX_LLM_API_KEY": "canary", "AIBOX_LLM_PROVIDER": "x"], [], true),
            ("a line break", ["AIBOX_GIT_TOKEN": "canary\n", "AIBOX_GIT_HOST": "git.example"], [], true),
            (
                "inside a sandbox", ["AIBOX_SANDBOX": "x", "AIBOX_GIT_TOKEN": "s", "AIBOX_GIT_HOST": "g.example"], [],
                false
            ),
            ("empty", ["AIBOX_GIT_TOKEN": ""], [], false),
        ] as [(String, [String: String], [String], Bool)])
    func environment(name: String, variables: [String: String], names: [String], fails: Bool) throws {
        let store = EnvironmentStore(variables)
        if fails {
            let error = try #require(throws: AiboxError.self) { try store.list() }
            #expect(!error.description.contains("canary"))
            return #expect(store.isPresent)
        }
        #expect(try store.list().map(\.name.description) == names)
        #expect(store.isPresent == !names.isEmpty)
        for name in names { #expect(try store.secret(for: try CredentialName(name))?.text == "s") }
    }

    @Test("what a program hands out is bound to what it says, else to what the name says")
    func command() throws {
        let lab = try FileStoreLab()
        let store = try Self.program(
            lab,
            #"""
            [ "$1" = --fixed ] || exit 9
            case "$2 ${3:-}" in
            "get git-token:git.example") echo '{"version":1,"secret":"s1","user":"bot","expires":1893456000}';;
            "get custom:x") echo '{"version":1,"secret":"s2","hosts":["x.example:8443/api"],"place":"header:X-Key"}';;
            "get "*) echo '{"version":1}';;
            "list ") echo '{"version":1,"credentials":["llm-api-key:openai","git-token:git.example"]}';;
            esac
            """#)
        try store.check()
        let git = try #require(try store.read(try CredentialName("git-token:git.example")))
        #expect(git.secret.text == "s1" && git.credential.user == "bot")
        #expect(git.credential.expires == Timestamp(seconds: 1_893_456_000))
        #expect(git.credential.destinations.map(\.description) == ["git.example"])
        let custom = try #require(try store.read(try CredentialName("custom:x")))
        #expect(custom.credential.place == .header("x-key"))
        #expect(custom.credential.destinations.map(\.description) == ["x.example:8443/api"])
        #expect(try store.read(try CredentialName("git-token:other.example")) == nil)
        #expect(try store.list().map(\.name.description) == ["git-token:git.example", "llm-api-key:openai"])
        #expect(throws: AiboxError.self) { try store.write(git) }
        #expect(throws: AiboxError.self) { try store.remove(git.credential.name) }
    }

    @Test(
        "an answer that is not as agreed is refused, and no word of it is repeated",
        arguments: [
            ("no JSON", "canary"), ("another version", #"{"version":2,"secret":"canary"}"#),
            ("an unknown member", #"{"version":1,"secret":"x","canary":1}"#),
            ("a secret of two lines", #"{"version":1,"secret":"canary\n"}"#),
            ("a number", #"{"version":1,"secret":7}"#),
            ("a host that is none", #"{"version":1,"secret":"canary","hosts":["10.0.0.1"]}"#),
            ("another host", #"{"version":1,"secret":"canary","hosts":["evil.example"]}"#),
            ("two documents", #"{"version":1,"secret":"canary"}{}"#), ("nothing", ""),
            ("a place that is none", #"{"version":1,"secret":"canary","place":"cookie"}"#),
        ])
    func oddAnswers(name: String, answer: String) throws {
        let lab = try FileStoreLab()
        try lab.folder.write("answer", answer)
        let store = try Self.program(lab, "cat \"$(dirname \"$0\")/answer\"")
        let error = try #require(throws: AiboxError.self) {
            try store.read(try CredentialName("git-token:git.example"))
        }
        #expect(!error.description.contains("canary"), "\(name): \(error)")
    }

    @Test("a program that hangs is ended; a relative one is not run")
    func commandLimits() throws {
        let lab = try FileStoreLab()
        let path = try lab.folder.write("helper", "#!/bin/sh\nexec sleep 600\n")
        chmod(path, 0o755)
        let slow = CommandStore([path], timeout: .milliseconds(200))
        let error = #expect(throws: AiboxError.self) { try slow.read(.llm(.openai)) }
        #expect(error?.reason.contains("did not finish") == true)
        for command in ["helper", "./helper", "/nonexistent/helper"] {
            #expect(throws: AiboxError.self) { try CommandStore([command], timeout: .seconds(1)).check() }
        }
    }
}
