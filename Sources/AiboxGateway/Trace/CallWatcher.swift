import AiboxSystem
import AiboxWire
import CLinux
import Glibc

/// The process that is asked, by the kernel, before a program of a sandbox loads another (seccomp_unotify(2)).
///
/// One thread. It looks at who calls and at the words of the call, hands both to the gateway, and lets the call go on: at
/// once, or, where the gateway demands it, once the gateway has them on its disk. It is a process of its own because the
/// gateway's Landlock domain, rightly, lets it look at no process outside. When the gateway dies, so does this, and with it the
/// only holder of the listeners: from then on the kernel fails such calls with ENOSYS.
public struct CallWatcher {
    private let gateway: Descriptor
    private let door: Descriptor
    /// Whether calls wait for the gateway.
    private let waits: Bool
    private var arrivals: [Arrival] = []
    private var listeners: [Descriptor] = []
    private var queue = CallQueue()
    /// Calls that wait, in the order of their packets.
    private var pending: [(listener: Descriptor, id: UInt64)] = []
    private var taken = 0

    /// A runtime that says what it brings.
    private struct Arrival {
        var connection: Descriptor
        var bytes: [UInt8] = []
        var descriptors: [Descriptor] = []
    }

    private static let gatewayDescriptor: Int32 = 3
    private static let doorDescriptor: Int32 = 4
    private static let arrivalLimit = 8
    /// Filters whose calls are watched: the container's, and one each for what `podman exec` starts, while it runs.
    private static let listenerLimit = 128
    /// Calls that wait for the gateway at a time; the others wait in the kernel.
    private static let pendingLimit = 256
    private static let patience = "--wait"

    // MARK: The gateway's side

    /// Starts it. To be called before the gateway confines itself; it dies with the calling thread.
    ///
    /// - Returns: the socket on which packets come.
    static func start(waits: Bool, folder: RunFolder) throws(AiboxError) -> Descriptor {
        let door = try UnixSocket.listen(folder: folder.path, name: Wire.traceSocket, backlog: 8)
        var pair: [Int32] = [-1, -1]
        try check(aibox_packet_pair(&pair), "cannot make a socket pair")
        let (ours, theirs) = (Descriptor(pair[0]), Descriptor(pair[1]))
        guard let program = Path.real("/proc/self/exe") else {
            throw AiboxError(
                .failed, "cannot start what watches the sandbox's calls", why: "the program's file is gone")
        }
        _ = try ChildProcess.start(
            Command(program, ["call-watcher"] + (waits ? [patience] : [])),
            descriptors: [STDIN_FILENO, STDERR_FILENO, STDERR_FILENO, theirs.number, door.number],
            deathSignal: SIGKILL)
        return ours
    }

    // MARK: The process

    /// Runs to the end of the gateway, whose socket is descriptor 3; the runtime's door is descriptor 4.
    ///
    /// - Returns: the exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        do throws(AiboxError) {
            _ = aibox_set_process_name("aibox-watcher")
            try ProcessLockDown.closeDaemon()
            if geteuid() == 0 { try check(aibox_keep_capabilities(kept), "cannot give up capabilities") }
            try SystemCallFilter.loadForWatcher()
            var watcher = CallWatcher(
                gateway: Descriptor(gatewayDescriptor), door: Descriptor(doorDescriptor),
                waits: arguments.contains(patience))
            watcher.serve()
            return 0
        } catch {
            let line = "the sandbox's calls cannot be watched: \(error)\n"
            _ = write(STDERR_FILENO, line, line.utf8.count)
            return 1
        }
    }

    /// To look at processes of other users (CAP_SYS_PTRACE 19) and find their files (CAP_DAC_READ_SEARCH 2). Rootless none is
    /// needed: who owns a user namespace may look at what runs in it (ptrace(2), user_namespaces(7)).
    private static let kept: UInt64 = 1 << 19 | 1 << 2

    private init(gateway: Descriptor, door: Descriptor, waits: Bool) {
        self.gateway = gateway
        self.door = door
        self.waits = waits
    }

    private mutating func serve() {
        while true {
            let isBusy = isFull
            var places = [pollfd(fd: gateway.number, events: Int16(POLLIN), revents: 0)]
            if !queue.isEmpty { places[0].events |= Int16(POLLOUT) }
            places.append(pollfd(fd: door.number, events: Int16(POLLIN), revents: 0))
            places += arrivals.map { pollfd(fd: $0.connection.number, events: Int16(POLLIN), revents: 0) }
            // Not even the end of one is waited for where none is listened to: poll(2) passes over -1.
            places += listeners.map { pollfd(fd: isBusy ? -1 : $0.number, events: Int16(POLLIN), revents: 0) }
            if poll(&places, nfds_t(places.count), -1) < 0 {
                if errno == EINTR { continue }
                return
            }
            if places[0].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, !takeAnswers() { return finish() }
            if places[0].revents & Int16(POLLOUT) != 0 { send() }
            let (known, heard) = (arrivals.count, listeners.count)
            for index in (0..<heard).reversed() {
                let revents = places[2 + known + index].revents
                if revents & Int16(POLLIN) != 0 {
                    if !isFull { take(listeners[index]) }
                } else if revents & Int16(POLLHUP | POLLNVAL) != 0 {
                    // Nobody is left behind this filter. POLLERR alone says no more than that the kernel was interrupted.
                    listeners.remove(at: index)
                }
            }
            for index in (0..<known).reversed() where places[2 + index].revents != 0 { hear(index) }
            if places[1].revents != 0 { welcome() }
            if !queue.isEmpty { send() }
        }
    }

    // MARK: Calls

    /// Where calls wait, each has its packet in the queue, and its answer is known by its place: none is taken on without room.
    private var isFull: Bool { waits && (pending.count >= Self.pendingLimit || !queue.hasRoom) }

    private mutating func take(_ listener: Descriptor) {
        var call = aibox_call()
        guard aibox_notify_receive(listener.number, &call) == 0 else { return }
        let reading = Self.read(call)
        // Whoever is interrupted or dies waits no more: what was read may be another's, and who goes on calls again.
        guard aibox_notify_is_valid(listener.number, call.id) else { return }
        switch reading {
        case .success(let packet) where waits:
            pending.append((listener, call.id))
            queue.append(packet)
        case .success(let packet):
            if aibox_notify_answer(listener.number, call.id, 0) == 0 { queue.append(packet) }
        case .failure(.call(let number)):
            _ = aibox_notify_answer(listener.number, call.id, number)
        case .failure(.closed) where waits:
            _ = aibox_notify_answer(listener.number, call.id, EPERM)
        case .failure(.closed):
            if aibox_notify_answer(listener.number, call.id, 0) == 0 { queue.drop() }
        }
    }

    /// The packet that tells of a call, or why there is none.
    private static func read(_ call: aibox_call) -> Result<[UInt8], CallerWords.Failure> {
        let isAt = call.number == AIBOX_CALL_EXECVEAT
        // The filter asks about no other.
        guard isAt || call.number == AIBOX_CALL_EXECVE else { return .failure(.call(ENOSYS)) }
        let arguments = call.arguments
        let (path, list) = isAt ? (arguments.1, arguments.2) : (arguments.0, arguments.1)
        let base = isAt ? Int32(truncatingIfNeeded: arguments.0) : AT_FDCWD
        do throws(CallerWords.Failure) {
            var words = try CallerWords(path: path, words: list) { address, room in
                aibox_read_memory(call.thread, address, room.baseAddress, room.count)
            }
            // AT_EMPTY_PATH: the descriptor itself is meant.
            if words.path.isEmpty, !isAt || arguments.4 & 0x1000 == 0 { throw .call(ENOENT) }
            let caller = Caller(thread: call.thread)
            switch caller.find(words.path, base: base == AT_FDCWD ? nil : base) {
            case .file(let name): words.path = name
            case .none: throw .call(ENOENT)
            case .unknown: break
            }
            return .success(
                CallPacket.execve(words, pid: caller.pid, user: caller.user, folder: caller.folder))
        } catch {
            return .failure(error)
        }
    }

    // MARK: The gateway

    private mutating func send() {
        while let packet = queue.next {
            let count = Glibc.send(
                gateway.number, packet, packet.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count != packet.count { return }
            queue.sent()
        }
    }

    /// Each byte is about the call that waits longest: 1, it may go on. False once the gateway has ended.
    private mutating func takeAnswers() -> Bool {
        var answers = [UInt8](repeating: 0, count: Self.pendingLimit)
        let count = recv(gateway.number, &answers, answers.count, Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        if count == 0 { return false }
        for answer in answers[..<min(count, pending.count)] {
            let (listener, id) = pending.removeFirst()
            _ = aibox_notify_answer(listener.number, id, answer == 1 ? 0 : EIO)
        }
        return true
    }

    /// The gateway takes what waits, for a second at most.
    private mutating func finish() {
        let end = ContinuousClock.now + .seconds(1)
        while !queue.isEmpty, .now < end {
            var place = pollfd(fd: gateway.number, events: Int16(POLLOUT), revents: 0)
            if poll(&place, 1, 100) > 0, place.revents & Int16(POLLERR) != 0 { return }
            send()
        }
    }

    // MARK: Runtimes

    private mutating func welcome() {
        let number = aibox_accept_trusted(door.number)
        if number < 0 { return }
        // One that says nothing makes room for the next.
        if arrivals.count == Self.arrivalLimit { arrivals.removeFirst() }
        arrivals.append(Arrival(connection: Descriptor(number)))
    }

    /// A piece of what a runtime says; the document ends with the connection (OCI runtime specification, config-linux.md).
    private mutating func hear(_ index: Int) {
        var room = [UInt8](repeating: 0, count: 16 << 10)
        var numbers = [Int32](repeating: -1, count: ContainerProcessState.descriptorLimit)
        var count = Int32(numbers.count)
        let length = aibox_receive_descriptors(
            arrivals[index].connection.number, &room, room.count, &numbers, &count)
        arrivals[index].descriptors += numbers.prefix(Int(count)).map { Descriptor($0) }
        if length > 0 {
            arrivals[index].bytes += room.prefix(length)
            let isLong =
                arrivals[index].bytes.count > ContainerProcessState.sizeLimit
                || arrivals[index].descriptors.count > ContainerProcessState.descriptorLimit
            if isLong { arrivals.remove(at: index) }
            return
        }
        let arrival = arrivals.remove(at: index)
        guard length == 0, let state = ContainerProcessState(arrival.bytes), state.listener < arrival.descriptors.count,
            listeners.count < Self.listenerLimit
        else { return }
        let listener = arrival.descriptors[state.listener]
        if aibox_notify_prepare(listener.number) { listeners.append(listener) }
    }
}
