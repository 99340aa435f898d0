import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

/// `aibox-tool-gate` itself, in a network of its own, before a gateway that answers anything (Tests/lab/gate.py).
@Suite("The gate before a hostile gateway")
struct ToolGateProgramTests {
    @Test("what is not a permission in full runs nothing, and what is becomes the program as it was called")
    func answers() throws {
        let gate = Path.parent(try #require(Path.real("/proc/self/exe"))) + "/aibox-tool-gate"
        let folder = try TemporaryFolder(prefix: "aibox-gate")
        let seed = Int.random(in: 0..<1_000_000)
        let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
        let command = Command(
            "unshare", user + ["--net", "python3", Lab.programs + "/gate.py", gate, "1500", "\(seed)", folder.path])
        let result = try SystemCommandRunner().run(command)
        #expect(result.text.hasPrefix("done 0 wrong; "), "seed \(seed): \(result.text) \(result.errorText)")
        // Some of what was changed is a permission still: the test can tell one from the other.
        let ran = Int(result.text.split(separator: " ").dropFirst(4).first ?? "") ?? 0
        #expect(ran > 20, "\(result.text)")
    }
}
