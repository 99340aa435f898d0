import AiboxSystem
import CLinux
import Glibc
import Synchronization

/// The daemon's main thread: sleeps until something ends the daemon, and says what.
///
/// It must be the thread that started the holder: the kernel ends the holder when that thread ends.
final class Supervisor: Sendable {
    /// Why the daemon has to end.
    enum Ending: Sendable, Equatable {
        /// Somebody asked through the control socket.
        case asked
        /// SIGTERM, SIGINT or SIGHUP.
        case signalled(Int32)
        /// The container's monitor is gone, so the container is.
        case monitorEnded(Int32)
        /// The CLI that started the daemon died before it named a container.
        case starterLost
        /// The holder is gone, and with it the namespaces.
        case holderLost(String)

        /// A sandbox that lost its wall is a failure; all else is an orderly end.
        var isFailure: Bool { if case .holderLost = self { true } else { false } }

        var reason: String {
            switch self {
            case .asked: "stop was asked for"
            case .signalled(let number): "signal \(number)"
            case .monitorEnded(let pid): "the container's monitor \(pid) ended"
            case .starterLost: "the starting command ended before there was a container"
            case .holderLost(let why): "the namespace holder is lost: \(why)"
            }
        }
    }

    private struct Orders {
        var isStopAsked = false
        var monitor: Monitor?
    }

    private struct Monitor {
        var pid: Int32
        var descriptor: Descriptor
    }

    private let holder: HolderConnection
    private let containment: Containment
    private let audit: GatewayAudit
    private let leash: Descriptor
    private let signals: Descriptor
    private let wakeReader: Descriptor
    private let wakeWriter: Descriptor
    private let orders = Mutex(Orders())

    /// - Parameter leash: a pipe whose other end the starting command holds until it has a container.
    init(
        holder: HolderConnection, containment: Containment, audit: GatewayAudit, leash: Descriptor,
        signals: Descriptor
    ) throws(AiboxError) {
        self.holder = holder
        self.audit = audit
        self.containment = containment
        self.leash = leash
        self.signals = signals
        let wake = try Pipe()
        wakeReader = wake.read
        wakeWriter = wake.write
        wakeWriter.setNonBlocking()
    }

    /// The signals that end the daemon, as a descriptor. To be called before any thread exists.
    static func signals() throws(AiboxError) -> Descriptor {
        let numbers = [SIGTERM, SIGINT, SIGHUP]
        return Descriptor(try check(aibox_signal_descriptor(numbers, Int32(numbers.count)), "cannot take signals"))
    }

    /// The process that is watched.
    var monitorPid: Int32? { orders.withLock { $0.monitor?.pid } }

    /// Ends the daemon.
    func stop() {
        orders.withLock { $0.isStopAsked = true }
        wakeUp()
    }

    /// Ends the daemon when this process ends. From now on the starting command may go.
    func watch(_ pid: Int32) throws(AiboxError) {
        let what = "cannot watch the container's monitor \(pid)"
        let descriptor = Descriptor(try check(aibox_pidfd_open(pid), what))
        let isNew = orders.withLock { orders in
            if orders.monitor != nil { return false }
            orders.monitor = Monitor(pid: pid, descriptor: descriptor)
            return true
        }
        if !isNew { throw AiboxError(.failed, what, why: "this gateway watches another one already") }
        wakeUp()
    }

    /// Sleeps to the end.
    func run() -> Ending {
        audit.dropped(holder.takeDropped())
        while true {
            let (isStopAsked, monitor) = orders.withLock { ($0.isStopAsked, $0.monitor) }
            if isStopAsked { return .asked }
            let watched = monitor?.descriptor ?? leash
            var waiting = [signals, wakeReader, holder.socket, watched].map {
                pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0)
            }
            if poll(&waiting, nfds_t(waiting.count), -1) < 0 {
                if errno == EINTR { continue }
                return .holderLost("cannot wait for it: \(describe(errno: errno))")
            }
            if waiting[0].revents != 0, let number = takeSignal() { return .signalled(number) }
            if waiting[1].revents != 0 { takeWake() }
            if waiting[2].revents != 0 {
                do throws(AiboxError) {
                    switch try holder.receive() {
                    case .drift(let findings): containment.isCut(layer: "packet filter", reason: findings)
                    case .dropped(let packets): audit.dropped(packets)
                    default: break
                    }
                } catch {
                    return .holderLost(error.why ?? error.what)
                }
            }
            // A monitor named in the meantime has replaced the leash.
            if waiting[3].revents != 0 {
                if let monitor { return .monitorEnded(monitor.pid) }
                if monitorPid == nil { return .starterLost }
            }
        }
    }

    private func wakeUp() {
        var byte: UInt8 = 1
        _ = write(wakeWriter.number, &byte, 1)
    }

    private func takeWake() {
        var room = [UInt8](repeating: 0, count: 64)
        _ = read(wakeReader.number, &room, room.count)
    }

    private func takeSignal() -> Int32? {
        var information = [UInt8](repeating: 0, count: 128)  // struct signalfd_siginfo; the number comes first
        guard read(signals.number, &information, information.count) == information.count else { return nil }
        return information.withUnsafeBytes { Int32($0.loadUnaligned(as: UInt32.self)) }
    }
}
