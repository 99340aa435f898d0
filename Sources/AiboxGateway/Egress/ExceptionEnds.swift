import AiboxNetwork
import AiboxSystem
import NIOCore
import Synchronization

/// Ends exceptions of the policy in a sandbox that runs, when their day is over by the machine's clock.
///
/// Each end is in the log first. One that cannot be written is tried again; nobody gets anything new meanwhile, since that could
/// not be written either.
final class ExceptionEnds: Sendable {
    private let calendar: Mutex<ExceptionCalendar>
    private let egress: Egress?
    private let llm: LLMSupervisor?
    private let tools: ToolDoor?
    private let learning: Learning
    private let log: GatewayLog

    init(
        _ plan: EgressPlan?, egress: Egress?, llm: LLMSupervisor?, tools: ToolDoor?, learning: Learning, log: GatewayLog
    ) {
        calendar = Mutex(ExceptionCalendar(plan?.endings ?? []))
        self.egress = egress
        self.llm = llm
        self.tools = tools
        self.learning = learning
        self.log = log
    }

    private static var now: Int64 { Timestamp.now.seconds }

    /// What ends when, for people.
    var words: [String] { calendar.withLock { $0.words } }

    /// Looks at the clock from now on.
    func begin() {
        guard let egress else { return }
        let loop = egress.loop
        let due = calendar.withLock { $0.due(Self.now) }
        guard let due else { return again(on: loop) }
        end(due, egress, on: loop).whenComplete { result in
            switch result {
            case .success:
                self.calendar.withLock { $0.ended() }
                self.begin()
            case .failure(let error):
                self.log.error("an exception cannot be ended yet", ["reason": "\(error)"])
                self.again(on: loop)
            }
        }
    }

    private func again(on loop: any EventLoop) {
        guard let wait = calendar.withLock({ $0.wait(Self.now) }) else { return }
        loop.scheduleTask(in: .seconds(wait)) { self.begin() }
    }

    private func end(_ ending: ExceptionEnding, _ egress: Egress, on loop: any EventLoop) -> EventLoopFuture<Void> {
        // Learning goes by the organisation's list of the start.
        learning.forbid("an exception of the policy has ended (\(ending.words))", on: loop)
            .flatMap { egress.end(ending).hop(to: loop) }
            .flatMap { self.tools?.end(ending).hop(to: loop) ?? loop.makeSucceededVoidFuture() }
            .map { if let llm = self.llm { llm.end(ending) } }
    }
}
