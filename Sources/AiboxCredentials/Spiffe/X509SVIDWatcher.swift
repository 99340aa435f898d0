import AiboxCrypto
public import AiboxSystem
import Glibc

/// Follows a workload's certificate as it is rotated, and taken back (github.com/spiffe/spiffe, standards/SPIFFE_Workload_API.md,
/// sections 4.2 and 5.2.1): keeps a stream open, and opens another when it ends; after failures with waits that double from half a
/// second to half a minute, less up to half of each by chance (SPIFFE_Workload_Endpoint.md, section 6).
///
/// For one thread at a time.
public final class X509SVIDWatcher {
    public enum Update: Sendable {
        case svid(X509SVID)
        /// What was given before must not be used any longer: why.
        case withdrawn(AiboxError)
    }

    private let api: WorkloadAPI
    private var stream: (channel: GRPCChannel, call: GRPCChannel.Call)?
    /// The stream that is open has given something.
    private var isCurrent = false
    private var isWithdrawn = false
    private var failures = 0
    private var nextTry: ContinuousClock.Instant?
    /// What went wrong last.
    private var trouble: AiboxError?

    public init(_ api: WorkloadAPI) { self.api = api }

    /// Waits for the next change; the first is what holds now.
    ///
    /// - Returns: nil if nothing changed until the deadline.
    /// - Throws: if the Workload API cannot be had until then; also at once, for what no other try could mend, and for an SVID that
    ///   cannot be trusted: the one before may be used as long as it lasts. The call after that goes on.
    public func next(deadline: ContinuousClock.Instant) throws(AiboxError) -> Update? {
        while true {
            if let wait = nextTry {
                Self.sleep(until: min(wait, deadline))
                if wait > deadline {
                    if let trouble { throw trouble }
                    return nil
                }
                nextTry = nil
            }
            if stream == nil { try api.endpoint.requireOwned() }
            var message: [UInt8]
            do throws(GRPCStatus) {
                guard let received = try receive(deadline) else {
                    // The server ended the stream, which it may once it has said something.
                    if !isCurrent { trouble = api.failure(GRPCStatus(.internal, "its answer is empty")) }
                    reconnect()
                    continue
                }
                message = received
            } catch {
                if error.code == .deadlineExceeded, isCurrent, .now >= deadline { return nil }
                let failure = api.failure(error)
                trouble = failure
                reconnect()
                switch error.code {
                case .invalidArgument, .unimplemented: throw failure
                case .permissionDenied where !isWithdrawn:
                    isWithdrawn = true
                    return .withdrawn(failure)
                default: continue
                }
            }
            defer { message.wipe() }
            (isCurrent, failures, trouble) = (true, 0, nil)
            do throws(AiboxError) {
                let svid = try api.x509SVID(message)
                isWithdrawn = false
                return .svid(svid)
            } catch {
                // A message is complete: what it does not name is taken back (section 5.2.1).
                guard error.what == WorkloadAPI.notOffered, !isWithdrawn else { throw error }
                isWithdrawn = true
                return .withdrawn(error)
            }
        }
    }

    private func receive(_ deadline: ContinuousClock.Instant) throws(GRPCStatus) -> [UInt8]? {
        // The first message has to come without delay (SPIFFE_Workload_API.md, section 4.3).
        let limit = isCurrent ? deadline : min(deadline, .now + api.timeout)
        if stream == nil {
            let channel = try GRPCChannel(socketPath: api.endpoint.path, deadline: limit)
            let call = try channel.begin(
                WorkloadAPI.Method.x509SVID.rawValue, [], metadata: WorkloadAPI.metadata, timeout: nil)
            stream = (channel, call)
        }
        guard let stream else { return nil }
        return try stream.channel.next(stream.call, deadline: limit)
    }

    private func reconnect() {
        if let stream { stream.channel.cancel(stream.call) }
        stream = nil
        // One that worked until now is replaced at once.
        if !isCurrent { failures += 1 }
        isCurrent = false
        if failures == 0 { return }
        let longest = min(30_000, 500 << min(failures - 1, 10))
        nextTry = .now + .milliseconds(Int.random(in: longest / 2...longest))
    }

    private static func sleep(until moment: ContinuousClock.Instant) {
        while true {
            let left = moment - .now
            if left <= .zero { return }
            _ = poll(nil, 0, left.milliseconds)
        }
    }
}
