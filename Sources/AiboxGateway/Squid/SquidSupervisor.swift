import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import Glibc
import Synchronization

/// Keeps one Squid with the wanted list running, on a thread of its own.
///
/// A new list is a new Squid; once it answers it takes the new connections, and the one before ends with its last
/// connection. One that dies is started again, later each time. While there is none the gateway answers 503.
final class SquidSupervisor: Sendable {
    /// What a Squid is made of beside the list.
    struct Surroundings: Sendable {
        var targets: TargetPolicy
        var originAuthorities: [String] = []
        var upstream: SquidConfiguration.UpstreamProxy?
        /// A hosts(5) file's text; nil: the host's own.
        var hosts: String?
        /// Where it asks about requests in opened tunnels.
        var judge: SquidConfiguration.Judge
    }

    /// Connections by Squid, and the one that is not to end with its last one.
    private struct Users {
        var counts: [Int32: Int] = [:]
        var current: Int32?
    }

    typealias Installed = @Sendable (Result<SquidProcess?, AiboxError>) -> Void

    private struct Orders {
        var list: AllowList?
        /// Counts the lists that were wanted.
        var generation = 0
        var waiting: [Installed] = []
        var isEnding = false
    }

    private let folder: SquidFolder
    private let surroundings: Surroundings
    private let authority: CertificateAuthority
    private let secret: String
    private let log: GatewayLog
    private let orders = Mutex(Orders())
    private let users = Mutex(Users())
    private let wakeReader: Descriptor
    private let wakeWriter: Descriptor
    private let isEnded = Atomic(false)
    /// Told on the supervisor's thread: the Squid to use from now on, or none and why.
    private let changed: @Sendable (SquidProcess?, String?) -> Void
    /// Told on the supervisor's thread: a line of a Squid's access log.
    private let spoke: @Sendable (SquidLogLine) -> Void

    /// Squids of earlier lists that may still have connections.
    private static let retiredLimit = 3
    private static let readingPause = Duration.milliseconds(20)

    init(
        folder: SquidFolder, surroundings: Surroundings, authority: CertificateAuthority, log: GatewayLog,
        changed: @escaping @Sendable (SquidProcess?, String?) -> Void,
        spoke: @escaping @Sendable (SquidLogLine) -> Void
    ) throws(AiboxError) {
        self.folder = folder
        self.surroundings = surroundings
        self.authority = authority
        self.log = log
        self.changed = changed
        self.spoke = spoke
        secret = Hex.encode(try SecureRandom.bytes(32))
        let wake = try Pipe()
        (wakeReader, wakeWriter) = (wake.read, wake.write)
        wakeReader.setNonBlocking()
        wakeWriter.setNonBlocking()
        try DedicatedThread.start("aibox-squid") { self.run() }
    }

    /// What the gateway shows to every Squid of this supervisor.
    var key: String { secret }

    /// Makes a Squid with this list the current one; nil: none is needed.
    ///
    /// - Parameter completion: called on the supervisor's thread, once it answers or the first attempt failed.
    func install(_ list: AllowList?, completion: @escaping Installed) {
        orders.withLock { orders in
            orders.list = list
            orders.generation += 1
            orders.waiting.append(completion)
        }
        wakeUp()
    }

    /// Ends all of them; returns when nothing is left.
    func end() {
        orders.withLock { $0.isEnding = true }
        wakeUp()
        for _ in 0..<1000 {
            if isEnded.load(ordering: .acquiring) { return }
            usleep(2000)
        }
        log.error("Squid's supervisor does not end")
    }

    // MARK: Connections

    func beginConnection(_ squid: SquidProcess) { users.withLock { $0.counts[squid.pid, default: 0] += 1 } }

    func endConnection(_ squid: SquidProcess) {
        let isOver = users.withLock { users in
            let left = (users.counts[squid.pid] ?? 1) - 1
            users.counts[squid.pid] = left == 0 ? nil : left
            return left == 0 && users.current != squid.pid
        }
        if isOver { wakeUp() }
    }

    private func isUsed(_ squid: SquidProcess) -> Bool { users.withLock { $0.counts[squid.pid] != nil } }

    // MARK: The thread

    private struct Stand {
        var current: SquidProcess?
        var retired: [SquidProcess] = []
        /// The generation that `current` serves.
        var installed = 0
        var pace = RestartPace()
        var count = 0
        /// Lines of a log that come before share one reading: what Squid writes is not to wake anybody each time.
        var nextReading = ContinuousClock.now
    }

    private func run() {
        var stand = Stand()
        while true {
            let (isEnding, generation) = orders.withLock { ($0.isEnding, $0.generation) }
            if isEnding { break }
            if generation != stand.installed, stand.pace.mayTry { install(&stand) }
            sleep(&stand)
            if let current = stand.current, !current.isAlive { mourn(current, &stand) }
            for squid in stand.retired where !squid.isAlive || !isUsed(squid) { end(squid) }
            stand.retired.removeAll { !$0.isAlive }
        }
        for squid in stand.retired + (stand.current.map { [$0] } ?? []) { end(squid) }
        try? folder.remove()
        for completion in take() { completion(.failure(AiboxError(.failed, "the gateway is ending"))) }
        isEnded.store(true, ordering: .releasing)
    }

    private func install(_ stand: inout Stand) {
        let (list, generation) = orders.withLock { ($0.list, $0.generation) }
        guard let list else {
            retire(&stand)
            stand.installed = generation
            changed(nil, nil)
            for completion in take() { completion(.success(nil)) }
            return
        }
        stand.count += 1
        let begun = ContinuousClock.now
        do throws(AiboxError) {
            let squid = try start(list, number: stand.count)
            retire(&stand)
            stand.current = squid
            users.withLock { $0.current = squid.pid }
            stand.installed = generation
            stand.pace.began()
            changed(squid, nil)
            log.info(
                "squid serves",
                [
                    "pid": "\(squid.pid)", "port": "\(squid.port)",
                    "after": "\(begun.duration(to: .now).milliseconds)ms",
                ])
            for completion in take() { completion(.success(squid)) }
        } catch {
            stand.pace.failed()
            log.error("squid does not start", ["reason": "\(error.what): \(error.why ?? "")"])
            if stand.current == nil { changed(nil, error.why ?? error.what) }
            for completion in take() { completion(.failure(error)) }
        }
    }

    private func start(_ list: AllowList, number: Int) throws(AiboxError) -> SquidProcess {
        let surroundings = surroundings
        let secret = secret
        var files: [(name: String, bytes: [UInt8])] = [
            ("authority.pem", authority.certificate + authority.key),
            (SquidConfiguration.refusalPage, Array(SquidConfiguration.refusal.utf8)),
        ]
        if let hosts = surroundings.hosts { files.append(("hosts", Array(hosts.utf8))) }
        return try SquidProcess.start(in: folder, number: number, files: files) { port, folder throws(AiboxError) in
            SquidConfiguration(
                port: port, secret: secret, folder: folder, allowList: list, targets: surroundings.targets,
                authority: folder + "/authority.pem", originAuthorities: surroundings.originAuthorities,
                upstream: surroundings.upstream,
                hostsFile: surroundings.hosts == nil ? nil : folder + "/hosts", judge: surroundings.judge,
                logsToOutput: true)
        }
    }

    private func retire(_ stand: inout Stand) {
        guard let current = stand.current else { return }
        stand.current = nil
        users.withLock { $0.current = nil }
        stand.retired.append(current)
        while stand.retired.count > Self.retiredLimit { end(stand.retired.removeFirst()) }
    }

    private func mourn(_ squid: SquidProcess, _ stand: inout Stand) {
        let why = "Squid ended: \(squid.lastWords())"
        log.error("squid lost", ["pid": "\(squid.pid)", "reason": why])
        stand.current = nil
        users.withLock { $0.current = nil }
        stand.installed = 0
        stand.pace.failed()
        changed(nil, why)
        end(squid)
    }

    /// Ends it; what it had finished by then is told.
    private func end(_ squid: SquidProcess) {
        squid.end()
        for line in squid.spoken() { spoke(line) }
    }

    private func take() -> [Installed] {
        orders.withLock { orders in
            defer { orders.waiting = [] }
            return orders.waiting
        }
    }

    /// Until somebody calls, the current one ends, or it is time to try again.
    private func sleep(_ stand: inout Stand) {
        let squids = stand.retired + (stand.current.map { [$0] } ?? [])
        let pause = max(.zero, ContinuousClock.now.duration(to: stand.nextReading)).milliseconds
        let logs = pause > 0 ? [] : squids.map(\.log.descriptor.number)
        let watched = [wakeReader.number] + squids.map(\.ending) + logs
        var waiting = watched.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var limit = stand.pace.wait
        if !stand.retired.isEmpty { limit = limit < 0 ? 5000 : min(limit, 5000) }
        if pause > 0 { limit = limit < 0 ? Int32(pause) : min(limit, Int32(pause)) }
        _ = poll(&waiting, nfds_t(waiting.count), limit)
        var room = [UInt8](repeating: 0, count: 64)
        while read(wakeReader.number, &room, room.count) > 0 {}
        if stand.nextReading > .now { return }
        for squid in squids {
            for line in squid.spoken() {
                spoke(line)
                stand.nextReading = .now + Self.readingPause
            }
        }
    }

    private func wakeUp() {
        var byte: UInt8 = 1
        _ = write(wakeWriter.number, &byte, 1)
    }
}
