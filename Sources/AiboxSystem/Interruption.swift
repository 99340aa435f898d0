import Glibc
import Synchronization

/// Ctrl-C, SIGTERM and SIGHUP as a question asked between two steps, so that work is undone in order
/// and not torn in the middle.
public enum Interruption {
    private static let received = Atomic<Int32>(0)

    /// From now on the signals are remembered and do not end the process.
    public static func hold() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { Interruption.received.store($0, ordering: .releasing) }
        }
    }

    /// Throws if one of the signals came.
    public static func check() throws(AiboxError) {
        let number = received.load(ordering: .acquiring)
        if number != 0 {
            throw AiboxError(.failed, "interrupted", why: "signal \(number); what had been begun is undone")
        }
    }
}
