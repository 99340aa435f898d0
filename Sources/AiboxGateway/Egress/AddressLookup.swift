import AiboxNetwork
import AiboxSystem
import NIOCore
import NIOPosix
import Synchronization

/// Looks the addresses of allowed names up, as the host does, on threads of its own.
final class AddressLookup: Sendable {
    enum Answer: Sendable, Equatable {
        case addresses([IPAddress])
        /// In words.
        case none(String)
    }

    private struct Entry {
        var answer: Answer
        var expires: ContinuousClock.Instant
    }

    private struct State {
        var known: [HostName: Entry] = [:]
        var asked: [HostName: [EventLoopPromise<Answer>]] = [:]
    }

    private let pinned: [HostName: [IPAddress]]
    private let threads: NIOThreadPool
    private let state = Mutex(State())

    /// How long an answer is good for a next request: shorter than what Squid keeps.
    private static let lifetime = Duration.seconds(20)
    private static let failureLifetime = Duration.seconds(2)
    private static let patience = TimeAmount.seconds(15)
    private static let knownLimit = 2048

    init(pinned: [HostName: [IPAddress]]) {
        self.pinned = pinned
        threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
    }

    func end() { threads.shutdownGracefully { _ in } }

    func addresses(of host: HostName, on loop: any EventLoop) -> EventLoopFuture<Answer> {
        if let fixed = pinned[host] { return loop.makeSucceededFuture(.addresses(fixed)) }
        let promise = loop.makePromise(of: Answer.self)
        let (answer, isFirst) = state.withLock { state -> (Answer?, Bool) in
            if let entry = state.known[host], entry.expires > .now { return (entry.answer, false) }
            state.asked[host, default: []].append(promise)
            return (nil, state.asked[host]?.count == 1)
        }
        if let answer {
            promise.succeed(answer)
            return promise.futureResult
        }
        if isFirst {
            threads.submit { state in
                self.tell(host, state == .active ? Self.lookUp(host) : .none("the gateway is ending"))
            }
        }
        let limit = loop.scheduleTask(in: Self.patience) { self.giveUp(host) }
        promise.futureResult.whenComplete { _ in limit.cancel() }
        return promise.futureResult
    }

    /// Answers whoever still waits. A late answer is kept for the next one.
    private func giveUp(_ host: HostName) {
        let waiting = state.withLock { $0.asked.removeValue(forKey: host) ?? [] }
        for promise in waiting { promise.succeed(.none("no name server answers for \(host)")) }
    }

    private func tell(_ host: HostName, _ answer: Answer) {
        let waiting = state.withLock { state in
            if state.known.count >= Self.knownLimit { state.known = [:] }
            var lifetime = Self.failureLifetime
            if case .addresses = answer { lifetime = Self.lifetime }
            state.known[host] = Entry(answer: answer, expires: .now + lifetime)
            return state.asked.removeValue(forKey: host) ?? []
        }
        for promise in waiting { promise.succeed(answer) }
    }

    private static func lookUp(_ host: HostName) -> Answer {
        let addresses = HostLookup.addresses(of: host.text)
        switch addresses {
        case .success(let found):
            return found.isEmpty ? .none("the name \(host) has no address") : .addresses(found)
        case .failure(let error): return .none("the name \(host) cannot be resolved: \(error.words)")
        }
    }
}
