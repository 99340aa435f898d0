import AiboxAudit
import AiboxSystem
import AiboxWire
import CLinux
import Dispatch
import Glibc
import Synchronization

/// Takes trace points and puts an event of each into the audit log: from gVisor's sentry, or from `CallWatcher`.
///
/// gVisor's come when the program runs already. One connection is taken, the one that `runsc create` opens
/// before anything runs inside; then nobody can connect any more. What waits is in the socket, which is bounded; where it
/// is full the sentry tries again for a while and then counts what it dropped, which its next packet tells.
///
/// The watcher's come before: where they are required, each is answered once it is on the disk.
final class TraceReceiver: Sendable {
    private let demand: GatewaySettings.TraceDemand
    private let audit: GatewayAudit
    private let log: GatewayLog
    private let socketPath: String
    private let connection = Mutex<Descriptor?>(nil)
    private let listener: Descriptor?
    /// Whether the packets are the watcher's.
    private let isAsked: Bool
    private let isEnding = Atomic(false)
    private let done = DispatchSemaphore(value: 0)
    /// Told why, where points are demanded and some are lost.
    private let failed: @Sendable (String) -> Void

    /// Twentieths of a second that a gateway may live on after its sandbox.
    private static let patience = 100
    /// Points that share a sync.
    private static let batch = 256

    /// Listens where there is no watcher; `runsc create` may connect from here on.
    init(
        _ demand: GatewaySettings.TraceDemand, watcher: Descriptor?, folder: RunFolder, audit: GatewayAudit,
        log: GatewayLog,
        failed: @escaping @Sendable (String) -> Void
    ) throws(AiboxError) {
        self.demand = demand
        self.audit = audit
        self.log = log
        self.failed = failed
        socketPath = folder.path + "/" + Wire.traceSocket
        isAsked = watcher != nil
        listener = isAsked ? nil : try UnixSocket.listenForPackets(folder: folder.path, name: Wire.traceSocket)
        connection.withLock { $0 = watcher }
        try DedicatedThread.start("trace points") { [self] in
            receive()
            done.signal()
        }
    }

    /// Takes what is there still, and ends. The container is gone, or will be.
    func end() {
        isEnding.store(true, ordering: .sequentiallyConsistent)
        // Readers see what waits, and then the end (unix(7)).
        // The watcher hands over what it has, and then hangs up itself.
        connection.withLock { if let open = $0 { _ = shutdown(open.number, Int32(isAsked ? SHUT_WR : SHUT_RDWR)) } }
        if let listener { _ = shutdown(listener.number, Int32(SHUT_RDWR)) }
        _ = done.wait(timeout: .now() + 2)
    }

    private func receive() {
        do throws(AiboxError) {
            var source = connection.withLock { $0 }
            if let listener { source = try accept(listener) }
            guard let open = source else { return }
            connection.withLock { $0 = open }
            if isEnding.load(ordering: .sequentiallyConsistent) { return }
            take(open)
            connection.withLock { $0 = nil }
        } catch {
            report(error.reason)
        }
    }

    /// The sentry's connection, greeted; nil where the gateway ends before there is one.
    private func accept(_ listener: Descriptor) throws(AiboxError) -> Descriptor? {
        while true {
            var waiting = pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0)
            _ = try retrying("cannot wait for gVisor's trace points") { poll(&waiting, 1, -1) }
            if isEnding.load(ordering: .sequentiallyConsistent) { return nil }
            let number = aibox_accept_trusted(listener.number)
            if number == -EACCES || number == -EAGAIN || number == -ECONNABORTED { continue }
            if number < 0 { throw .system("cannot take gVisor's trace points", errno: number) }
            let open = Descriptor(number)
            var room = [UInt8](repeating: 0, count: TraceHandshake.limit)
            guard wait(open, 5000), let greeting = packet(open, &room), TraceHandshake.accepts(greeting) else {
                continue
            }
            let answer = TraceHandshake.answer
            guard send(open.number, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count else {
                continue
            }
            // From now on the door is gone.
            unlink(socketPath)
            listener.close()
            return open
        }
    }

    private func take(_ open: Descriptor) {
        var ledger = TraceLedger(isBounded: demand == .optional, now: .now)
        var room = [UInt8](repeating: 0, count: TraceMessage.limit)
        var isOpen = true
        while isOpen {
            var events: [AuditEvent] = []
            var count = 0
            for index in 0..<Self.batch {
                // The first is waited for, no longer than a loss may stay untold.
                guard wait(open, index == 0 ? (ledger.hasLost ? 1000 : -1) : 0) else { break }
                guard let packet = packet(open, &room) else {
                    isOpen = false
                    break
                }
                count += 1
                if let event = ledger.take(packet, now: .now) { events.append(event) }
            }
            if ledger.hasLost, demand == .required { failed("trace points of the runtime are lost") }
            let isWritten = write(events, &ledger)
            if isAsked, demand == .required, count > 0 {
                // One byte a packet, in order: whether its call may go on.
                let answer = [UInt8](repeating: isWritten ? 1 : 0, count: count)
                _ = send(open.number, answer, count, Int32(MSG_NOSIGNAL))
            }
            if let loss = ledger.loss(now: .now, isEnd: !isOpen) {
                let isWritten = (try? audit.sink.append(loss)) != nil
                ledger.lossTold(isWritten, now: .now)
                log.error("trace points lost", ["reason": loss.details["reason"]?.stringValue ?? ""])
            }
        }
        // The sentry ends with its container, and the gateway right after it.
        for _ in 0..<Self.patience where !isEnding.load(ordering: .sequentiallyConsistent) { usleep(50_000) }
        if isEnding.load(ordering: .sequentiallyConsistent) { return }
        let reason =
            isAsked
            ? "what watches the sandbox's calls ended; it starts no program any more"
            : "the runtime ended its trace and runs on"
        audit.note(
            AuditEvent(
                .runtimeTrace, subject: "ended", outcome: .failure, details: ["reason": .string(reason)],
                severity: .high))
        report(reason)
    }

    /// True if there is an event, and the disk has it.
    private func write(_ events: [AuditEvent], _ ledger: inout TraceLedger) -> Bool {
        if events.isEmpty { return false }
        do throws(AiboxError) {
            try audit.sink.append(events)
            return true
        } catch {
            ledger.lose(events.count, "the audit log took none: \(error.what)")
            if demand == .required { report("the audit log takes no trace points: \(error.reason)") }
            return false
        }
    }

    private func report(_ reason: String) {
        log.error("trace points", ["reason": reason])
        if demand == .required { failed(reason) }
    }

    private func wait(_ open: Descriptor, _ milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: open.number, events: Int16(POLLIN), revents: 0)
        while true {
            let count = poll(&waiting, 1, milliseconds)
            if count < 0, errno == EINTR { continue }
            return count != 0
        }
    }

    /// The next packet; nil at the end. One that is too long comes as its beginning, which is no whole message.
    private func packet(_ open: Descriptor, _ room: inout [UInt8]) -> [UInt8]? {
        var count: Int
        repeat { count = recv(open.number, &room, room.count, 0) } while count < 0 && errno == EINTR
        return count > 0 ? Array(room[..<count]) : nil
    }
}
