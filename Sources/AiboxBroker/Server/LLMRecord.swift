public import AiboxAudit
import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxWire
public import NIOCore

/// Where the proxy's events go.
public protocol LLMAudit: Sendable {
    /// Puts an event on the disk; what it tells of may happen once the answer is there (P7).
    func before(_ event: AuditEvent, on loop: any EventLoop) -> EventLoopFuture<Void>
    /// Tells of what has happened anyway.
    func note(_ event: AuditEvent)
}

/// The audit log itself.
public struct LLMAuditLog: LLMAudit {
    private let log: AuditLog
    private let failed: @Sendable (String) -> Void

    /// - Parameter failed: told what could not be written.
    public init(_ log: AuditLog, failed: @escaping @Sendable (String) -> Void) {
        self.log = log
        self.failed = failed
    }

    public func before(_ event: AuditEvent, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        do throws(AiboxError) {
            try log.append([event]) { result in
                promise.completeWith(result.map { _ in }.mapError { $0 as any Error })
            }
        } catch {
            promise.fail(error)
        }
        return promise.futureResult
    }

    public func note(_ event: AuditEvent) {
        let failed = failed
        do throws(AiboxError) {
            try log.note(event) { result in
                if case .failure(let error) = result { failed(error.reason) }
            }
        } catch {
            failed(error.reason)
        }
    }
}

/// What is known of a request, for its events. Counts and names; nothing that a prompt or an answer says.
struct LLMRecord: Sendable {
    var id: String
    var model = ""
    var provider = ""
    var path = ""
    var bytes = 0
    var digest: String?
    var estimate: Int?
    /// Why another upstream did not get it.
    var reason: String?
    /// The rules of `llm.dlp` that it met.
    var leaks: [LeakScreen.Finding] = []
    /// Where its content is kept.
    var payload: String?

    func asked() -> AuditEvent { request(.allowed, reason: reason) }

    func refused(_ refusal: BrokerRefusal) -> AuditEvent {
        var event = request(refusal.isDenial ? .denied : .failure, reason: "\(refusal.rule): \(refusal.reason)")
        if refusal.isDenial, leaks.isEmpty { event.severity = .warning }
        return event
    }

    /// The finding beside the refusal of a key that is another place's or nobody's. Never the key.
    func misused(_ refusal: BrokerRefusal, _ surrogate: Surrogate?) -> AuditEvent {
        var details: JSONObject = [
            "kind": "llm", "request": .string(id), "reason": .string("\(refusal.rule): \(refusal.reason)"),
        ]
        details["surrogate"] = surrogate?.digest.map { .string($0) }
        return AuditEvent(
            .credentialUse, subject: surrogate?.credential ?? "llm", outcome: .denied, details: details, severity: .high
        )
    }

    private func request(_ outcome: AuditOutcome, reason: String?) -> AuditEvent {
        var details: JSONObject = ["request": .string(id)]
        if !provider.isEmpty { details["provider"] = .string(provider) }
        if !path.isEmpty { details["path"] = .string(Self.carried(path)) }
        if bytes > 0 { details["bytes"] = .integer(Int64(bytes)) }
        details["digest"] = digest.map { .string($0) }
        details["estimated_tokens"] = estimate.map { .integer(Int64($0)) }
        details["payload"] = payload.map { .string($0) }
        details["reason"] = reason.map { .string(Self.carried($0)) }
        if !leaks.isEmpty {
            var counts: JSONObject = [:]
            for finding in leaks where counts[finding.rule] == nil {
                counts[finding.rule] = .integer(Int64(finding.count))
            }
            details["dlp"] = .object(counts)
        }
        return AuditEvent(
            .llmRequest, subject: Self.carried(model), outcome: outcome, details: details,
            severity: leaks.isEmpty ? nil : .high)
    }

    func answered(
        status: Int, bytes: Int, usage: TokenUsage?, micros: Int?, digest: String?, redactions: Int,
        after time: Duration,
        isComplete: Bool, reason: String? = nil
    ) -> AuditEvent {
        var details: JSONObject = [
            "request": .string(id), "provider": .string(provider), "status": .integer(Int64(status)),
            "bytes": .integer(Int64(bytes)), "duration_ms": .integer(Int64(time.milliseconds)),
        ]
        if let usage {
            details["input_tokens"] = .integer(Int64(usage.input))
            details["output_tokens"] = .integer(Int64(usage.output))
            details["cached_tokens"] = .integer(Int64(usage.cached))
            if usage.written > 0 { details["cache_write_tokens"] = .integer(Int64(usage.written)) }
            if usage.hourWritten > 0 { details["cache_write_1h_tokens"] = .integer(Int64(usage.hourWritten)) }
        }
        details["digest"] = digest.map { .string($0) }
        details["payload"] = payload.map { .string($0) }
        details["reason"] = reason.map { .string(Self.carried($0)) }
        details["cost_microdollars"] = micros.map { .integer(Int64($0)) }
        if redactions > 0 { details["redactions"] = .integer(Int64(redactions)) }
        return AuditEvent(
            .llmResponse, subject: Self.carried(model), outcome: isComplete && status < 400 ? .success : .failure,
            details: details, severity: redactions > 0 ? .high : nil)
    }

    private static func carried(_ text: String) -> String { AuditText.carried(Array(text.utf8.prefix(512))) }
}
