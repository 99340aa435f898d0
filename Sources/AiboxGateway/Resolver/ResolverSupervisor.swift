import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc
import NIOCore
import Synchronization

/// Keeps the sandbox's resolver running in the gateway's namespace, on a thread of its own.
///
/// A new list is a new process: it answers within some milliseconds, and clients ask again meanwhile. One that dies closes
/// its port and is started again, later each time.
final class ResolverSupervisor: Sendable {
    typealias Installed = @Sendable (Result<Void, AiboxError>) -> Void

    private struct Orders {
        var zone: ResolverZone?
        var generation = 0
        var waiting: [Installed] = []
        var isEnding = false
    }

    let program: ResolverProgram
    private let runFolder: String
    private let holder: HolderConnection
    private let doors: Doors
    private let loop: any EventLoop
    private let log: GatewayLog
    private let orders = Mutex(Orders())
    private let isServing = Atomic(false)
    private let isEnded = Atomic(false)
    private let wakeReader: Descriptor
    private let wakeWriter: Descriptor
    /// Told on the supervisor's thread.
    private let answered: @Sendable (QueryDigest.Record) -> Void
    private let lost: @Sendable (String) -> Void

    private static let port: UInt16 = 53
    private static let patience = Duration.seconds(5)

    init(
        _ program: ResolverProgram, runFolder: String, holder: HolderConnection, doors: Doors, loop: any EventLoop,
        log: GatewayLog, answered: @escaping @Sendable (QueryDigest.Record) -> Void,
        lost: @escaping @Sendable (String) -> Void
    ) throws(AiboxError) {
        self.program = program
        self.holder = holder
        self.doors = doors
        self.runFolder = runFolder
        self.loop = loop
        self.log = log
        self.answered = answered
        self.lost = lost
        let wake = try Pipe()
        (wakeReader, wakeWriter) = (wake.read, wake.write)
        wakeReader.setNonBlocking()
        wakeWriter.setNonBlocking()
    }

    /// Begins. Only once somebody takes the holder's replies: the main thread, when it serves.
    func start() throws(AiboxError) { try DedicatedThread.start("aibox-resolver") { self.run() } }

    var serves: Bool { isServing.load(ordering: .acquiring) }

    /// - Parameter completion: called on the supervisor's thread, once it answers or the first attempt failed.
    func install(_ zone: ResolverZone, completion: @escaping Installed) {
        orders.withLock { orders in
            orders.zone = zone
            orders.generation += 1
            orders.waiting.append(completion)
        }
        wakeUp()
    }

    /// Stops looking after it, and tells of what it has answered. To be called before the holder ends, and the process
    /// with it: from now on its end is no loss.
    func end() {
        orders.withLock { $0.isEnding = true }
        wakeUp()
    }

    /// After `end`: waits until all is told.
    func awaitEnd() {
        for _ in 0..<1000 {
            if isEnded.load(ordering: .acquiring) { return }
            usleep(2000)
        }
        log.error("the resolver's supervisor does not end")
    }

    // MARK: The thread

    private struct Running {
        var process: Descriptor
        var lines: Descriptor
        var framer = LineFramer(limit: 8192)
        var last = ""
        var digest = QueryDigest()
    }

    private func run() {
        var running: Running?
        var installed = 0
        var pace = RestartPace()
        while true {
            let (zone, generation, isEnding) = orders.withLock { ($0.zone, $0.generation, $0.isEnding) }
            if isEnding { break }
            if let zone, generation != installed, pace.mayTry {
                let before = running
                defer { settle(before) }
                do throws(AiboxError) {
                    running = try begin(zone)
                    isServing.store(true, ordering: .releasing)
                    installed = generation
                    pace.began()
                    tell(.success(()))
                } catch {
                    pace.failed()
                    running = nil
                    isServing.store(false, ordering: .releasing)
                    if doors.open.udp.contains(Self.port) { try? changePorts(open: false) }
                    log.error("resolver does not start", ["reason": "\(error.what): \(error.why ?? "")"])
                    tell(.failure(error))
                }
            }
            wait(&running, pace)
            if let process = running?.process, hasEnded(process), !orders.withLock({ $0.isEnding }) {
                settle(running)
                let why = "the resolver ended: \(running?.last ?? "")"
                running = nil
                installed = 0
                pace.failed()
                isServing.store(false, ordering: .releasing)
                log.error("resolver lost", ["reason": why])
                lost(why)
                // A port is open only while somebody answers there.
                try? changePorts(open: false)
            }
        }
        settle(running)
        tell(.failure(AiboxError(.failed, "the gateway is ending")))
        isEnded.store(true, ordering: .releasing)
    }

    /// Tells of the questions to a resolver that has none to come: also of those that waited for repetitions.
    private func settle(_ running: Running?) {
        guard var last = running else { return }
        read(&last)
        for record in last.digest.flush(at: .now + .seconds(60)) { answered(record) }
    }

    private func begin(_ zone: ResolverZone) throws(AiboxError) -> Running {
        let file = try configuration(zone)
        let pipe = try Pipe()
        pipe.read.setNonBlocking()
        let begun = ContinuousClock.now
        guard let process = try ask(.resolver(program), [file.number, pipe.write.number]) else {
            throw AiboxError(.failed, "cannot start the resolver", why: "no process came")
        }
        pipe.write.close()
        var running = Running(process: process, lines: pipe.read)
        let deadline = ContinuousClock.now + Self.patience
        while !(try answers(zone)) {
            read(&running)
            if hasEnded(process) { throw AiboxError(.failed, "cannot start the resolver", why: running.last) }
            if .now > deadline {
                throw AiboxError(.failed, "cannot start the resolver", why: "it does not answer; \(running.last)")
            }
            usleep(4000)
        }
        if !doors.open.udp.contains(Self.port) { try changePorts(open: true) }
        log.info(
            "resolver serves",
            ["program": program.rawValue, "after": "\(begun.duration(to: .now).milliseconds)ms"])
        return running
    }

    /// A file without a name, which whoever has its descriptor can read: the resolver is nobody's account.
    private func configuration(_ zone: ResolverZone) throws(AiboxError) -> Descriptor {
        let path = runFolder + "/resolver.conf"
        try File.replace(path, with: program.configuration(for: zone), mode: 0o644)
        defer { unlink(path) }
        return Descriptor(try retrying("cannot read \(path)") { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) })
    }

    /// A real question from the gateway's namespace: does a name of ours lead to the gateway?
    private func answers(_ zone: ResolverZone) throws(AiboxError) -> Bool {
        guard let name = ResolverZone.serviceNames.first,
            let socket = try? ask(.dial(SandboxLink.gatewayAddress, Self.port, milliseconds: 1000))
        else { return false }
        let query = DNSMessage(
            identifier: .random(in: .min ... .max), questions: [.init(name: DNSName(name.text), type: .a)])
        let bytes = query.wire
        let packet = [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
        guard send(socket.number, packet, packet.count, Int32(MSG_NOSIGNAL)) == packet.count else { return false }
        var waiting = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 1000) == 1 else { return false }
        var room = [UInt8](repeating: 0, count: 1024)
        let count = recv(socket.number, &room, room.count, 0)
        guard count > 2, let answer = try? DNSMessage(wire: Array(room[2..<count])) else { return false }
        return answer.isResponse && answer.identifier == query.identifier
            && answer.answers.contains { $0.address == zone.address }
    }

    private func changePorts(open: Bool) throws(AiboxError) {
        do {
            try doors.change(on: loop) { ports in
                ports.tcp.removeAll { $0 == Self.port }
                ports.udp.removeAll { $0 == Self.port }
                if open {
                    ports.tcp.append(Self.port)
                    ports.udp.append(Self.port)
                }
            }.wait()
        } catch {
            throw (error as? AiboxError) ?? AiboxError(.failed, "cannot change the packet filter", why: "\(error)")
        }
    }

    private func ask(_ action: HolderRequest.Action, _ descriptors: [Int32] = []) throws(AiboxError) -> Descriptor? {
        do {
            return try holder.request(action, descriptors, on: loop).wait()
        } catch {
            throw (error as? AiboxError) ?? AiboxError(.failed, "cannot ask the namespace holder", why: "\(error)")
        }
    }

    private func wait(_ running: inout Running?, _ pace: RestartPace) {
        var waiting = [pollfd(fd: wakeReader.number, events: Int16(POLLIN), revents: 0)]
        if let running {
            waiting += [running.process.number, running.lines.number].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
        }
        var limit = pace.wait
        if let due = running?.digest.wait(at: .now) { limit = limit < 0 ? due : min(limit, due) }
        _ = poll(&waiting, nfds_t(waiting.count), limit)
        var room = [UInt8](repeating: 0, count: 64)
        while Glibc.read(wakeReader.number, &room, room.count) > 0 {}
        if var current = running {
            read(&current)
            for record in current.digest.flush(at: .now) { answered(record) }
            running = current
        }
    }

    private func read(_ running: inout Running) {
        var room = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<16 {
            let count = Glibc.read(running.lines.number, &room, room.count)
            if count <= 0 { return }
            guard let lines = try? running.framer.feed(room.prefix(count)) else {
                running.framer = LineFramer(limit: 8192)
                continue
            }
            for line in lines {
                if let answer = ResolverLogLine(line[...]) {
                    // Our own question is no deed of the sandbox's.
                    if answer.client == .v4(SandboxLink.gatewayAddress.value) { continue }
                    for record in running.digest.take(answer, at: .now) { answered(record) }
                } else {
                    running.last = String(decoding: line.prefix(300), as: UTF8.self)
                }
            }
        }
    }

    private func hasEnded(_ process: Descriptor) -> Bool {
        var waiting = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) != 0
    }

    private func tell(_ result: Result<Void, AiboxError>) {
        let waiting = orders.withLock { orders in
            defer { orders.waiting = [] }
            return orders.waiting
        }
        for completion in waiting { completion(result) }
    }

    private func wakeUp() {
        var byte: UInt8 = 1
        _ = write(wakeWriter.number, &byte, 1)
    }
}
