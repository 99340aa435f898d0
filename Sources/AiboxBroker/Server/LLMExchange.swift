import AiboxCrypto
import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore

/// One request and its answer: what is known of them so far.
struct LLMExchange {
    let head: HTTPRequestHead
    /// As it was when the request began.
    let configuration: BrokerConfiguration
    var record: LLMRecord
    var route: LLMRoute?
    var grant: BrokerPlan.Grant?
    var reader: ContentReader
    var body = ByteBuffer()
    var said: LLMBody?
    var reservation: LLMLimits.Reservation?
    /// What the model costs; nil where nobody says.
    var price: LLMPrice?
    /// Where request and answer are kept.
    var payload: PayloadFile?
    /// Of the answer's content, where digests are written down.
    var digest: SHA256?
    /// What was taken from the limits of a day.
    var taken: (day: Int64, amount: LLMAmount)?
    var begun = ContinuousClock.now
    /// The provider has it, or a part of it.
    var wasSent = false
    /// It was sent a second time, to the same upstream.
    var isRepeated = false
    /// The upstream that is asked, and those that are left if it cannot be.
    var base: UpstreamBase?
    var others: [UpstreamBase] = []
    /// Why others could not.
    var failures: [String] = []
    /// Why the answer was broken off, where it was.
    var ending: String?
    /// Of the answer; nil before it.
    var status: Int?
    var meter = UsageMeter(.unread)
    var answer: AnswerStream
    /// Bytes of the answer's content.
    var answered = 0

    init(_ head: HTTPRequestHead, _ configuration: BrokerConfiguration, id: String) {
        self.head = head
        self.configuration = configuration
        record = LLMRecord(id: id)
        reader = ContentReader(head.body, isLenient: false)
        answer = AnswerStream(configuration.forms)
    }

    /// A block this large is the kernel's own (mallopt(3), M_MMAP_THRESHOLD): it grows without being copied.
    private static let ownBlock = 256 << 10

    mutating func add(_ piece: ByteBuffer) {
        if body.capacity < Self.ownBlock, body.readableBytes + piece.readableBytes > Self.ownBlock / 4 {
            var block = ByteBufferAllocator().buffer(capacity: Self.ownBlock)
            block.writeImmutableBuffer(body)
            body = block
        }
        body.writeImmutableBuffer(piece)
    }

    /// What its day is told: in the place of what was taken, or as it is where nothing had to be. nil: nothing.
    func settlement(_ cost: LLMAmount) -> LLMSettlement? {
        if let (day, amount) = taken { return LLMSettlement(day: day, taken: amount, cost: cost) }
        if cost == LLMAmount() { return nil }
        return LLMSettlement(day: Timestamp.now.seconds / 86_400, taken: LLMAmount(), cost: cost)
    }

    /// What it cost: as the provider says, or as well as can be told. nil where it cost nothing.
    func cost(isComplete: Bool) -> TokenUsage? {
        guard wasSent, route?.call == .generation, status.map({ $0 < 400 }) ?? true else { return nil }
        var meter = meter
        let input = said?.input ?? 0
        guard var found = meter.finish() else {
            var found = meter.estimate(input: input)
            // Who leaves before an answer that comes as a whole leaves the provider at work on all of it.
            if !isComplete, let said, !said.isStream { found.output = max(found.output, said.output) }
            return found
        }
        // Cut short, the last count is missing: what came is counted instead.
        if !isComplete { found.output = max(found.output, meter.pieces) }
        return found
    }
}
