import NIOCore

/// Connections to upstreams that wait for another request. Belongs to one event loop.
final class UpstreamPool {
    private let loop: any EventLoop
    private var idle: [UpstreamBase: [(connection: UpstreamConnection, since: NIODeadline)]] = [:]

    /// How long a connection may wait: less than servers keep one, so that none is used that is about to be closed.
    private static let lifetime = TimeAmount.seconds(20)
    private static let most = 64

    init(loop: any EventLoop) { self.loop = loop }

    /// A connection; a waiting one where there is one.
    func connection(
        _ base: UpstreamBase, _ connector: UpstreamConnector,
        _ completion: @escaping (Result<UpstreamConnection, any Error>) -> Void
    ) {
        while let (connection, since) = idle[base]?.popLast() {
            if connection.isUsable, since + Self.lifetime > .now() { return completion(.success(connection)) }
            connection.abandon()
        }
        connector.connect(base, on: loop).assumeIsolated().whenComplete { result in
            completion(
                result.flatMap { channel in
                    let connection = UpstreamConnection(base: base, pool: self)
                    return Result {
                        try channel.pipeline.syncOperations.addHandler(connection)
                        return connection
                    }
                })
        }
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

    func closeAll() {
        let all = idle.values.flatMap { $0 }
        idle = [:]
        for entry in all { entry.connection.abandon() }
    }
}
