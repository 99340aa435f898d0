public import AiboxWire
public import NIOCore
import Synchronization

/// Where the proxy asks its gateway. No answer is an answer: after a time the question has failed.
///
/// Few questions are under way at once, so that neither side of the socket can fill up: sending never waits.
public final class GatewayDesk: Sendable {
    public enum Failure: Error { case silent, gone }

    private struct Asked {
        var question: LLMQuestion
        var promise: EventLoopPromise<LLMRuling>?
        var isSent = false
    }

    private struct State {
        var asked: [Int64: Asked] = [:]
        /// Not sent yet, oldest first.
        var queue: [Int64] = []
        var sent = 0
        var number: Int64 = 0
        var isGone = false
    }

    private let state = Mutex(State())
    private let send: @Sendable (LLMProxyReport) -> Bool
    private let patience: TimeAmount

    static let sentLimit = 64

    /// - Parameters:
    ///   - patience: for one answer.
    ///   - send: false if the gateway cannot be told.
    public init(patience: TimeAmount = .seconds(6), send: @escaping @Sendable (LLMProxyReport) -> Bool) {
        self.patience = patience
        self.send = send
    }

    public func ask(_ question: LLMQuestion, on loop: any EventLoop) -> EventLoopFuture<LLMRuling> {
        let promise = loop.makePromise(of: LLMRuling.self)
        let number = state.withLock { state -> Int64? in
            if state.isGone { return nil }
            state.number += 1
            state.asked[state.number] = Asked(question: question, promise: promise)
            state.queue.append(state.number)
            return state.number
        }
        guard let number else {
            promise.fail(Failure.gone)
            return promise.futureResult
        }
        let late = loop.scheduleTask(in: patience) { self.giveUp(number) }
        promise.futureResult.whenComplete { _ in late.cancel() }
        sendNext()
        return promise.futureResult
    }

    private func sendNext() {
        while true {
            let next = state.withLock { state -> LLMProxyReport? in
                guard state.sent < Self.sentLimit, !state.queue.isEmpty else { return nil }
                let number = state.queue.removeFirst()
                guard let asked = state.asked[number] else { return .serving }
                state.asked[number]?.isSent = true
                state.sent += 1
                return .ask(number, asked.question)
            }
            guard let next else { return }
            if case .ask = next, !send(next) { return end() }
        }
    }

    /// The gateway has answered.
    public func answer(_ number: Int64, _ ruling: LLMRuling) {
        let promise = state.withLock { state -> EventLoopPromise<LLMRuling>? in
            guard let asked = state.asked.removeValue(forKey: number) else { return nil }
            state.sent -= 1
            return asked.promise
        }
        promise?.succeed(ruling)
        sendNext()
    }

    /// What was sent keeps its place until it is answered: a gateway that is silent is asked no more than so much.
    private func giveUp(_ number: Int64) {
        let promise = state.withLock { state -> EventLoopPromise<LLMRuling>? in
            let promise = state.asked[number]?.promise
            if state.asked[number]?.isSent == true {
                state.asked[number]?.promise = nil
            } else {
                state.asked[number] = nil
                state.queue.removeAll { $0 == number }
            }
            return promise
        }
        promise?.fail(Failure.silent)
    }

    /// Nothing more is asked, and nothing is answered. What requests have cost is told all the same.
    public func end() {
        let (promises, rest) = state.withLock { state in
            let rest = state.queue.compactMap { number -> LLMProxyReport? in
                guard let question = state.asked[number]?.question, case .settle = question else { return nil }
                return .ask(number, question)
            }
            state.isGone = true
            defer { (state.asked, state.queue) = ([:], []) }
            return (state.asked.values.compactMap(\.promise), rest)
        }
        for report in rest where !send(report) { break }
        for promise in promises { promise.fail(Failure.gone) }
    }
}
