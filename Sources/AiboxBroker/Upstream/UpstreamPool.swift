import NIOCore

/// Connections to upstreams: those that wait for another request, and those that carry many at once. Belongs to one event loop.
final class UpstreamPool {
    typealias Completion = (Result<any UpstreamCarrier, any Error>) -> Void

    private struct Dial: Hashable {
        var base: UpstreamBase
        var connector: ObjectIdentifier
    }

    private let loop: any EventLoop
    /// Of upstreams that have alternatives.
    var circuit = UpstreamCircuit()
    private var idle: [UpstreamBase: [(connection: UpstreamConnection, since: NIODeadline)]] = [:]
    private var sessions: [UpstreamBase: [UpstreamSession]] = [:]
    /// Who waits for a connection that is being made, and that may carry them all.
    private var waiting: [Dial: [Completion]] = [:]
    /// Servers that chose HTTP/1.1: nobody waits there for the connection of somebody else.
    private var isSingle: Set<UpstreamBase> = []

    /// How long a connection may wait: less than servers keep one, so that none is used that is about to be closed.
    static let lifetime = TimeAmount.seconds(20)
    private static let most = 64

    init(loop: any EventLoop) { self.loop = loop }

    /// Room for a request, on a connection that there is or on a new one.
    ///
    /// - Parameter isFresh: on a new one, whatever there is.
    func carrier(
        _ base: UpstreamBase, _ connector: UpstreamConnector, isFresh: Bool = false,
        _ completion: @escaping Completion
    ) {
        if isFresh { return dial(base, connector, completion) }
        if let session = sessions[base]?.first(where: { $0.connector === connector && $0.isUsable }) {
            return completion(.success(session.carrier()))
        }
        while let (connection, since) = idle[base]?.popLast() {
            // One of an earlier plan may lead where this plan does not.
            if connection.connector === connector, connection.isUsable, since + Self.lifetime > .now() {
                return completion(.success(connection))
            }
            connection.abandon()
        }
        if !base.isTLS || isSingle.contains(base) { return dial(base, connector, completion) }
        let dialing = Dial(base: base, connector: ObjectIdentifier(connector))
        if waiting[dialing] != nil {
            waiting[dialing]?.append(completion)
            return
        }
        waiting[dialing] = []
        dial(base, connector) { result in
            let others = self.waiting.removeValue(forKey: dialing) ?? []
            completion(result)
            for other in others {
                switch result {
                case .success: self.carrier(base, connector, other)
                case .failure: other(result)
                }
            }
        }
    }

    private func dial(_ base: UpstreamBase, _ connector: UpstreamConnector, _ completion: @escaping Completion) {
        connector.connect(base, on: loop).assumeIsolated().whenComplete { result in
            do {
                let (channel, chosen) = try result.get()
                let handlers = channel.pipeline.syncOperations
                switch chosen {
                case .http1:
                    self.isSingle.insert(base)
                    let connection = UpstreamConnection(base: base, connector: connector, pool: self)
                    try handlers.addHandler(connection)
                    completion(.success(connection))
                case .http2:
                    self.isSingle.remove(base)
                    try handlers.addHandler(
                        try UpstreamSession(base: base, connector: connector, pool: self) { result in
                            completion(result.map { self.use($0) })
                        })
                }
            } catch {
                completion(.failure(error))
            }
        }
    }

    private func use(_ session: UpstreamSession) -> any UpstreamCarrier {
        sessions[session.base, default: []].append(session)
        return session.carrier()
    }

    func keep(_ connection: UpstreamConnection) {
        var list = idle[connection.base] ?? []
        if list.count >= Self.most { list.removeFirst().connection.abandon() }
        list.append((connection, .now()))
        idle[connection.base] = list
    }

    func forget(_ connection: UpstreamConnection) {
        idle[connection.base]?.removeAll { $0.connection === connection }
    }

    /// It takes no more requests.
    func forget(_ session: UpstreamSession) { sessions[session.base]?.removeAll { $0 === session } }

    func closeAll() {
        let all = idle.values.flatMap { $0 }
        let many = sessions.values.flatMap { $0 }
        idle = [:]
        sessions = [:]
        for entry in all { entry.connection.abandon() }
        for session in many { session.close() }
    }
}
