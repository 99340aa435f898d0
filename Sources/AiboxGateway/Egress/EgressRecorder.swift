import AiboxAudit
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire
import NIOCore
import Synchronization

/// Writes what the gateway decided into the audit log: one event a decision, on the disk before its effect (P7).
final class EgressRecorder: Sendable {
    private let sink: AuditLog
    private let sandbox: String
    private let log: GatewayLog
    private let allowedCount = Atomic(0)
    private let deniedCount = Atomic(0)
    private let misused: @Sendable (String) -> Void

    struct Counts {
        var allowed: Int
        var denied: Int
    }

    /// Decisions so far.
    var counts: Counts {
        Counts(allowed: allowedCount.load(ordering: .relaxed), denied: deniedCount.load(ordering: .relaxed))
    }

    /// - Parameter misused: told of a stand-in for a credential that was used where it does not belong, once the log has it.
    init(
        sink: AuditLog, sandbox: String, log: GatewayLog, misused: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.misused = misused
        self.sink = sink
        self.sandbox = sandbox
        self.log = log
    }

    /// - Returns: the event's id; fails if it could not be written.
    func allowed(
        _ request: EgressRequest, _ grant: EgressGrant, _ rego: NetworkDecider.Rego?,
        _ learned: NetworkDecider.Learned?, _ way: Way, on loop: any EventLoop
    ) -> EventLoopFuture<EventID> {
        allowedCount.add(1, ordering: .relaxed)
        var details = Self.details(EgressAttempt(request), way)
        details["rule"] = .string(grant.rule)
        details["layer"] = .string(grant.layer)
        Self.add(rego, to: &details)
        if let learned, learned.refusal == nil { Self.add(learned.would, to: &details) }
        return append(
            [AuditEvent(.networkAllow, subject: "\(request.host):\(request.port)", details: details)], on: loop)
    }

    /// - Parameter rego: what the policies in Rego said, where they refuse.
    func denied(
        _ denial: EgressDenial, _ attempt: EgressAttempt, _ rego: NetworkDecider.Rego?,
        _ learned: NetworkDecider.Learned?, _ way: Way, on loop: any EventLoop
    ) -> EventLoopFuture<EventID> {
        deniedCount.add(1, ordering: .relaxed)
        var details = Self.details(attempt, way)
        details["rule"] = .string(denial.rule)
        details["layer"] = .string(denial.layer)
        details["reason"] = .string(denial.reason)
        details["code"] = .string(denial.code.rawValue)
        Self.add(rego, to: &details)
        if let refusal = learned?.refusal {
            details["learning"] = true
            details["org_rule"] = .string(refusal.rule)
            details["org_code"] = .string(refusal.code.rawValue)
        }
        let event = AuditEvent(.networkDeny, subject: attempt.place, outcome: .denied, details: details)
        guard let surrogate = denial.surrogate else { return append([event], on: loop) }
        let written = append([event, Self.misuse(surrogate, denial, attempt)], on: loop)
        // Also where it could not be written: protecting does not wait for a full disk.
        written.whenComplete { [misused] _ in
            misused("\(surrogate.words) was sent to \(attempt.host.map(Self.carried) ?? "another place")")
        }
        return written
    }

    /// A stand-in for a credential went where it does not belong: a finding beside the refusal.
    private static func misuse(
        _ surrogate: Surrogate, _ denial: EgressDenial, _ attempt: EgressAttempt
    ) -> AuditEvent {
        var details: JSONObject = ["kind": "llm", "reason": .string("\(denial.rule): \(denial.reason)")]
        details["surrogate"] = surrogate.digest.map { .string($0) }
        if attempt.host != nil { details["host"] = .string(attempt.place) }
        details["operation"] = attempt.method.map { .string(carried($0)) }
        return AuditEvent(
            .credentialUse, subject: surrogate.credential ?? "llm", outcome: .denied, details: details, severity: .high)
    }

    /// Needs no waiting: nothing follows from it.
    func ended(_ traffic: EgressTraffic, of event: EventID, after duration: Duration) {
        let details: JSONObject = [
            "allow": .string("\(event)"), "bytes_out": .integer(traffic.bytesUp),
            "bytes_in": .integer(traffic.bytesDown), "duration_ms": .integer(Int64(duration.milliseconds)),
        ]
        let subject = "\(traffic.request.host):\(traffic.request.port)"
        note(AuditEvent(.networkEnd, subject: subject, details: details))
    }

    /// Squid, the second check, refused what the gateway had let through.
    ///
    /// - Parameter list: what holds now; it says which entry the request does not fit.
    func denied(by line: SquidLogLine, _ url: String, _ list: AllowList, isLearning: Bool) {
        deniedCount.add(1, ordering: .relaxed)
        let attempt = EgressAttempt(line, url)
        var details = Self.details(attempt, url.hasPrefix("https:") ? .opened : .door(.proxy))
        if isLearning { details["learning"] = true }
        details["rule"] = "second-check"
        details["layer"] = "org"
        let isUnasked = line.error == "ERR_ICAP_FAILURE"
        if isUnasked {
            details["code"] = .string(EgressDenial.Code.unavailable.rawValue)
        } else if line.isUnreadable {
            details["code"] = .string(EgressDenial.Code.malformed.rawValue)
        } else if let request = try? EgressRequest(url, method: line.method ?? "GET"),
            case .deny(let denial) = list.decide(request)
        {
            details["rule"] = .string(denial.rule)
            details["layer"] = .string(denial.layer)
            details["code"] = .string(denial.code.rawValue)
        }
        let sni = line.serverName.map { ", SNI \($0)" } ?? ""
        let why =
            isUnasked
            ? "the gateway could not be asked about it"
            : line.isUnreadable
                ? "Squid cannot read it as a request (\(line.status))"
                : "Squid refused: \(line.error ?? line.bumpMode ?? line.result)\(sni)"
        details["reason"] = .string(Self.carried(why))
        note(AuditEvent(.networkDeny, subject: attempt.place, outcome: .denied, details: details))
    }

    /// A request in an opened tunnel has ended: Squid, which alone can read the answer, says so.
    func ended(by line: SquidLogLine, _ url: String, event: String) {
        let details: JSONObject = [
            "allow": .string(Self.carried(event)), "status": .integer(Int64(line.status)),
            "bytes_out": .integer(line.bytesReceived), "bytes_in": .integer(line.bytesSent),
            "duration_ms": .integer(line.duration),
        ]
        note(AuditEvent(.networkEnd, subject: EgressAttempt(line, url).place, details: details))
    }

    /// A request in an opened tunnel was allowed, and its client had left by then: nothing of it went out, and Squid's log has no
    /// line that names the event.
    func left(_ attempt: EgressAttempt, event: String, after duration: Duration) {
        let details: JSONObject = [
            "allow": .string(Self.carried(event)), "status": 0, "bytes_out": 0, "bytes_in": 0,
            "duration_ms": .integer(Int64(duration.milliseconds)),
        ]
        note(AuditEvent(.networkEnd, subject: attempt.place, details: details))
    }

    /// The sandbox asked for a name; the answer is the resolver's alone, so that nothing waits for the record.
    ///
    /// - Parameter list: what holds now; it says which rule refuses a name.
    func asked(_ record: QueryDigest.Record, _ list: AllowList, isLearning: Bool) {
        var details: JSONObject = [
            "record": .string(record.line.type), "code": .string(record.line.code),
        ]
        if record.count > 1 || record.isMixed { details["queries"] = .integer(Int64(record.count)) }
        if record.line.isRefused {
            if isLearning { details["learning"] = true }
            let host = try? HostName(String(record.line.name.dropLast()))
            let denial = record.isMixed ? nil : host.flatMap { host in list.denials.first { $0.host.matches(host) } }
            details["rule"] = .string(denial?.id ?? EgressDenial.defaultRule)
            details["layer"] = .string(denial?.layer ?? "org")
        }
        let name = record.isMixed ? "(different names)" : String(record.line.name.dropLast())
        note(
            AuditEvent(
                .dnsResponse, subject: name.isEmpty ? "." : name,
                outcome: record.line.isRefused ? .denied : .success, details: details))
    }

    /// A service that the way out needs has died.
    func lost(_ layer: String, _ reason: String) {
        note(
            AuditEvent(
                .gatewayCutOff, subject: sandbox, outcome: .failure,
                details: ["layer": .string(layer), "reason": .string(Self.carried(reason))]))
    }

    private func note(_ event: AuditEvent) {
        do throws(AiboxError) {
            try sink.note(event) { [log] result in
                if case .failure(let error) = result { log.error("event not written", ["reason": "\(error)"]) }
            }
        } catch {
            log.error("event not written", ["reason": "\(error)"])
        }
    }

    /// - Returns: the first one's id.
    private func append(_ events: [AuditEvent], on loop: any EventLoop) -> EventLoopFuture<EventID> {
        let promise = loop.makePromise(of: EventID.self)
        do throws(AiboxError) {
            try sink.append(events) { [log] result in
                switch result {
                case .success(let ids):
                    if let id = ids.first { promise.succeed(id) } else { promise.fail(Self.unwritten) }
                case .failure(let error):
                    log.error("event not written", ["reason": "\(error)"])
                    promise.fail(error)
                }
            }
        } catch {
            log.error("event not written", ["reason": "\(error)"])
            promise.fail(error)
        }
        return promise.futureResult
    }

    private static let unwritten = AiboxError(.failed, "cannot write the audit log")

    /// What is needed to ask the policies in Rego again.
    private static func add(_ rego: NetworkDecider.Rego?, to details: inout JSONObject) {
        guard let rego else { return }
        details["question"] = rego.question
        details["input"] = .string(rego.answer.input)
        details["policies"] = .string(rego.policies)
        details["origin"] = rego.place.map { .string(carried($0)) }
    }

    /// Why it would be refused, did the sandbox not learn.
    private static func add(_ would: EgressDenial, to details: inout JSONObject) {
        details["learning"] = true
        details["would"] = "deny"
        details["would_rule"] = .string(would.rule)
        details["would_layer"] = .string(would.layer)
        details["would_code"] = .string(would.code.rawValue)
    }

    /// How a request came.
    enum Way {
        case door(EgressConnection.Door)
        /// In a tunnel that Squid has opened.
        case opened
    }

    private static func details(_ attempt: EgressAttempt, _ way: Way) -> JSONObject {
        var details: JSONObject = [:]
        details["host"] = attempt.host.map { .string(carried($0)) }
        details["port"] = attempt.port.map { .integer(Int64($0)) }
        let word =
            switch way {
            case .opened: "https"
            case .door(.tls): "tls"
            case .door(.http): "http"
            case .door(.proxy): attempt.method == "CONNECT" ? "connect" : "http"
            }
        details["protocol"] = .string(word)
        if word != "tls", attempt.method != "CONNECT" {
            details["method"] = attempt.method.map { .string(carried($0)) }
        }
        details["path"] = attempt.path.map { .string(carried($0)) }
        return details
    }

    fileprivate static func carried(_ text: String) -> String { AuditText.carried(Array(text.utf8.prefix(2048))) }
}

extension EgressAttempt {
    /// Host and port, as far as they are known.
    fileprivate var place: String {
        [host.map(EgressRecorder.carried), port.map { "\($0)" }].compactMap(\.self).joined(separator: ":")
    }

    /// What Squid was asked, without the query: it may hold secrets.
    fileprivate init(_ line: SquidLogLine, _ url: String) {
        // `error:...`, or the `*` of HTTP/2's first line: nothing that names a place.
        if line.method != "CONNECT", !url.contains("://") {
            self.init(host: line.serverName, port: nil, method: line.method)
        } else {
            self.init(url, method: line.method)
        }
    }

    /// As far as a URL, or the `HOST:PORT` of a tunnel, can be read.
    init(_ url: String, method: String?) {
        let isSecure = url.hasPrefix("https://")
        let rest = isSecure ? url.dropFirst(8) : url.hasPrefix("http://") ? url.dropFirst(7) : url[...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let parts = authority.split(separator: ":", maxSplits: 1)
        let path = rest.dropFirst(authority.count).prefix { $0 != "?" }
        self.init(
            host: parts.first.map(String.init), port: parts.count > 1 ? UInt16(parts[1]) : isSecure ? 443 : 80,
            method: method, path: method == "CONNECT" ? nil : String(path))
    }
}
