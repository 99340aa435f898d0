import AiboxAudit
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire
import CLinux
import Glibc
import NIOCore
import Synchronization

/// Keeps the sandbox's LLM proxy running, a process of its own, on a thread of its own.
///
/// The door at its port is open only while it serves. One that dies is started again, later each time, with what was
/// spent so far. The keys are in this process's memory and go to the proxy over a socket pair.
final class LLMSupervisor: Sendable {
    private struct Orders {
        /// All that is lent.
        var lent: BrokerPlan
        /// Where the broker may lead, as `HOST:PORT`; nil: wherever it was lent for.
        var open: Set<String>?
        var isChanged = false
        var isCut = false
        var isEnding = false

        var plan: BrokerPlan {
            guard let open else { return lent }
            var plan = lent
            plan.places = lent.places.filter { open.contains($0.authority) }
            return plan
        }
    }

    private let settings: LLMProxySettings
    private let listener: Descriptor
    private let doors: Doors
    private let loop: any EventLoop
    private let audit: GatewayAudit
    /// Asks the policies in Rego; the supervisor's thread alone does.
    private let judge: Mutex<LLMJudge>
    /// What the user's sandboxes spend, and this one; nil where no model is asked.
    private let ledgers: SpendingLedgers?
    private let log: GatewayLog
    private let misused: @Sendable (String) -> Void
    private let lost: @Sendable (String) -> Void
    private let orders: Mutex<Orders>
    /// For how many seconds each credential is lent.
    private let lifetimes: [String: Int64]
    /// Who waits for the newest plan to hold.
    private let told = Mutex<[EventLoopPromise<Void>]>([])
    private let first: EventLoopPromise<Void>
    private let isServing = Atomic(false)
    private let isEnded = Atomic(false)
    private let isStarted = Atomic(false)
    private let wakeReader: Descriptor
    private let wakeWriter: Descriptor

    static let name = "aibox-llm-proxy"
    private static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - decisions: how the policies in Rego are asked.
    ///   - ledgers: what the user's sandboxes spend, and this one; nil where no model is asked.
    ///   - listener: at the gateway's address, `BrokerPlan.port`. Each process gets a copy.
    ///   - lost: told on the supervisor's thread that the proxy is gone.
    init(
        _ settings: LLMProxySettings, decisions: DecisionPlan, ledgers: SpendingLedgers?, listener: Descriptor,
        doors: Doors,
        loop: any EventLoop, audit: GatewayAudit, log: GatewayLog,
        misused: @escaping @Sendable (String) -> Void, lost: @escaping @Sendable (String) -> Void
    ) throws(AiboxError) {
        self.settings = settings
        self.listener = listener
        self.doors = doors
        self.loop = loop
        self.audit = audit
        self.ledgers = ledgers
        judge = Mutex(LLMJudge(decisions, user: settings.user, sandbox: settings.sandbox))
        self.log = log
        self.misused = misused
        self.lost = lost
        orders = Mutex(Orders(lent: settings.plan))
        let now = Timestamp.now.seconds
        let ends =
            settings.plan.grants.map { ($0.name, $0.expires) } + settings.plan.places.map { ($0.name, $0.expires) }
        lifetimes = Dictionary(ends.compactMap { name, end in end.map { (name, $0 - now) } }) { min($0, $1) }
        first = loop.makePromise(of: Void.self)
        let wake = try Pipe()
        (wakeReader, wakeWriter) = (wake.read, wake.write)
        wakeReader.setNonBlocking()
        wakeWriter.setNonBlocking()
    }

    deinit { first.fail(Self.ending) }

    /// Its file: beside this program, or where an installation puts it. nil if it is not there.
    static func program() -> String? {
        var folders = ["/usr/local/libexec/aibox", "/usr/libexec/aibox"]
        if let own = Path.real("/proc/self/exe") { folders.insert(Path.parent(own), at: 0) }
        return folders.lazy.compactMap { ExecutableSearch.find($0 + "/" + name) }.first
    }

    /// Begins. Only once somebody takes the holder's replies: the main thread, when it serves.
    func start() throws(AiboxError) {
        isStarted.store(true, ordering: .releasing)
        try DedicatedThread.start("aibox-llm") { self.run() }
    }

    /// Succeeds once it serves, or fails with why it does not.
    var serving: EventLoopFuture<Void> { first.futureResult }

    var document: JSONValue {
        [
            "name": "llm proxy",
            "state": .string(isServing.load(ordering: .acquiring) ? "serves" : "is down, models cannot be asked"),
        ]
    }

    /// Leads only to places that the list opens and the policies do not refuse, from now on.
    ///
    /// - Returns: succeeds once that holds: the proxy has taken it, or is gone.
    func follow(_ decider: NetworkDecider) -> EventLoopFuture<Void> {
        let open = Set(settings.plan.places.filter(decider.permits).map(\.authority))
        return change { $0.open = open }
    }

    /// Exceptions of the policy have ended: the proxy forgets what it was told of models, and asks again.
    func end(_ ending: ExceptionEnding) {
        judge.withLock { $0.end(ending) }
        orders.withLock { $0.isChanged = true }
        wakeUp()
    }

    /// What kind of credential this is, `llm`, `git`, ...; nil if it is not lent.
    func kind(of name: String) -> String? {
        let lent = orders.withLock { $0.lent }
        if lent.grants.contains(where: { $0.name == name }) { return "llm" }
        return lent.places.first { $0.name == name }?.kind.rawValue
    }

    /// Whether the secret of a change is the one that is lent.
    func holds(_ change: CredentialChange) -> Bool {
        let lent = orders.withLock { $0.lent }
        return lent.grants.allSatisfy { $0.name != change.name || $0.secret == change.key?.secret }
            && lent.places.allSatisfy { grant in
                grant.name != change.name
                    || change.places.contains { $0.isSamePlace(as: grant) && $0.value == grant.value }
            }
    }

    /// Takes a credential's new secret, or takes the credential back; that ends what is under way with it.
    ///
    /// - Returns: succeeds once that holds: the proxy has taken it, or is gone.
    func change(_ change: CredentialChange) -> EventLoopFuture<Void> {
        self.change { $0.lent = $0.lent.after(change, now: Timestamp.now.seconds, lifetimes: lifetimes) }
    }

    private func change(_ body: (inout Orders) -> Void) -> EventLoopFuture<Void> {
        let holds = loop.makePromise(of: Void.self)
        orders.withLock { orders in
            let before = orders.plan
            body(&orders)
            if orders.plan == before { return holds.succeed() }
            orders.isChanged = true
            told.withLock { $0.append(holds) }
        }
        wakeUp()
        return holds.futureResult
    }

    private func settle() {
        let promises = told.withLock { promises in
            defer { promises = [] }
            return promises
        }
        for promise in promises { promise.succeed() }
    }

    /// Ends what is open: the sandbox is cut off.
    func cut() {
        orders.withLock { $0.isCut = true }
        wakeUp()
    }

    /// Ends the proxy; what stood for keys is worth nothing from then on.
    func end() {
        orders.withLock { $0.isEnding = true }
        guard isStarted.load(ordering: .acquiring) else { return first.fail(Self.ending) }
        wakeUp()
        for _ in 0..<1500 {
            if isEnded.load(ordering: .acquiring) { return }
            usleep(2000)
        }
        log.error("the LLM proxy's supervisor does not end")
    }

    private static let ending = AiboxError(.failed, "the gateway is ending")

    // MARK: The thread

    private struct Running {
        var child: ChildProcess
        var process: Descriptor
        var control: PacketSocket
    }

    private func run() {
        var running: Running?
        var pace = RestartPace()
        var spent = settings.plan.limits.spent
        while true {
            let isEnding = orders.withLock { $0.isEnding }
            if isEnding { break }
            if running == nil, pace.mayTry {
                do throws(AiboxError) {
                    running = try begin(spent: spent)
                    pace.began()
                    isServing.store(true, ordering: .releasing)
                    first.succeed()
                    settle()
                    judge.withLock { $0.prepare() }
                } catch {
                    pace.failed()
                    log.error("LLM proxy does not start", ["reason": error.reason])
                    first.fail(error)
                    settle()
                }
            }
            wait(running, pace)
            guard let current = running else { continue }
            if !hear(current, &spent) || hasEnded(current.process) {
                running = nil
                pace.failed()
                isServing.store(false, ordering: .releasing)
                let why = "the LLM proxy ended"
                log.error("LLM proxy lost", ["reason": why])
                lost(why)
                // A port is open only while somebody answers there.
                try? changePort(open: false)
                spent = end(current) ?? spent
                settle()
            } else {
                obey(current)
            }
        }
        isServing.store(false, ordering: .releasing)
        if let running { _ = end(running) }
        settle()
        ledgers?.end()
        first.fail(Self.ending)
        isEnded.store(true, ordering: .releasing)
    }

    /// Passes on what was ordered meanwhile.
    private func obey(_ running: Running) {
        let (plan, isCut) = orders.withLock { orders in
            defer { (orders.isChanged, orders.isCut) = (false, false) }
            return (orders.isChanged ? orders.plan : nil, orders.isCut)
        }
        do throws(AiboxError) {
            if let plan { try running.control.send(LLMProxyOrder.plan(plan).json.bytes) }
            if isCut { try running.control.send(LLMProxyOrder.cut.json.bytes) }
        } catch {
            // One that cannot be told ends: the next one begins with the newest plan.
            log.error("LLM proxy takes no orders", ["reason": error.reason])
            running.control.endSending()
        }
    }

    private func begin(spent: Int) throws(AiboxError) -> Running {
        guard let program = Self.program() else {
            throw AiboxError(
                .layerMissing, "cannot start the LLM proxy", why: "\(Self.name) is not beside the gateway",
                remedy: "install aibox again, or build it with make build")
        }
        let (ours, theirs) = try PacketSocket.pair()
        let begun = ContinuousClock.now
        let nothing = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDWR | O_CLOEXEC) })
        let child = try ChildProcess.start(
            Command(program, ["serve"], environment: ["LC_ALL": "C"], directory: "/"),
            descriptors: [
                nothing.number, STDERR_FILENO, STDERR_FILENO, theirs.descriptor.number, listener.number,
            ], options: .newGroup, deathSignal: SIGKILL)
        theirs.descriptor.close()
        let watched = aibox_pidfd_open(child.pid)
        let running = Running(child: child, process: Descriptor(watched), control: ours)
        do throws(AiboxError) {
            if watched < 0 { throw .system("cannot watch the LLM proxy", errno: watched) }
            var settings = settings
            settings.plan = orders.withLock { orders in
                orders.isChanged = false
                return orders.plan
            }
            settings.plan.limits.spent = max(spent, settings.plan.limits.spent)
            try ours.send(LLMProxyOrder.begin(settings).json.bytes)
            try awaitServing(running)
            try changePort(open: true)
        } catch {
            _ = end(running)
            throw error
        }
        log.info(
            "LLM proxy serves", ["pid": "\(child.pid)", "after": "\(begun.duration(to: .now).milliseconds)ms"])
        return running
    }

    private func awaitServing(_ running: Running) throws(AiboxError) {
        let what = "cannot start the LLM proxy"
        let deadline = ContinuousClock.now + Self.patience
        while true {
            var waiting = pollfd(fd: running.control.descriptor.number, events: Int16(POLLIN), revents: 0)
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero, try retrying(what, { poll(&waiting, 1, left.milliseconds) }) == 1 else {
                throw AiboxError(.failed, what, why: "it says nothing")
            }
            switch try report(running) {
            case nil: throw AiboxError(.failed, what, why: "it ended; the gateway's log may say why")
            case .serving: return
            case .failed(let error): throw AiboxError(.failed, what, why: error.description, remedy: error.remedy)
            // What waited in the queue of the socket is served before it says that it serves.
            case .misused(let words): misused(words)
            case .reload: orders.withLock { $0.isChanged = true }
            case .ask(let number, let question):
                if !answer(number, question, running) { throw AiboxError(.failed, what, why: "it ended") }
            case .spent: continue
            }
        }
    }

    private func report(_ running: Running) throws(AiboxError) -> LLMProxyReport? {
        guard let bytes = try running.control.receive(limit: 16 << 10) else { return nil }
        do { return try LLMProxyReport(json: try JSONParser.parse(bytes)) } catch {
            throw AiboxError(.failed, "cannot understand the LLM proxy", why: "\(error)")
        }
    }

    /// Takes one report, if there is one; false if the proxy is gone.
    private func hear(_ running: Running, _ spent: inout Int) -> Bool {
        var waiting = pollfd(fd: running.control.descriptor.number, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 0) == 1 else { return true }
        switch try? report(running) {
        case .none: return false
        case .spent(let tokens): spent = tokens
        case .failed(let error):
            // It goes on with what it may no longer do: it ends, and the next one begins with the newest plan or not at all.
            log.error("LLM proxy refuses its plan", ["reason": error.description])
            return false
        case .serving: settle()
        case .misused(let words): misused(words)
        case .ask(let number, let question): return answer(number, question, running)
        case .reload:
            log.info("LLM proxy reads its plan again")
            orders.withLock { $0.isChanged = true }
        }
        return true
    }

    private func take(_ amount: LLMAmount) -> LLMRuling {
        let limits = orders.withLock { $0.lent.limits }
        do throws(AiboxError) {
            guard let ledgers else { throw AiboxError(.failed, "there is no ledger") }
            return try ledgers.take(amount, limits, at: Timestamp.now.seconds)
        } catch {
            log.error("spending not written", ["reason": error.reason])
            return LLMRuling(
                isAllowed: false, rule: "llm.ledger", layer: "org",
                reason: "what was spent today is not known, so nothing is sent")
        }
    }

    private func settle(_ settlement: LLMSettlement) {
        do throws(AiboxError) { try ledgers?.settle(settlement, at: Timestamp.now.seconds) } catch {
            log.error("spending not written", ["reason": error.reason])
        }
    }

    /// Decides, writes it down, and says so (P7); false if the proxy is gone.
    private func answer(_ number: Int64, _ question: LLMQuestion, _ running: Running) -> Bool {
        var ruling: LLMRuling
        switch question {
        case .take(let amount): ruling = take(amount)
        case .settle(let settlement):
            ruling = .allowed
            settle(settlement)
        case .request(let request):
            let event: AuditEvent
            (ruling, event) = judge.withLock { $0.judge(request) }
            do { try audit.before(event, on: loop).wait() } catch {
                ruling = LLMRuling(
                    isAllowed: false, rule: "audit", layer: "org",
                    reason: "the audit log cannot be written, so nothing is sent")
            }
        }
        do throws(AiboxError) { try running.control.send(LLMProxyOrder.answer(number, ruling).json.bytes) } catch {
            return false
        }
        return true
    }

    private func wait(_ running: Running?, _ pace: RestartPace) {
        var waiting = [pollfd(fd: wakeReader.number, events: Int16(POLLIN), revents: 0)]
        if let running {
            waiting += [running.process.number, running.control.descriptor.number].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
        }
        _ = poll(&waiting, nfds_t(waiting.count), running == nil ? pace.wait : -1)
        var room = [UInt8](repeating: 0, count: 64)
        while read(wakeReader.number, &room, room.count) > 0 {}
    }

    /// It ends when it hears no more; one that does not is ended. What it has still said counts: a finding is one whoever dies.
    ///
    /// - Returns: how much was spent, if it said so.
    private func end(_ running: Running) -> Int? {
        running.control.endSending()
        var spent: Int?
        var hasEnded = false
        for _ in 0..<500 {
            hasEnded = (try? running.child.poll()) != nil
            spent = hearRest(running) ?? spent
            if hasEnded { break }
            usleep(2000)
        }
        if !hasEnded {
            if running.process.isOpen { _ = aibox_pidfd_send_signal(running.process.number, SIGKILL) }
            _ = try? running.child.wait()
            spent = hearRest(running) ?? spent
        }
        running.control.descriptor.close()
        return spent
    }

    /// Takes what has come, and answers nothing any more. A sandbox that is being taken down is not cut off besides.
    private func hearRest(_ running: Running) -> Int? {
        var spent: Int?
        // More than a socket's queue holds, for one that goes on talking.
        for _ in 0..<10_000 {
            var waiting = pollfd(fd: running.control.descriptor.number, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 0) == 1, let report = try? report(running) else { return spent }
            switch report {
            case .spent(let tokens): spent = tokens
            case .misused(let words): if !orders.withLock({ $0.isEnding }) { misused(words) }
            case .ask(_, .settle(let settlement)): settle(settlement)
            case .serving, .failed, .ask, .reload: continue
            }
        }
        return spent
    }

    private func hasEnded(_ process: Descriptor) -> Bool {
        var waiting = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) != 0
    }

    private func changePort(open: Bool) throws(AiboxError) {
        do {
            try doors.change(on: loop) { ports in
                ports.tcp.removeAll { $0 == BrokerPlan.port }
                if open { ports.tcp.append(BrokerPlan.port) }
            }.wait()
        } catch {
            throw (error as? AiboxError) ?? AiboxError(.failed, "cannot change the packet filter", why: "\(error)")
        }
    }

    private func wakeUp() {
        var byte: UInt8 = 1
        _ = write(wakeWriter.number, &byte, 1)
    }
}
