import Glibc
import Synchronization

/// An open file descriptor with one owner: closed once, at the latest when the last reference goes.
public final class Descriptor: Sendable {
    private let value: Atomic<Int32>

    public init(_ number: Int32) { value = Atomic(number) }

    deinit { close() }

    /// The number; -1 once closed.
    public var number: Int32 { value.load(ordering: .acquiring) }
    public var isOpen: Bool { number >= 0 }

    public func close() {
        let number = value.exchange(-1, ordering: .acquiringAndReleasing)
        if number >= 0 { _ = Glibc.close(number) }
    }

    /// Gives the number away: this object no longer closes it.
    public func release() -> Int32 { value.exchange(-1, ordering: .acquiringAndReleasing) }

    public func setNonBlocking() {
        let flags = fcntl(number, F_GETFL)
        _ = fcntl(number, F_SETFL, flags | O_NONBLOCK)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, for poll(2) and friends.
    public var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        let value = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(clamping: value)
    }
}
