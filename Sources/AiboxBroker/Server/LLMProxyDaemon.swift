import AiboxAudit
import AiboxSystem
import AiboxWire
import CLinux
import Glibc
import Synchronization

/// The LLM proxy of one sandbox, from its first order to its end.
///
/// Descriptors at start: 1 and 2 the log, 3 the socket to its gateway, 4 the listening socket. Keys come over descriptor 3
/// alone. It ends with the gateway: the kernel kills it when the gateway's thread ends, and the end of the socket ends it too.
/// SIGHUP has it ask the gateway for its plan again, and read the files anew that the plan names.
public enum LLMProxyDaemon {
    private static let controlDescriptor: Int32 = 3
    private static let listenerDescriptor: Int32 = 4

    /// Serves to the end.
    ///
    /// - Returns: the exit status: 0 after an orderly end.
    public static func run() -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        // A file of the log at its size limit: refused, not killed.
        signal(SIGXFSZ, SIG_IGN)
        // Until it is taken: what is ignored is lost.
        signal(SIGHUP, SIG_IGN)
        umask(0o077)
        let control = PacketSocket(Descriptor(controlDescriptor))
        let listener = Descriptor(listenerDescriptor)
        do throws(AiboxError) {
            try ProcessLockDown.holdSecrets()
            aibox_return_large_blocks()
            let limit = aibox_raise_descriptor_limit(16_384)
            if limit < 0 { throw .system("cannot raise the limit of open files", errno: limit) }
            let signals = try takenSignals()
            guard case .begin(let settings)? = try order(from: control) else {
                throw AiboxError(.usage, "the LLM proxy is started by aibox-gateway")
            }
            return try serve(settings, control, listener, signals)
        } catch {
            say("error start failed reason=\(JSONValue.string(error.reason).text)")
            try? control.send(LLMProxyReport.failed(wire(error)).json.bytes)
            return 1
        }
    }

    private static func serve(
        _ settings: LLMProxySettings, _ control: PacketSocket, _ listener: Descriptor, _ signals: Descriptor
    ) throws(AiboxError) -> Int32 {
        let log = try AuditLog.open(
            folder: settings.audit.folder,
            context: AuditContext(
                source: .llmProxy, session: settings.audit.session, sandbox: settings.sandbox, user: settings.user,
                policy: settings.audit.policy),
            options: AuditLog.Options(settings.audit))
        let tally = try Tally(settings.plan.limits.spent)
        let desk = GatewayDesk { report in
            do throws(AiboxError) { try control.send(report.json.bytes) } catch { return false }
            return true
        }
        var server = LLMProxyServer.Options(authorities: Set(settings.authorities), desk: desk)
        server.stay = LLMProxyServer.Stay(
            session: settings.audit.session, sandbox: settings.sandbox, user: settings.user)
        server.spent = { tally.set($0) }
        server.misused = { words in
            do throws(AiboxError) { try control.send(LLMProxyReport.misused(words).json.bytes) } catch {
                say("error misuse not told reason=\(JSONValue.string(error.reason).text)")
            }
        }
        let audit = LLMAuditLog(log) { reason in say("error audit log reason=\(JSONValue.string(reason).text)") }
        let proxy = try LLMProxyServer.start(listener, plan: settings.plan, options: server, audit: audit)
        try control.send(LLMProxyReport.serving.json.bytes)
        try obey(control, signals, tally, proxy, desk)
        proxy.end()
        // What was under way has told what it cost.
        try? control.send(LLMProxyReport.spent(tally.take()).json.bytes)
        try log.close()
        return 0
    }

    private static func obey(
        _ control: PacketSocket, _ signals: Descriptor, _ tally: Tally, _ proxy: LLMProxyServer,
        _ desk: GatewayDesk
    ) throws(AiboxError) {
        while true {
            var waiting = [control.descriptor, signals, tally.reader].map {
                pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0)
            }
            try retrying("cannot wait for orders") { poll(&waiting, nfds_t(waiting.count), -1) }
            if waiting[1].revents != 0 {
                if taken(signals) != SIGHUP { return }
                say("info reload asked for")
                try control.send(LLMProxyReport.reload.json.bytes)
            }
            if waiting[2].revents != 0 {
                // A gateway that is gone has no use for it; that it is gone ends the proxy in order.
                do throws(AiboxError) { try control.send(LLMProxyReport.spent(tally.take()).json.bytes) } catch {
                    return
                }
            }
            guard waiting[0].revents != 0 else { continue }
            switch try order(from: control) {
            case nil: return
            case .begin: throw AiboxError(.usage, "the LLM proxy was told to begin twice")
            case .cut: proxy.closeConnections()
            case .answer(let number, let ruling): desk.answer(number, ruling)
            case .plan(let plan):
                do throws(AiboxError) {
                    try proxy.use(plan)
                    try control.send(LLMProxyReport.serving.json.bytes)
                } catch {
                    // A file that the plan names cannot be read any more, but the plan is the one that holds.
                    if proxy.follows(plan) {
                        say("error reload failed reason=\(JSONValue.string(error.reason).text)")
                        try control.send(LLMProxyReport.serving.json.bytes)
                    } else {
                        try control.send(LLMProxyReport.failed(wire(error)).json.bytes)
                    }
                }
            }
        }
    }

    /// signalfd_siginfo has 128 bytes and begins with the number (signalfd(2)).
    private static func taken(_ signals: Descriptor) -> Int32? {
        var information = [UInt8](repeating: 0, count: 128)
        guard read(signals.number, &information, information.count) == information.count else { return nil }
        return information.withUnsafeBytes { Int32($0.loadUnaligned(as: UInt32.self)) }
    }

    private static func order(from control: PacketSocket) throws(AiboxError) -> LLMProxyOrder? {
        guard let bytes = try control.receive(limit: LLMProxyOrder.limit) else { return nil }
        do { return try LLMProxyOrder(json: try JSONParser.parse(bytes)) } catch {
            // The words of the parser name a place or a member, never a value.
            throw AiboxError(.usage, "cannot read an order of the gateway", why: "\(error)")
        }
    }

    private static func takenSignals() throws(AiboxError) -> Descriptor {
        let numbers = [SIGTERM, SIGINT, SIGHUP]
        let descriptor = aibox_signal_descriptor(numbers, Int32(numbers.count))
        if descriptor < 0 { throw .system("cannot take signals", errno: descriptor) }
        return Descriptor(descriptor)
    }

    private static func wire(_ error: AiboxError) -> WireError {
        WireError(code: error.code.description, what: error.what, why: error.why, remedy: error.remedy)
    }

    private static func say(_ text: String) {
        let line = "\(Timestamp.now.rfc3339.prefix(23))Z llm-proxy \(text)\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }

    /// The newest count, for whoever waits on the descriptor.
    private final class Tally: Sendable {
        private let value: Atomic<Int>
        let reader: Descriptor
        private let writer: Descriptor

        init(_ start: Int) throws(AiboxError) {
            value = Atomic(start)
            let pipe = try Pipe()
            (reader, writer) = (pipe.read, pipe.write)
            reader.setNonBlocking()
            writer.setNonBlocking()
        }

        func set(_ count: Int) {
            value.store(count, ordering: .releasing)
            var byte: UInt8 = 1
            _ = write(writer.number, &byte, 1)
        }

        func take() -> Int {
            var room = [UInt8](repeating: 0, count: 4096)
            _ = read(reader.number, &room, room.count)
            return value.load(ordering: .acquiring)
        }
    }
}
