import AiboxSystem
import Testing

@testable import AiboxContainer

/// Real work under the profile: what a developer and an agent do all day must not notice it.
@Suite("Work under the seccomp profile", .serialized)
struct CorpusTests {
    /// What this machine must have, for the corpus to be worth its name.
    private static let required = ["git", "sqlite", "files", "compile", "calls", "restart", "python", "tmux", "sshd"]

    /// The programs of this machine in a container of their own: its /usr, and the few files of /etc they ask for.
    private static func fill(_ root: String) throws {
        let runner = SystemCommandRunner()
        try Folder.make(root + "/usr")
        for name in ["bin", "sbin", "lib", "lib64"] where File.exists("/" + name) {
            try runner.require(Command("ln", ["-s", "usr/" + name, root + "/" + name]), "cannot link \(name)")
        }
        let wanted = ["ld.so.cache", "alternatives", "nsswitch.conf", "os-release", "localtime"]
        let present = try Folder.names("/etc").filter { wanted.contains($0) || $0.hasPrefix("java") }
        try runner.require(
            Command("cp", ["-a"] + present.map { "/etc/" + $0 } + [root + "/etc/"]), "cannot copy files of /etc")
        try Folder.make(root + "/opt/agents")
        let accounts =
            "root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
            + "dev:x:1000:1000::/home/dev:/bin/bash\n"
        try File.replace(root + "/etc/passwd", with: accounts, mode: 0o644)
        try File.replace(root + "/etc/shadow", with: "dev:*:19000:0:99999:7:::\n", mode: 0o644)
        try File.replace(root + "/etc/group", with: "root:x:0:\ntty:x:5:\ndev:x:1000:\n", mode: 0o644)
        let script = Path.parent(#filePath) + "/Corpus/corpus.sh"
        try File.replace(root + "/corpus.sh", with: try File.read(script), mode: 0o755)
    }

    @Test(
        "git, databases, archives, compilers, languages, terminals and SSH work",
        arguments: ProfileContainer.Runtime.allCases)
    func corpus(_ runtime: ProfileContainer.Runtime) throws {
        let container = try ProfileContainer(runtime, .caller, fill: Self.fill)
        let result = try container.run(
            ["bash", "/corpus.sh"], mounts: ["/usr:/usr:ro"] + Self.agents, timeout: .seconds(600))
        let done = result.text.split(separator: "\n").filter { $0.hasPrefix("ok ") }.map { String($0.dropFirst(3)) }
        let missing = Self.required.filter { !done.contains($0) }
        #expect(missing.isEmpty && result.succeeded, "\(result.text)\n\(result.errorText)")
    }

    /// Claude Code and Codex, where their programs lie in the folder of AIBOX_TEST_AGENTS.
    private static var agents: [String] {
        Environment.value("AIBOX_TEST_AGENTS").map { ["\($0):/opt/agents:ro"] } ?? []
    }
}
