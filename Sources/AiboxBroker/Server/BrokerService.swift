import AiboxAudit
import AiboxNetwork
import AiboxSystem
import AiboxWire
import CLinux
import NIOCore
import NIOPosix
import Synchronization

/// What all connections of a sandbox to its LLM proxy share.
final class BrokerService: Sendable {
    /// Told to every connection once another plan holds.
    struct PlanChanged: Sendable {}

    let audit: any LLMAudit
    let rules: RequestHeadRules
    let bounds: LLMProxyServer.Bounds
    let threads: NIOThreadPool
    let stay: LLMProxyServer.Stay
    /// The stay, as a gateway is told of it.
    let identity: [HTTPRequestHead.Field]
    private let shelf = PayloadShelf()
    private let desk: GatewayDesk
    /// What the policies in Rego said, for as long as the plan stands.
    private let rulings = Mutex<[LLMRequest: LLMRuling]>([:])
    private let current: Mutex<BrokerConfiguration>
    private let limits: Mutex<LLMLimits>
    /// Bytes of bodies that are being read.
    private let buffered = Mutex(Tide())
    /// Connections that are open.
    private let open = Mutex(Tide())
    private let numbers = Atomic(UInt64.random(in: 0...UInt64.max / 2))
    /// Seconds of a clock that never goes back.
    private let clock: @Sendable () -> Int64
    /// Told how much is spent in all, after every request.
    private let spent: @Sendable (Int) -> Void
    /// Told of a key that was shown where it does not belong.
    private let misused: @Sendable (String) -> Void

    /// Connections and bytes of bodies after which memory is given back.
    private static let crowd = 128
    private static let large = 8 << 20

    init(
        _ plan: BrokerPlan, rules: RequestHeadRules, bounds: LLMProxyServer.Bounds, audit: any LLMAudit,
        threads: NIOThreadPool, desk: GatewayDesk, stay: LLMProxyServer.Stay,
        clock: @escaping @Sendable () -> Int64, spent: @escaping @Sendable (Int) -> Void,
        misused: @escaping @Sendable (String) -> Void
    ) throws(AiboxError) {
        self.audit = audit
        self.rules = rules
        self.bounds = bounds
        self.threads = threads
        self.desk = desk
        self.stay = stay
        identity = CallerIdentity.fields(stay)
        self.clock = clock
        self.spent = spent
        self.misused = misused
        current = Mutex(try BrokerConfiguration(plan, threads: threads, connectTime: bounds.connectTime))
        limits = Mutex(LLMLimits(plan.limits))
    }

    var configuration: BrokerConfiguration { current.withLock { $0 } }

    /// Takes another plan for requests from now on.
    func use(_ plan: BrokerPlan) throws(AiboxError) {
        let next = try BrokerConfiguration(plan, threads: threads, connectTime: bounds.connectTime)
        current.withLock { $0 = next }
        rulings.withLock { $0 = [:] }
        limits.withLock { $0 = $0.under(plan.limits) }
    }

    func nextRequest() -> String {
        String(numbers.add(1, ordering: .relaxed).newValue, radix: 36)
    }

    // MARK: Room

    func enter() -> Bool { open.withLock { $0.rise(by: 1, to: bounds.connections) } }

    func leave() { if open.withLock({ $0.fall(by: 1, below: Self.crowd) }) { giveBack() } }

    /// Room for so many bytes of a body.
    func reserve(_ bytes: Int) -> Bool { buffered.withLock { $0.rise(by: bytes, to: bounds.bodies) } }

    func release(_ bytes: Int) { if buffered.withLock({ $0.fall(by: bytes, below: Self.large) }) { giveBack() } }

    /// What a crowd or large bodies leave is memory in pieces, which the allocator keeps by itself.
    private func giveBack() { threads.submit { _ in aibox_return_free_memory() } }

    // MARK: Findings

    /// Writes down that a key was shown where it does not belong, and then tells the gateway.
    func misused(_ event: AuditEvent, _ surrogate: Surrogate?, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let words = surrogate?.words ?? "a key that is not this sandbox's"
        let written = audit.before(event, on: loop)
        // Also where it could not be written: protecting does not wait for a full disk.
        written.whenComplete { [misused] _ in misused("\(words) was shown to the sandbox's broker") }
        return written
    }

    // MARK: Deciding

    /// A sandbox chooses what it asks: what is remembered has an end.
    private static let remembered = 1024
    private static let passing: Set<String> = ["audit", "error"]

    /// What the policies in Rego say of a request, if that is known.
    func known(_ request: LLMRequest) -> LLMRuling? { rulings.withLock { $0[request] } }

    /// Asks the policies in Rego; fails if they do not answer.
    func rule(_ request: LLMRequest, on loop: any EventLoop) -> EventLoopFuture<LLMRuling> {
        let plan = configuration
        return desk.ask(.request(request), on: loop).map { ruling in
            // An answer from before another plan is not kept.
            self.rulings.withLock { rulings in
                // Neither is one that was given for want of a log or of time.
                guard plan === self.configuration, !Self.passing.contains(ruling.rule) else { return }
                if rulings.count >= Self.remembered { rulings = [:] }
                rulings[request] = ruling
            }
            return ruling
        }
    }

    /// Takes what a request may cost.
    func begin(_ body: LLMBody?, _ configuration: BrokerConfiguration) throws(BrokerRefusal) -> LLMLimits.Reservation {
        let second = clock()
        let result = limits.withLock { limits -> Result<LLMLimits.Reservation, BrokerRefusal> in
            do throws(BrokerRefusal) { return .success(try limits.begin(body?.reserve ?? 0, at: second)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func settle(_ reservation: LLMLimits.Reservation, cost: Int) {
        let total = limits.withLock { limits in
            limits.settle(reservation, cost: cost)
            return limits.spent
        }
        spent(total)
    }

    // MARK: Limits of a day

    /// Takes what a request may cost from what the user's sandboxes, and this one, may spend in a day.
    func take(_ amount: LLMAmount, on loop: any EventLoop) -> EventLoopFuture<LLMRuling> {
        desk.ask(.take(amount), on: loop)
    }

    /// What is not told stays taken.
    func settle(_ settlement: LLMSettlement, on loop: any EventLoop) {
        _ = desk.ask(.settle(settlement), on: loop)
    }

    // MARK: Content that is kept

    /// Keeps a request's content, once there is room for it.
    func keep(
        _ record: LLMRecord, _ body: ByteBuffer, by rule: PayloadRule, on loop: any EventLoop
    ) -> EventLoopFuture<PayloadFile> {
        let (shelf, threads, stay) = (shelf, threads, stay)
        return shelf.makeRoom(by: rule, threads, audit, on: loop).flatMap {
            threads.runIfActive(eventLoop: loop) { try PayloadFile(rule, stay, record, body, shelf: shelf) }
        }
    }

    // MARK: The end of what is lent

    /// The refusal, once the time is over for which a key was lent. A lease may have been renewed or cut short meanwhile; what is
    /// under way with a secret that was replaced keeps its own end.
    func end(of grant: BrokerPlan.Grant) -> BrokerRefusal? {
        let grant =
            configuration.plan.grants.first { $0.surrogate == grant.surrogate && $0.secret == grant.secret } ?? grant
        return Self.isOver(grant.expires) ? .expired(grant) : nil
    }

    /// The same for a place.
    func end(of grant: PlaceGrant) -> BrokerRefusal? {
        let grant =
            configuration.plan.places.first { $0.isSamePlace(as: grant) && $0.secret == grant.secret } ?? grant
        return Self.isOver(grant.expires) ? .expired(grant) : nil
    }

    private static func isOver(_ end: Int64?) -> Bool { end.map { $0 <= Timestamp.now.seconds } ?? false }
}
