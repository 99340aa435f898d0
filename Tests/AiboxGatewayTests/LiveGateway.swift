import AiboxAudit
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Synchronization
import Testing

@testable import AiboxContainer

/// A real gateway daemon of the current user: as root in its rootful form, else in its rootless one.
final class LiveGateway {
    let folder: TemporaryFolder
    let process: GatewayProcess
    private var monitor: ChildProcess?
    private var children: [ChildProcess] = []

    var ready: GatewayReady { process.ready }
    var client: GatewayClient { process.client }
    var runFolder: String { folder.path + "/run" }
    var logFile: String { folder.path + "/gateway.log" }
    var log: String { (try? File.text(logFile)) ?? "" }
    /// The process in the gateway's namespace: the parent of the one in the sandbox's.
    let holderPid: Int32

    /// - Parameters:
    ///   - isWatched: a process stands for the container's monitor, as after a complete start.
    ///   - port: the wished SSH port; nil takes one that no other test wishes.
    ///   - plan: the way out; nil: none.
    ///   - executable: a program in the daemon's place.
    ///   - adjust: a last word on the settings, before anything is made.
    init(
        name: String = "live", isWatched: Bool = true, port: UInt16? = nil, plan: EgressPlan? = nil,
        llm: BrokerPlan? = nil, executable: String? = nil, adjust: (inout GatewaySettings) throws -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder(prefix: "aibox-gateway")
        var settings = Self.settings(name: name, runFolder: folder.path + "/run", port: port)
        settings.network = plan?.json
        settings.decisions = try plan.map { _ in try Self.decisions() }
        settings.llm = llm
        try adjust(&settings)
        process = try GatewayProcess.start(settings, logFile: folder.path + "/gateway.log", executable: executable)
        holderPid = try #require(ProcessTable.parent(of: process.ready.holderPid))
        if isWatched { try watch() }
    }

    /// Holds the holder still from now on, so that a control without the filter is not cut off at once.
    func holdGuard() throws {
        kill(holderPid, SIGSTOP)
        try #require(eventually { ProcessTable.isStopped(holderPid) })
    }

    deinit {
        kill(holderPid, SIGCONT)
        for child in children + (monitor.map { [$0] } ?? []) {
            child.send(SIGKILL)
            _ = try? child.wait()
        }
        try? process.stop()
    }

    /// The policies that are part of aibox, and an organisation's own beside them.
    ///
    /// - Parameter own: Rego of the package aibox.org.
    static func decisions(own: String? = nil) throws -> DecisionPlan {
        let folder = Path.parent(Path.parent(Path.parent(#filePath))) + "/aibox-policies/org"
        var sources = try Folder.names(folder).sorted().map { name in
            PolicyModules.Source(name: name, text: try File.read(folder + "/" + name))
        }
        if let own { sources.append(.init(name: "own.rego", text: Array(own.utf8), isOwn: true)) }
        let policy = try EffectivePolicy(
            organisation: try PolicyDocument(
                Array("version: 1\nllm: {models: [\"claude-*\"]}\n".utf8), layer: .org, file: "org"), day: "2026-11-22")
        return DecisionPlan(policy: policy.decisionDocument, modules: PolicyModules(sources).json)
    }

    private static let used = Atomic(0)

    static func settings(name: String = "live", runFolder: String, port: UInt16? = nil) -> GatewaySettings {
        // Suites run side by side, and so do root's run and an ordinary user's.
        let block = used.add(1, ordering: .relaxed).oldValue % 500
        let own = UInt16((geteuid() == 0 ? 20_000 : 26_000) + block * 10)
        return GatewaySettings(
            sandbox: name, runFolder: runFolder, user: UserIdentity.current.name, container: "aibox-\(name)",
            sshPort: port ?? own,
            audit: .init(folder: runFolder + ".audit", checkpoints: runFolder + ".checkpoints", session: "test"))
    }

    /// Settings as `GatewayProcess.start` would complete them.
    static func completeSettings(runFolder: String) throws -> GatewaySettings {
        var settings = settings(runFolder: runFolder)
        if geteuid() != 0 { settings.userNamespacePid = try PodmanUserNamespace.pausePid() }
        return settings
    }

    /// Starts a stand-in for conmon and ties the daemon to it.
    @discardableResult
    func watch() throws -> ChildProcess {
        let child = try ChildProcess.start(Command("sleep", ["600"]), descriptors: [-1, -1, -1])
        monitor = child
        try process.watch(monitorPid: child.pid)
        return child
    }

    /// Ends the stand-in, as a container that ends does.
    func endMonitor() {
        monitor?.send(SIGKILL)
        _ = try? monitor?.wait()
        monitor = nil
    }

    /// The events that the gateway wrote, oldest first.
    func events(_ type: String? = nil) throws -> [AuditRecord] {
        var tail = try AuditTail(folder: runFolder + ".audit", count: 1_000_000)
        return try tail.next().filter { type == nil || $0.type == type }
    }

    // MARK: Inside

    /// The command, run in the sandbox's network namespace with every right there: more than any container has.
    func inBox(_ executable: String, _ arguments: [String] = []) -> Command {
        Self.entering(ready.holderPid, executable, arguments)
    }

    /// The command, run in the gateway's network namespace.
    func inGateway(_ executable: String, _ arguments: [String] = []) -> Command {
        Self.entering(holderPid, executable, arguments)
    }

    private static func entering(_ pid: Int32, _ executable: String, _ arguments: [String]) -> Command {
        let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
        // An ordinary user's PATH lacks the folders of ip and nft.
        let path = ExecutableSearch.find(executable) ?? executable
        return Command("nsenter", user + ["--target", "\(pid)", "--net", path] + arguments)
    }

    /// Runs to the end and returns what was printed.
    func run(_ command: Command, timeout: Duration = .seconds(30)) throws -> String {
        let result = try SystemCommandRunner().run(command, timeout: timeout)
        // A plain value: a failing expectation prints its operands, and a result's are bytes.
        let succeeded = result.succeeded
        try #require(succeeded, "\(command.display): \(result.errorText)")
        return result.text
    }

    /// Starts a command that lives as long as this value, and waits for the line `ready` on its output.
    @discardableResult
    func keep(_ command: Command, input: Descriptor? = nil) throws -> Service {
        let output = try Pipe()
        let child = try ChildProcess.start(
            command, descriptors: [input?.number ?? -1, output.write.number, STDERR_FILENO])
        output.write.close()
        children.append(child)
        let service = Service(pid: child.pid, output: output.read)
        try #require(try service.nextLine() == "ready")
        return service
    }

    /// A process that talks in lines.
    struct Service {
        let pid: Int32
        let output: Descriptor

        func nextLine(within limit: Duration = .seconds(30)) throws -> String {
            var line: [UInt8] = []
            while true {
                var waiting = pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)
                try #require(poll(&waiting, 1, limit.milliseconds) == 1, "no line came")
                var byte: UInt8 = 0
                try #require(read(output.number, &byte, 1) == 1, "the process ended")
                if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
                line.append(byte)
            }
        }
    }
}

/// What the kernel knows of processes.
enum ProcessTable {
    static func parent(of pid: Int32) -> Int32? { field("PPid", pid).flatMap { Int32($0) } }

    static func children(of pid: Int32) -> [Int32] {
        ((try? Folder.names("/proc")) ?? []).compactMap { Int32($0) }.filter { parent(of: $0) == pid }
    }

    /// False for one that has ended, whether or not somebody has asked how.
    static func isAlive(_ pid: Int32) -> Bool {
        guard let state = field("State", pid) else { return false }
        return !state.hasPrefix("Z") && !state.hasPrefix("X")
    }

    /// True once every thread is held by SIGSTOP.
    static func isStopped(_ pid: Int32) -> Bool {
        let threads = (try? Folder.names("/proc/\(pid)/task")) ?? []
        return !threads.isEmpty
            && threads.allSatisfy { Int32($0).flatMap { field("State", $0) }?.hasPrefix("T") == true }
    }

    static func residentKilobytes(_ pid: Int32) -> Int {
        field("VmRSS", pid).flatMap { Int($0.split(separator: " ")[0]) } ?? 0
    }

    /// Living processes with `NAME=value` in their environment.
    static func marked(_ variable: String) -> [Int32] {
        ((try? Folder.names("/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
            guard let text = try? File.text("/proc/\(pid)/environ") else { return false }
            return text.split(separator: "\0").contains(Substring(variable))
        }
    }

    private static func field(_ name: String, _ pid: Int32) -> String? {
        guard let status = try? File.text("/proc/\(pid)/status", limit: 1 << 16) else { return nil }
        for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
            return String(line.dropFirst(name.utf8.count + 1).drop { $0 == "\t" || $0 == " " })
        }
        return nil
    }
}

/// Waits until something holds; false if it does not within the time, which is long: how fast things are is measured
/// by `make bench`, not here.
func eventually(within limit: Duration = .seconds(30), _ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if condition() { return true }
        usleep(5000)
    }
    return condition()
}

/// True if a listener on 127.0.0.1 could be made on the port.
func isFree(_ port: UInt16) -> Bool {
    let descriptor = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    var yes: Int32 = 1
    setsockopt(descriptor.number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let bound = withLoopback(port) { bind(descriptor.number, $0, $1) }
    return bound == 0 && listen(descriptor.number, 1) == 0
}

/// 127.0.0.1 and a port, as the kernel's calls want them.
func withLoopback<Value>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
}
