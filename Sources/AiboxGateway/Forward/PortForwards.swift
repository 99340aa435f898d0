import AiboxAudit
import AiboxSystem
import AiboxWire
import CLinux
import NIOCore
import Synchronization

/// The ports of the sandbox that a person has made reachable on 127.0.0.1, each on the event loop that asked.
final class PortForwards: Sendable {
    private struct Entry {
        var hostPort: UInt16
        var forward: PortForward
        var listener: any Channel
    }

    private let holder: HolderConnection
    private let doors: Doors
    private let audit: GatewayAudit
    private let log: GatewayLog
    /// nil: is being opened.
    private let entries = Mutex<[UInt16: Entry?]>([:])

    private static let limit = 32

    init(holder: HolderConnection, doors: Doors, audit: GatewayAudit, log: GatewayLog) {
        self.holder = holder
        self.doors = doors
        self.audit = audit
        self.log = log
    }

    var list: [ForwardedPort] {
        entries.withLock { entries in
            entries.compactMap { port, entry in
                entry.map {
                    ForwardedPort(port: port, hostPort: $0.hostPort, connections: $0.forward.connections)
                }
            }
        }.sorted { $0.port < $1.port }
    }

    /// Takes the port of the host, tells the audit log, opens the filter, serves; in this order, and nothing stays if one fails.
    func open(_ port: ForwardedPort, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let listener: Descriptor
        do throws(AiboxError) { listener = try claim(port) } catch { return loop.makeFailedFuture(error) }
        let forward = PortForward(to: SandboxLink.boxAddress, port.port, through: holder, log: log)
        return audit.before(event(.portForwardOpen, port), on: loop)
            .flatMap { self.doors.change(on: loop) { $0.box.append(port.port) } }
            .flatMap { forward.serve(listener, on: loop) }
            .map { channel in
                self.entries.withLock {
                    $0[port.port] = Entry(hostPort: port.hostPort, forward: forward, listener: channel)
                }
            }
            .flatMapError { error in
                _ = self.entries.withLock { $0.removeValue(forKey: port.port) }
                return self.doors.change(on: loop) { $0.box.removeAll { $0 == port.port } }
                    .recover { _ in }
                    .flatMapThrowing { throw error }
            }
    }

    /// Closes the port, what is open through it, and the door in the filter.
    func close(_ port: UInt16, on loop: any EventLoop) -> EventLoopFuture<Void> {
        guard let entry = entries.withLock({ $0[port] ?? nil }) else {
            return loop.makeFailedFuture(
                AiboxError(
                    .failed, "cannot stop forwarding port \(port)", why: "it is not forwarded",
                    remedy: "aibox port-forward --list shows what is"))
        }
        entry.forward.closeConnections()
        return entry.listener.close()
            .hop(to: loop)
            .flatMap { self.doors.change(on: loop) { $0.box.removeAll { $0 == port } } }
            .flatMap {
                _ = self.entries.withLock { $0.removeValue(forKey: port) }
                return self.audit.before(
                    self.event(.portForwardClose, ForwardedPort(port: port, hostPort: entry.hostPort)), on: loop)
            }
    }

    func closeConnections() {
        for entry in entries.withLock({ Array($0.values) }) { entry?.forward.closeConnections() }
    }

    private func claim(_ port: ForwardedPort) throws(AiboxError) -> Descriptor {
        let what = "cannot forward port \(port.port) of the sandbox"
        if port.port == SandboxLink.sshPort {
            throw AiboxError(.failed, what, why: "it is SSH's, which has its port already", remedy: "aibox status")
        }
        let taken = entries.withLock { entries -> String? in
            if entries[port.port] != nil { return "it is forwarded already" }
            if entries.count >= Self.limit { return "\(Self.limit) ports are forwarded already" }
            entries[port.port] = .some(nil)
            return nil
        }
        if let taken { throw AiboxError(.failed, what, why: taken, remedy: "aibox port-forward --list") }
        let result = aibox_tcp_listen(IPv4.loopback.value, port.hostPort, 128)
        if result >= 0 { return Descriptor(result) }
        _ = entries.withLock { $0.removeValue(forKey: port.port) }
        throw AiboxError(
            .failed, what, why: "127.0.0.1:\(port.hostPort): \(describe(errno: -result))",
            remedy: "take another port of the host: aibox port-forward \(port.port):HOST")
    }

    private func event(_ type: AuditEventType, _ port: ForwardedPort) -> AuditEvent {
        AuditEvent(
            type, subject: "127.0.0.1:\(port.hostPort)",
            details: ["container_port": .integer(Int64(port.port)), "host_port": .integer(Int64(port.hostPort))])
    }
}
