import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension GatewayNotifyTests {
    /// Its sandbox stands in the state, as after `aibox start`.
    private static func recorded() throws -> Scene {
        let scene = try Scene()
        try LiveHome.record(
            "notified", runFolder: scene.folder.path + "/run/aibox/notified", in: scene.folder.path + "/aibox",
            scene.folder.path)
        return scene
    }

    /// What bash offers behind these words, by the script that `aibox completion bash` prints.
    private func offered(_ scene: Scene, _ script: String, _ words: [String]) throws -> [String] {
        let code = """
            source "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
            _aibox "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; printf '%s\\n' "${COMPREPLY[@]}"
            """
        let command = scene.aibox([])
        let result = try SystemCommandRunner().run(
            Command(
                "bash", ["--norc", "-c", code, "bash", script, command.executable] + words,
                environment: scene.environment))
        return result.text.split(separator: "\n").map(String.init)
    }

    @Test("bash offers the sandboxes that run behind --name, and the open questions' ids behind show, approve and deny")
    func completion() throws {
        let scene = try Self.recorded()
        let script = try scene.folder.write(
            "aibox.bash", try SystemCommandRunner().run(scene.aibox(["completion", "bash"])).text)
        #expect(try offered(scene, script, ["approvals", "approve", ""]).allSatisfy { $0.hasPrefix("-") })
        for word in ["one", "two"] { try scene.call(["git", word]) }
        #expect(eventually { (try? scene.gateway.client.approvals().count) == 2 })
        let ids = try scene.gateway.client.approvals().map(\.id)
        for verb in ["show", "approve", "deny"] {
            let words = try offered(scene, script, ["approvals", verb, ""])
            #expect(Set(words.filter { !$0.hasPrefix("-") }) == Set(ids), "\(verb): \(words)")
            #expect(try offered(scene, script, ["approvals", verb, String(ids[0].prefix(7))]).contains(ids[0]))
        }
        let named = try offered(scene, script, ["approvals", "approve", "--name", "notified", ""])
        #expect(Set(ids).isSubset(of: named), "\(named)")
        let other = try offered(scene, script, ["approvals", "approve", "--name", "other", ""])
        #expect(Set(ids).isDisjoint(with: other), "\(other)")
        for command in [["approvals", "list"], ["status"], ["learn", "start"], ["stop"]] {
            #expect(try offered(scene, script, command + ["--name", ""]) == ["notified"], "\(command)")
        }
        // A folder that looks like a sandbox's, with a name that a shell could read otherwise.
        try Folder.makePrivate(scene.folder.path + "/run/aibox/$(touch x)")
        try scene.folder.write("run/aibox/$(touch x)/control.sock", "")
        #expect(try offered(scene, script, ["status", "--name", ""]) == ["notified"])
    }

    /// Behind the last word zsh's script is sent an empty one.
    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    @Test("zsh asks the same, by the words that its script has")
    func completionOfZsh() throws {
        let scene = try Self.recorded()
        try scene.call(["git", "one"])
        #expect(eventually { (try? scene.gateway.client.approvals().count) == 1 })
        let id = try #require(try scene.gateway.client.approvals().first?.id)
        scene.more = ["SAP_SHELL": "zsh", "SAP_SHELL_VERSION": "5.9"]
        let script = try SystemCommandRunner().run(scene.aibox(["completion", "zsh"])).text
        for call in [
            "---completion approvals approve -- positional@0", "---completion approvals show -- positional@0",
            "---completion approvals deny -- positional@0",
        ] {
            #expect(script.contains(call), "\(call)")
            let said = try SystemCommandRunner().run(
                scene.aibox(
                    call.split(separator: " ").map(String.init) + ["3", "0", "aibox", "approvals", "approve", ""]))
            #expect(Self.words(said.text) == [id], "\(said.text) \(said.errorText)")
        }
        #expect(script.contains("---completion status -- --name"))
        let names = try SystemCommandRunner().run(
            scene.aibox(["---completion", "status", "--", "--name", "3", "0", "aibox", "status", "--name", ""]))
        #expect(Self.words(names.text) == ["notified"], "\(names.text) \(names.errorText)")
    }
}
