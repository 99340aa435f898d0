import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc
import Synchronization

/// One Squid with one configuration, from start to end. A change of the list is a new one: the old goes on with the
/// connections that it has.
///
/// To be started by a thread that lives as long as the gateway: Squid ends with it.
final class SquidProcess: Sendable {
    let port: UInt16
    let secret: String
    let pid: Int32
    private let child: ChildProcess
    private let process: Descriptor
    private let folder: SquidFolder
    /// What it says on its standard error: why it ends, if it does.
    private let errors: Descriptor
    /// Its access log, a pipe: nothing of it stays on the disk.
    let log: SquidLog
    /// How much it holds of what was sent to it.
    let gauge: SquidGauge
    /// The gateway's own requests, until the log has told of them.
    private let probes = Mutex<[SquidProbe]>([])

    private init(
        _ child: ChildProcess, process: Descriptor, port: UInt16, secret: String, folder: SquidFolder,
        errors: Descriptor, log: SquidLog
    ) {
        self.child = child
        self.process = process
        self.port = port
        self.secret = secret
        self.folder = folder
        self.errors = errors
        self.log = log
        gauge = SquidGauge(port: port, secret: secret)
        pid = child.pid
    }

    /// Starts one and waits until it serves (`awaitReady`).
    ///
    /// - Parameters:
    ///   - configure: the configuration for a port and a folder.
    ///   - files: what the configuration names in its folder, by name.
    static func start(
        in place: SquidFolder, number: Int, files: [(name: String, bytes: [UInt8])],
        limit: Duration = .seconds(10), configure: (UInt16, String) throws(AiboxError) -> SquidConfiguration
    ) throws(AiboxError) -> SquidProcess {
        let folder = try place.makeFolder("\(number)")
        let port = try freePort()
        let configuration = try configure(port, folder.path)
        try folder.write("squid.conf", Array(configuration.text.utf8))
        for file in files { try folder.write(file.name, file.bytes) }
        if configuration.inspects { try makeDatabase(configuration, folder) }
        let log = try SquidLog(account: folder.account)
        let name = SquidPlace.serviceName(runFolder: place.runFolder)
        let errors = try Pipe()
        errors.read.setNonBlocking()
        let nothing = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDWR | O_CLOEXEC) })
        let child = try ChildProcess.start(
            Command(
                "squid", ["-N", "-n", name, "-f", folder.path + "/squid.conf"], environment: environment,
                directory: "/"),
            descriptors: [nothing.number, log.writer.number, errors.write.number], options: .newGroup,
            deathSignal: SIGKILL, account: folder.account)
        errors.write.close()
        log.writer.close()
        let process = Descriptor(try check(aibox_pidfd_open(child.pid), "cannot watch Squid"))
        let squid = SquidProcess(
            child, process: process, port: port, secret: configuration.secret, folder: folder,
            errors: errors.read, log: log)
        do throws(AiboxError) {
            try squid.awaitReady(isJudged: configuration.isJudged, until: .now + limit)
        } catch {
            squid.end()
            throw error
        }
        SquidPlace.clearSharedMemory(runFolder: folder.runFolder)
        return squid
    }

    private static let environment: [String: String?] = ["LC_ALL": "C"]

    /// A port on 127.0.0.1 that nobody had a moment ago. Whether Squid gets it is seen later.
    private static func freePort() throws(AiboxError) -> UInt16 {
        var port: UInt16 = 0
        let socket = Descriptor(
            try check(aibox_tcp_reserve(IPv4.loopback.value, &port), "cannot find a port for Squid"))
        socket.close()
        return port
    }

    private static func makeDatabase(_ configuration: SquidConfiguration, _ folder: SquidFolder) throws(AiboxError) {
        let child = try ChildProcess.start(
            Command(
                SquidConfiguration.certificateGenerator,
                ["-c", "-s", configuration.certificateDatabase, "-M", "4MB"], environment: environment,
                directory: "/"),
            descriptors: [-1, -1, -1], deathSignal: SIGKILL, account: folder.account)
        for _ in 0..<500 {
            if let ending = try child.poll() {
                if ending.succeeded { return }
                throw AiboxError(.failed, "cannot make Squid's store of certificates", why: "\(ending)")
            }
            usleep(2000)
        }
        child.send(SIGKILL)
        _ = try child.wait()
        throw AiboxError(.failed, "cannot make Squid's store of certificates", why: "no end after a second")
    }

    // MARK: While it runs

    /// Readable once it has ended.
    var ending: Int32 { process.number }

    /// False once it has ended: its port may be anybody's then.
    var isAlive: Bool {
        var waiting = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) == 0
    }

    /// What its log says by now, the gateway's own requests left out. All that it wrote is there once it has ended.
    func spoken() -> [SquidLogLine] {
        log.read().filter { line in
            probes.withLock { probes in
                guard let own = probes.firstIndex(where: { $0.isTold(by: line) }) else { return true }
                probes.remove(at: own)
                return false
            }
        }
    }

    /// Ends it, and removes its files.
    func end() {
        _ = aibox_pidfd_send_signal(process.number, SIGKILL)
        kill(-pid, SIGKILL)  // its helpers
        _ = try? child.wait()
        SquidPlace.clearSharedMemory(runFolder: folder.runFolder)
        try? folder.remove()
    }

    /// Why it ended, in its own words.
    func lastWords() -> String {
        var room = [UInt8](repeating: 0, count: 8192)
        let count = max(0, read(errors.number, &room, room.count))
        let lines = String(decoding: room.prefix(count), as: UTF8.self).split(separator: "\n")
        let fatal = lines.filter { $0.contains("FATAL") || $0.contains("ERROR") || $0.contains("Bungled") }
        let words = (fatal.isEmpty ? lines.suffix(2)[...] : fatal.prefix(3)[...]).joined(separator: "; ")
        return words.isEmpty ? "it said nothing" : words
    }

    // MARK: Proof

    /// Returns once it listens, refuses what no rule permits, and has heard the gateway's judge where it has to ask it.
    private func awaitReady(isJudged: Bool, until deadline: ContinuousClock.Instant) throws(AiboxError) {
        let what = "cannot start Squid"
        while !(try isListening()) {
            if !isAlive { throw AiboxError(.failed, what, why: lastWords()) }
            if .now > deadline { throw AiboxError(.failed, what, why: "it does not listen; \(lastWords())") }
            usleep(3000)
        }
        guard try proves(SquidProbe.rules, until: deadline) else {
            throw AiboxError(.failed, what, why: "it does not answer a request")
        }
        if isJudged, !(try proves(SquidProbe.judge, until: deadline)) {
            throw AiboxError(.failed, what, why: "it cannot ask the gateway about requests in opened tunnels")
        }
    }

    private func proves(
        _ question: SquidProbe.Question, until deadline: ContinuousClock.Instant
    ) throws(AiboxError) -> Bool {
        guard let answered = try SquidProbe.ask(question, port: port, secret: secret, until: deadline), isAlive else {
            return false
        }
        probes.withLock { $0.append(answered) }
        return true
    }

    /// True once the listening socket of the port is seen to be this Squid's.
    private func isListening() throws(AiboxError) -> Bool {
        let table = try File.text("/proc/net/tcp")
        guard let socket = ListeningSocket.find(.v4(IPv4.loopback.value), port, in: table) else { return false }
        let owner = folder.account?.user ?? geteuid()
        guard socket.user == owner, holds(socket.inode) else {
            throw AiboxError(
                .integrity, "cannot use Squid's port \(port)", why: "somebody else listens there",
                remedy: "aibox start tries another port")
        }
        return true
    }

    /// True if this Squid has the socket open. Root without the right to look into other users' processes has to do with
    /// the socket's owner: an account that only root can act as.
    private func holds(_ inode: UInt64) -> Bool {
        let descriptors = "/proc/\(pid)/fd"
        var isClosed = true
        for name in (try? Folder.names(descriptors)) ?? [] {
            var room = [CChar](repeating: 0, count: 64)
            let count = readlink(descriptors + "/" + name, &room, room.count - 1)
            if count < 0 { continue }
            isClosed = false
            let target = String(decoding: room.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
            if target == "socket:[\(inode)]" { return true }
        }
        return isClosed && folder.account != nil
    }
}
