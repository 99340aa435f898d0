import Glibc

/// A thread of its own, for work that waits and for children that end with the thread that started them.
public enum DedicatedThread {
    /// Starts the thread; it ends when `body` returns.
    public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(AiboxError) {
        let work = Unmanaged.passRetained(Work(body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        if result != 0 {
            work.release()
            throw .system("cannot start the thread \(name)", errno: result)
        }
        pthread_detach(thread)
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
