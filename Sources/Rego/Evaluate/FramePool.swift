import Synchronization

/// Memory for variables, used again by later evaluations: a fresh mapping for each would cost more than most decisions.
final class FramePool: Sendable {
    struct Frames: @unchecked Sendable {
        // Unchecked: owned by one evaluation or by the pool, never by both.
        let start: UnsafeMutablePointer<Value>
    }

    private static let kept = 32
    private let free = Mutex<[Frames]>([])

    func take(_ capacity: Int) -> UnsafeMutablePointer<Value> {
        if let frames = free.withLock({ $0.popLast() }) { return frames.start }
        return .allocate(capacity: capacity)
    }

    /// Takes memory back; nothing in it may be initialized.
    func put(_ start: UnsafeMutablePointer<Value>) {
        let frames = Frames(start: start)
        let isKept = free.withLock { free in
            if free.count >= FramePool.kept { return false }
            free.append(frames)
            return true
        }
        if !isKept { start.deallocate() }
    }

    deinit {
        free.withLock { free in
            for frames in free { frames.start.deallocate() }
            free.removeAll()
        }
    }
}
