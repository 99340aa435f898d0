import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// A workspace and an aibox for it; whatever runs at the end is stopped.
final class SandboxFixture {
    let aibox: AiboxProgram
    let folder: TemporaryFolder
    let workspace: String
    let name: String

    init(engine: Engine = .gvisor, policy: String? = nil, settings: [String: String] = [:]) throws {
        aibox = try AiboxProgram(
            orgPolicy: policy ?? engine.policy, settings: engine.settings.merging(settings) { $1 })
        folder = try TemporaryFolder(prefix: "aibox-work")
        workspace = folder.path + "/project"
        try Folder.make(workspace)
        name = "t" + String(UInt32.random(in: .min ... .max), radix: 36)
    }

    deinit {
        _ = try? aibox.run("stop", "--all", "--volumes", "-q")
        _ = try? aibox.run("stop", "--name", name, "--volumes", "-q")
    }

    enum Engine: String, CaseIterable {
        case gvisor, crun

        var policy: String? { self == .crun ? "version: 1\nruntime: {engine: gvisor, fallback: [crun]}\n" : nil }
        var settings: [String: String] { self == .crun ? ["AIBOX_GVISOR_ENABLED": "false"] : [:] }
    }

    var container: String { "aibox-" + name }

    func start() throws {
        let result = try aibox.run("start", "-w", workspace, "--name", name)
        try #require(result.succeeded, "start: \(result.errorText)")
    }

    @discardableResult
    func shell(_ words: String..., input: [UInt8] = []) throws -> CommandResult {
        try SystemCommandRunner().run(
            aibox.command(["shell", "--name", name, "--"] + words, in: workspace, input: input), timeout: .seconds(120))
    }

    /// The record that `status -o json` gives.
    func status() throws -> JSONValue {
        try JSONParser.parse(try aibox.run("status", "--name", name, "-o", "json").output)
    }

    /// Everything of this sandbox that is still on the machine.
    func remains() throws -> [String] {
        var found: [String] = []
        let runner = SystemCommandRunner()
        let containers = try runner.run(Command("podman", ["ps", "--all", "--format", "{{.Names}}"]))
        if containers.text.split(separator: "\n").contains(Substring(container)) { found.append("container") }
        let processes = try runner.run(Command("ps", ["-e", "-o", "pid=,args="]))
        for line in processes.text.split(separator: "\n") where line.contains(container) || line.contains("/\(name)/") {
            if line.contains("aiboxPackageTests") || line.contains("[") { continue }
            found.append("process \(line)")
        }
        let roots = [
            Environment.value("XDG_RUNTIME_DIR").map { $0 + "/aibox" }, "/run/aibox",
            aibox.home.path + "/state/aibox/run",
        ]
        for root in roots.compactMap({ $0 }) where File.exists(root + "/" + name) { found.append(root + "/" + name) }
        if MountTable.current.mounts.contains(where: { $0.target.hasSuffix("/.workspaces/" + name) }) {
            found.append("mount")
        }
        return found
    }

    /// What remains after at most five seconds: processes take a moment to go.
    func settledRemains() throws -> [String] {
        for _ in 0..<50 {
            if try remains().isEmpty { return [] }
            usleep(100_000)
        }
        return try remains()
    }
}
