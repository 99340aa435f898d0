public import AiboxSystem
import Glibc
import Synchronization

/// An `X509SVIDWatcher` on a thread of its own, for who waits for other things as well.
public final class X509SVIDFollower: Sendable {
    /// Readable once there is something to take.
    public let news: Descriptor
    private let bell: Descriptor
    private let latest = Mutex<X509SVIDWatcher.Update?>(nil)
    private let isEnded = Atomic(false)

    /// How long `end` may take to end the thread.
    private static let turn = Duration.seconds(60)
    /// From what went wrong to the next try; the watcher itself waits longer.
    private static let pause: UInt32 = 1_000_000

    public init(_ api: WorkloadAPI) throws(AiboxError) {
        let pipe = try Pipe()
        (news, bell) = (pipe.read, pipe.write)
        news.setNonBlocking()
        bell.setNonBlocking()
        try DedicatedThread.start("aibox-svid") { self.follow(api) }
    }

    /// The newest that came since the last time; nil if nothing did.
    public func take() -> X509SVIDWatcher.Update? {
        var room = [UInt8](repeating: 0, count: 64)
        while read(news.number, &room, room.count) > 0 {}
        return latest.withLock { latest in
            defer { latest = nil }
            return latest
        }
    }

    /// The thread ends a while later.
    public func end() { isEnded.store(true, ordering: .releasing) }

    private func follow(_ api: WorkloadAPI) {
        let watcher = X509SVIDWatcher(api)
        while !isEnded.load(ordering: .acquiring) {
            do throws(AiboxError) {
                guard let update = try watcher.next(deadline: .now + Self.turn) else { continue }
                latest.withLock { $0 = update }
                var byte: UInt8 = 1
                _ = write(bell.number, &byte, 1)
            } catch {
                // What was given before may be used as long as it lasts; that it nears its end is seen to by who uses it.
                usleep(Self.pause)
            }
        }
    }
}
