import AiboxAudit
import AiboxBroker
import AiboxSystem
import AiboxWire
import Glibc
import NIOCore
import Synchronization
import Testing

/// A proxy in this process, on a port of the loopback, with an upstream of the lab behind it.
final class LiveProxy {
    /// Random, so that it is in nothing by chance; with characters that encodings change.
    static let secret = "sk-ant-canary-" + String(UInt64.random(in: .min ... .max), radix: 36) + "/Q9+z_x"
    static let anthropic = "sk-ant-aibox-surrogate-anthropic-0001"
    static let openai = "sk-aibox-surrogate-openai-00000000002"

    let port: UInt16
    let audit = RememberedEvents()
    private let told = Told()
    private let server: LLMProxyServer

    init(
        _ upstream: ScriptedUpstream, models: [String] = ["claude-*", "gpt-*"], limits: BrokerPlan.Limits = .init(),
        clock: (@Sendable () -> Int64)? = nil, expires: Int64? = nil,
        bounds: (inout LLMProxyServer.Bounds) -> Void = { _ in },
        gateway: ScriptedGateway = ScriptedGateway(), stay: LLMProxyServer.Stay = .init(),
        edit: (inout BrokerPlan) -> Void = { _ in }
    ) throws {
        let (listener, port) = try Loopback.listen()
        self.port = port
        let base = "http://127.0.0.1:\(upstream.port)"
        var plan = BrokerPlan(
            grants: [
                .init(
                    name: "llm-api-key:anthropic", api: .anthropic, surrogate: Self.anthropic, secret: Self.secret,
                    base: base, expires: expires),
                .init(
                    name: "llm-api-key:openai", api: .openai, surrogate: Self.openai, secret: Self.secret, base: base),
            ], models: models, limits: limits, targets: ["127.0.0.1/32"])
        edit(&plan)
        var options = LLMProxyServer.Options(authorities: ["llm.test:\(port)"], desk: gateway.desk)
        if let clock { options.clock = clock }
        options.stay = stay
        bounds(&options.bounds)
        options.misused = { [told] words in told.words.withLock { $0.append(words) } }
        server = try LLMProxyServer.start(listener, plan: plan, options: options, audit: audit)
    }

    deinit { server.end() }

    private final class Told: Sendable {
        let words = Mutex<[String]>([])
    }

    /// What the gateway was told of keys that were shown where they do not belong.
    var misuses: [String] { told.words.withLock { $0 } }

    func use(_ plan: BrokerPlan) throws { try server.use(plan) }
    func cut() { server.closeConnections() }

    func client() throws -> RawClient { RawClient(try Loopback.connect(port), port: port) }

    /// One request on a connection of its own.
    func ask(
        _ path: String = "/v1/messages", method: String = "POST", key: String? = "x-api-key: \(anthropic)",
        fields: String = "", body: String = #"{"model":"claude-1","max_tokens":10,"messages":[]}"#
    ) throws -> RawClient.Answer {
        let client = try client()
        client.ask(path, method: method, key: key, fields: fields, body: body)
        return try #require(client.answer())
    }
}

/// Keeps what would go into the audit log.
final class RememberedEvents: LLMAudit {
    private let events = Mutex<[AuditEvent]>([])
    private let isFailing = Atomic(false)

    var all: [AuditEvent] { events.withLock { $0 } }
    func fail() { isFailing.store(true, ordering: .relaxed) }

    func of(_ type: AuditEventType) -> [AuditEvent] { all.filter { $0.type == type } }

    func before(_ event: AuditEvent, on loop: any EventLoop) -> EventLoopFuture<Void> {
        if isFailing.load(ordering: .relaxed) {
            return loop.makeFailedFuture(AiboxError(.failed, "the disk is full"))
        }
        note(event)
        return loop.makeSucceededVoidFuture()
    }

    func note(_ event: AuditEvent) { events.withLock { $0.append(event) } }
}

/// A client that writes bytes, and reads answers as strictly as the tests need.
final class RawClient {
    struct Answer {
        var status: Int
        var head: String
        /// Content, chunks taken apart.
        var body: [UInt8]
        /// False if it was cut short.
        var isComplete: Bool

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue? { try? JSONParser.parse(body) }
    }

    let socket: Descriptor
    private let port: UInt16
    private var rest: [UInt8] = []

    init(_ socket: Descriptor, port: UInt16) {
        self.socket = socket
        self.port = port
    }

    @discardableResult
    func send(_ text: String) -> Bool { Loopback.write(socket, Array(text.utf8)) }

    func ask(_ path: String, method: String = "POST", key: String?, fields: String = "", body: String) {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: llm.test:\(port)\r\n"
        if let key { head += key + "\r\n" }
        head += fields
        if method == "POST" { head += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
        send(head + "\r\n" + (method == "POST" ? body : ""))
    }

    /// nil if the connection ended before a head.
    func answer() -> Answer? {
        while true {
            guard let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) else {
                guard more() else { return nil }
                continue
            }
            let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
            rest = Array(rest[end.upperBound...])
            let status = Int(head.split(separator: " ")[1]) ?? 0
            if status == 100 { continue }
            var answer = Answer(status: status, head: head, body: [], isComplete: true)
            let lower = head.lowercased()
            if lower.contains("transfer-encoding: chunked") {
                answer.isComplete = chunks(&answer.body)
            } else if let length = Self.number("content-length: ", lower) {
                while rest.count < length, more() {}
                answer.isComplete = rest.count >= length
                answer.body = Array(rest.prefix(length))
                rest = Array(rest.dropFirst(length))
            } else {
                while more() {}
                answer.body = rest
                rest = []
            }
            return answer
        }
    }

    /// True once the other side has closed.
    func isClosed() -> Bool {
        while let bytes = Loopback.read(socket) { rest += bytes }
        return true
    }

    /// What came and was not read as an answer.
    var leftover: [UInt8] { rest }

    func more() -> Bool {
        guard let bytes = Loopback.read(socket) else { return false }
        rest += bytes
        return true
    }

    private func chunks(_ body: inout [UInt8]) -> Bool {
        while true {
            guard let end = rest.firstRange(of: [13, 10]) else {
                guard more() else { return false }
                continue
            }
            guard let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16) else {
                return false
            }
            while rest.count < end.upperBound + size + 2 { if !more() { return false } }
            body += rest[end.upperBound..<end.upperBound + size]
            rest = Array(rest[(end.upperBound + size + 2)...])
            if size == 0 { return true }
        }
    }

    private static func number(_ name: String, _ head: String) -> Int? {
        for line in head.split(separator: "\r\n") where line.hasPrefix(name) { return Int(line.dropFirst(name.count)) }
        return nil
    }
}

/// Waits until something holds; false if it does not within a time that is long.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
        if condition() { return true }
        usleep(3000)
    }
    return condition()
}

/// A gateway of the lab: it answers what a test lets it answer.
final class ScriptedGateway: Sendable {
    private let asked = Mutex<[LLMQuestion]>([])
    private let made = Mutex<GatewayDesk?>(nil)
    private let patience: TimeAmount
    private let script: @Sendable (LLMQuestion) -> LLMRuling?

    /// - Parameter script: nil: it says nothing.
    init(
        patience: TimeAmount = .seconds(6),
        _ script: @escaping @Sendable (LLMQuestion) -> LLMRuling? = { _ in .allowed }
    ) {
        self.patience = patience
        self.script = script
    }

    var questions: [LLMQuestion] { asked.withLock { $0 } }

    var desk: GatewayDesk {
        let desk = GatewayDesk(patience: patience) { [self] report in
            guard case .ask(let number, let question) = report,
                (try? LLMProxyReport(json: report.json)) == report
            else { return false }
            asked.withLock { $0.append(question) }
            guard let ruling = script(question) else { return true }
            let order = LLMProxyOrder.answer(number, ruling)
            guard (try? LLMProxyOrder(json: order.json)) == order else { return false }
            made.withLock { $0 }?.answer(number, ruling)
            return true
        }
        made.withLock { $0 = desk }
        return desk
    }
}
