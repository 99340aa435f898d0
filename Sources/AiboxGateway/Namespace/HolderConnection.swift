import AiboxSystem
import AiboxWire
import CLinux
import Glibc
import NIOCore
import Synchronization

/// The daemon's side of the namespace holder: asks for sockets of the gateway's namespace.
///
/// At start, on one thread, by `perform`; later from event loops by `request`, while the supervisor's thread calls
/// `receive`. No byte of the sandbox passes here: a socket, once made, belongs to the daemon.
final class HolderConnection: Sendable {
    private struct State {
        var nextId: UInt32 = 1
        var pending: [UInt32: EventLoopPromise<Descriptor?>] = [:]
        var isLost = false
        /// What it told of while it was asked something else.
        var dropped: [DroppedPackets] = []

        mutating func takeId() -> UInt32 {
            defer { nextId = nextId == .max ? 1 : nextId + 1 }  // 0 is the holder's own
            return nextId
        }
    }

    /// Readable when a reply waits, or when the holder is gone.
    let socket: Descriptor
    private let process: ChildProcess
    private let state = Mutex(State())

    private init(socket: Descriptor, process: ChildProcess) {
        self.socket = socket
        self.process = process
    }

    /// Starts the holder. It dies with the calling thread.
    ///
    /// - Parameter owner: a process in the user namespace that shall own the two namespaces.
    static func start(owner: Int32?) throws(AiboxError) -> HolderConnection {
        var pair: [Int32] = [-1, -1]
        try check(aibox_packet_pair(&pair), "cannot make a socket pair")
        let (ours, theirs) = (Descriptor(pair[0]), Descriptor(pair[1]))
        guard let program = Path.real("/proc/self/exe") else {
            throw AiboxError(.failed, "cannot start the namespace holder", why: "the program's file is gone")
        }
        var arguments = ["namespace-holder"]
        if let owner { arguments += ["--user-namespace", "\(owner)"] }
        let process = try ChildProcess.start(
            Command(program, arguments),
            descriptors: [STDIN_FILENO, STDERR_FILENO, STDERR_FILENO, theirs.number], deathSignal: SIGKILL)
        return HolderConnection(socket: ours, process: process)
    }

    /// Waits for the namespaces. Returns the process that rests in the sandbox's.
    func awaitReady(timeout: Duration = .seconds(10)) throws(AiboxError) -> Int32 {
        let (reply, _) = try receiveReply(timeout: timeout)
        switch reply.outcome {
        case .ready(let pid): return pid
        case .failed(let what, let why): throw AiboxError(.layerMissing, what, why: why)
        case .drift(let why): throw AiboxError(.layerMissing, "the sandbox's network does not stay as made", why: why)
        case .done, .dropped: throw AiboxError(.failed, "cannot understand the namespace holder")
        }
    }

    /// Asks and waits. Only before the supervisor runs.
    func perform(_ action: HolderRequest.Action, timeout: Duration = .seconds(10)) throws(AiboxError) -> Descriptor? {
        let id = state.withLock { $0.takeId() }
        try send(HolderRequest(id: id, action: action))
        var (reply, descriptor) = try receiveReply(timeout: timeout)
        while case .dropped(let packets) = reply.outcome {
            state.withLock { $0.dropped += packets }
            (reply, descriptor) = try receiveReply(timeout: timeout)
        }
        if case .drift(let why) = reply.outcome {
            throw AiboxError(.layerMissing, "the sandbox's network does not stay as made", why: why)
        }
        guard reply.id == id else { throw AiboxError(.failed, "cannot understand the namespace holder") }
        if case .failed(let what, let why) = reply.outcome { throw AiboxError(.failed, what, why: why) }
        return descriptor
    }

    /// Asks from an event loop; the answer comes there.
    ///
    /// - Parameter descriptors: what travels beside the text.
    func request(
        _ action: HolderRequest.Action, _ descriptors: [Int32] = [], on loop: any EventLoop
    ) -> EventLoopFuture<Descriptor?> {
        let promise = loop.makePromise(of: Descriptor?.self)
        let id = state.withLock { state -> UInt32? in
            if state.isLost { return nil }
            let id = state.takeId()
            state.pending[id] = promise
            return id
        }
        guard let id else {
            promise.fail(Self.lost)
            return promise.futureResult
        }
        do throws(AiboxError) {
            try send(HolderRequest(id: id, action: action), descriptors)
        } catch {
            state.withLock { $0.pending.removeValue(forKey: id) }?.fail(error)
        }
        return promise.futureResult
    }

    /// Takes one reply and gives it to whoever waits for it.
    ///
    /// - Returns: what the holder tells without being asked.
    /// - Throws: the holder is gone, or speaks nonsense, which is the same.
    func receive() throws(AiboxError) -> HolderReply.Outcome? {
        do throws(AiboxError) {
            let (reply, descriptor) = try receiveReply(timeout: .zero)
            switch reply.outcome {
            case .drift, .dropped: return reply.outcome
            case .ready, .done, .failed: break
            }
            guard let promise = state.withLock({ $0.pending.removeValue(forKey: reply.id) }) else {
                throw AiboxError(.failed, "cannot understand the namespace holder", why: "an answer nobody asked for")
            }
            switch reply.outcome {
            case .done: promise.succeed(descriptor)
            case .failed(let what, let why): promise.fail(AiboxError(.failed, what, why: why))
            case .ready, .drift, .dropped: promise.fail(Self.lost)
            }
            return nil
        } catch {
            failPending()
            throw error
        }
    }

    /// Ends the holder and waits for its end; the namespaces go with it.
    ///
    /// - Returns: packets dropped of which it had not told yet.
    @discardableResult
    func end() -> [DroppedPackets] {
        failPending()
        let id = state.withLock { $0.takeId() }
        try? send(HolderRequest(id: id, action: .exit))
        var hasEnded = false
        for _ in 0..<100 where !hasEnded {
            hasEnded = (try? process.poll()) != nil
            if !hasEnded { usleep(2000) }
        }
        if !hasEnded {
            process.send(SIGKILL)
            _ = try? process.wait()
        }
        // What it said last lies in the socket still.
        var dropped = takeDropped()
        while let (reply, _) = try? receiveReply(timeout: .zero) {
            if case .dropped(let packets) = reply.outcome { dropped += packets }
        }
        return dropped
    }

    /// Packets dropped that it told of while it was asked something else.
    func takeDropped() -> [DroppedPackets] {
        state.withLock { state in
            defer { state.dropped = [] }
            return state.dropped
        }
    }

    private func failPending() {
        let pending = state.withLock { state in
            state.isLost = true
            defer { state.pending = [:] }
            return state.pending
        }
        for promise in pending.values { promise.fail(Self.lost) }
    }

    private func send(_ request: HolderRequest, _ descriptors: [Int32] = []) throws(AiboxError) {
        let bytes = request.bytes
        try check(
            aibox_send_descriptors(socket.number, bytes, bytes.count, descriptors, Int32(descriptors.count)),
            "cannot ask the namespace holder")
    }

    private func receiveReply(timeout: Duration) throws(AiboxError) -> (HolderReply, Descriptor?) {
        let what = "cannot hear from the namespace holder"
        var waiting = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
        let ready = try retrying(what) { poll(&waiting, 1, timeout.milliseconds) }
        if ready == 0 { throw AiboxError(.failed, what, why: "no answer after \(timeout)") }
        var room = [UInt8](repeating: 0, count: 16 << 10)
        var descriptors: [Int32] = [-1]
        var count: Int32 = 1
        let length = aibox_receive_descriptors(socket.number, &room, room.count, &descriptors, &count)
        let descriptor = count == 1 ? Descriptor(descriptors[0]) : nil
        if length < 0 { throw .system(what, errno: Int32(length)) }
        if length == 0 { throw AiboxError(.failed, what, why: "it has ended") }
        guard let reply = HolderReply(room[..<length]) else {
            throw AiboxError(.failed, what, why: "it talks nonsense")
        }
        return (reply, descriptor)
    }

    private static let lost = AiboxError(.failed, "cannot ask the namespace holder", why: "it is gone")
}
