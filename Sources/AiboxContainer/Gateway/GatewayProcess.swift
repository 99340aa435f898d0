public import AiboxSystem
public import AiboxWire
import Glibc

/// A gateway daemon that this process started and has not yet tied to a container.
///
/// Until `watch` the daemon hangs on a leash: if this value goes away, or this process dies, the daemon ends and
/// takes the namespaces with it. So a start that fails or is killed half way leaves no daemon behind.
public final class GatewayProcess: Sendable {
    public let ready: GatewayReady
    public let client: GatewayClient
    let child: ChildProcess
    let leash: Descriptor

    private init(ready: GatewayReady, client: GatewayClient, child: ChildProcess, leash: Descriptor) {
        self.ready = ready
        self.client = client
        self.child = child
        self.leash = leash
    }

    /// Starts the daemon and waits until it serves.
    ///
    /// - Parameters:
    ///   - logFile: the daemon's standard output and error go to the end of this file; made 0600.
    ///   - executable: nil looks for the program as `GatewayExecutable.find` does.
    /// - Throws: the daemon's own error where it had time to give one; nothing of it is left then.
    public static func start(
        _ settings: GatewaySettings, logFile: String, executable: String? = nil, timeout: Duration = .seconds(15)
    ) throws(AiboxError) -> GatewayProcess {
        var settings = settings
        if settings.userNamespacePid == nil, geteuid() != 0, settings.engine == "podman" {
            settings.userNamespacePid = try PodmanUserNamespace.pausePid()
        }
        let program: String
        if let executable { program = executable } else { program = try GatewayExecutable.find() }
        let log = Descriptor(
            try retrying("cannot open the log \(logFile)") {
                open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0o600)
            })
        let input = try Pipe()
        let readiness = try Pipe()
        let leash = try Pipe()
        let child = try ChildProcess.start(
            Command(program, ["run"], environment: GatewayExecutable.environment(), directory: "/"),
            descriptors: [input.read.number, log.number, log.number, readiness.write.number, leash.read.number],
            options: .newSession)
        input.read.close()
        readiness.write.close()
        leash.read.close()
        do throws(AiboxError) {
            signal(SIGPIPE, SIG_IGN)
            // A daemon that ends before reading closes the pipe; its report says why.
            try? File.writeAll(settings.json.bytes, to: input.write, "the gateway's settings")
            input.write.close()
            let ready = try GatewayStartReport.await(on: readiness.read, timeout: timeout, logFile: logFile)
            return GatewayProcess(
                ready: ready, client: GatewayClient(runFolder: settings.runFolder), child: child, leash: leash.write)
        } catch {
            leash.write.close()
            end(child)
            _ = try? GatewayRemains.clear(settings.runFolder)
            throw error
        }
    }

    /// Ties the daemon to the container's monitor (conmon) and lets go of the leash.
    public func watch(monitorPid: Int32) throws(AiboxError) {
        try client.watch(monitorPid: monitorPid)
        leash.close()
    }

    /// Ends the daemon and everything that hangs on it.
    public func stop() throws(AiboxError) {
        try client.stop()
        leash.close()
        _ = try child.wait()
    }

    /// Gives a failed daemon a second to clean up after itself.
    private static func end(_ child: ChildProcess) {
        for _ in 0..<100 {
            if (try? child.poll()) != nil { return }
            usleep(10_000)
        }
        child.send(SIGKILL)
        _ = try? child.wait()
    }
}

extension GatewayStartReport {
    /// Reads the one line that a starting daemon writes.
    static func await(on pipe: Descriptor, timeout: Duration, logFile: String) throws(AiboxError) -> GatewayReady {
        let deadline = ContinuousClock.now + timeout
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            var waiting = pollfd(fd: pipe.number, events: Int16(POLLIN), revents: 0)
            let left = ContinuousClock.now.duration(to: deadline)
            let events =
                left > .zero ? try retrying("cannot wait for the gateway") { poll(&waiting, 1, left.milliseconds) } : 0
            if events == 0 {
                throw AiboxError(
                    .failed, "cannot start the gateway", why: "it is not ready after \(timeout)",
                    remedy: "its log is \(logFile)")
            }
            let count = try retrying("cannot hear from the gateway") { read(pipe.number, &chunk, chunk.count) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > Wire.lineLimit { break }
        }
        let report: GatewayStartReport
        do {
            report = try GatewayStartReport(json: try JSONParser.parse(bytes))
        } catch {
            throw AiboxError(
                .failed, "cannot start the gateway",
                why: bytes.isEmpty ? "it ended without a word" : "its report makes no sense: \(error)",
                remedy: "its log is \(logFile)")
        }
        switch report {
        case .ready(let ready): return ready
        case .failed(let error): throw AiboxError(wire: error)
        }
    }
}
