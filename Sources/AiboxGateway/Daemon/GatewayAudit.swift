import AiboxAudit
import AiboxSystem
import AiboxWire
import Glibc
import NIOCore

/// The audit events of a gateway.
final class GatewayAudit: Sendable {
    /// For rooms that write events of their own.
    let sink: AuditLog
    private let sandbox: String
    private let log: GatewayLog

    init(_ settings: GatewaySettings, log: GatewayLog) throws(AiboxError) {
        sink = try AuditLog.open(
            folder: settings.audit.folder,
            context: AuditContext(
                source: .gateway, session: settings.audit.session, sandbox: settings.sandbox, user: settings.user,
                policy: settings.audit.policy),
            options: AuditLog.Options(settings.audit))
        sandbox = settings.sandbox
        self.log = log
    }

    /// Tells of a cut that has happened: protecting comes first.
    func cutOff(layer: String, reason: String) {
        let event = AuditEvent(
            .gatewayCutOff, subject: sandbox,
            details: ["layer": .string(layer), "reason": .string(AuditText.carried(Array(reason.utf8)))])
        note(event)
    }

    /// Tells of what has happened anyway: nothing waits for it.
    func note(_ event: AuditEvent) {
        do throws(AiboxError) {
            let log = log
            try sink.note(event) { result in
                if case .failure(let error) = result { log.error("audit log", ["reason": "\(error)"]) }
            }
        } catch {
            log.error("audit log", ["reason": "\(error)"])
        }
    }

    /// Tells of packets that the filter dropped before anybody could hear what was wanted.
    func dropped(_ packets: [DroppedPackets]) {
        for packets in packets { note(packets.event) }
    }

    /// Puts an event on the disk; what it tells of may happen once the answer is there (P7).
    func before(_ event: AuditEvent, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        do throws(AiboxError) {
            try sink.append([event]) { result in promise.completeWith(result.map { _ in }.mapError { $0 as any Error })
            }
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }

    /// A person has asked to connect the sandbox again.
    func repairing(_ reason: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        before(AuditEvent(.gatewayRepair, subject: sandbox, details: ["reason": .string(reason)]), on: loop)
    }

    /// The gateway serves from here on.
    func started(_ ready: GatewayReady) throws(AiboxError) {
        try sink.append(
            AuditEvent(
                .gatewayStart, subject: sandbox,
                details: [
                    "pid": .integer(Int64(ready.pid)),
                    "listeners": [.string("127.0.0.1:\(ready.sshPort)")],
                ]))
    }

    /// The last event of a gateway that could still write it.
    func stopped(_ ending: Supervisor.Ending, _ decisions: EgressRecorder.Counts?) {
        var details: JSONObject = ["pid": .integer(Int64(getpid())), "reason": .string(ending.reason)]
        details["allowed"] = decisions.map { .integer(Int64($0.allowed)) }
        details["denied"] = decisions.map { .integer(Int64($0.denied)) }
        do throws(AiboxError) {
            try sink.append(
                AuditEvent(
                    .gatewayStop, subject: sandbox, outcome: ending.isFailure ? .failure : .success, details: details))
        } catch {
            log.error("audit log", ["reason": "\(error)"])
        }
    }

    /// Signs what was written.
    func close() {
        do throws(AiboxError) { try sink.close() } catch { log.error("audit log", ["reason": "\(error)"]) }
    }
}
