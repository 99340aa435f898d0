import AiboxSystem
import NIOCore
import Synchronization

/// The ports that the packet filter lets through, and the one place that changes them.
///
/// Open a door once somebody answers behind it, close it first.
final class Doors: Sendable {
    private let holder: HolderConnection
    private let ports = Mutex(OpenPorts())

    init(holder: HolderConnection) { self.holder = holder }

    /// Ports open now.
    var open: OpenPorts { ports.withLock { $0 } }

    /// Loads the first filter with doors. Only before the supervisor runs.
    func begin(_ first: OpenPorts) throws(AiboxError) {
        _ = try holder.perform(.filter(first))
        ports.withLock { $0 = first }
    }

    /// Loads the filter with other doors. Fails without effect.
    func change(
        on loop: any EventLoop, _ change: @Sendable (inout OpenPorts) -> Void
    ) -> EventLoopFuture<Void> {
        // The request leaves under the lock, so that the holder loads in the order of the changes.
        let (before, loaded) = ports.withLock { ports in
            let before = ports
            change(&ports)
            return (before, holder.request(.filter(ports), on: loop))
        }
        loaded.whenFailure { _ in self.ports.withLock { $0 = before } }
        return loaded.map { _ in }
    }
}
