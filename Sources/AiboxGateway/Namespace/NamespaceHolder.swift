import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc

/// The process that makes the two network namespaces of a sandbox and keeps them alive.
///
/// One thread, no event loop. It lives in the gateway's namespace; a child that only rests lives in the sandbox's, so
/// that podman can join it by `/proc/N/ns/net` at any time. Nothing is mounted and no file is made: when the holder
/// dies, and it dies with its daemon, the cable is gone and with it every way out.
public struct NamespaceHolder {
    private let daemon: Descriptor
    private let boxLink: NetlinkSocket
    private let gatewayLink: NetlinkSocket
    private let restingPid: Int32
    private let resting: Descriptor
    private var dials: [PendingDial] = []
    private var ports = OpenPorts()
    private var filterGuard: FilterGuard
    private var isCut = false
    private var nextLook = ContinuousClock.now
    /// Packets by counter that the daemon knows of.
    private var told: [String: UInt64] = [:]
    private var resolver = HeldResolver()

    private struct PendingDial {
        var id: UInt32
        var socket: Descriptor
        var deadline: ContinuousClock.Instant
    }

    private static let dialLimit = 256
    private static let daemonDescriptor: Int32 = 3

    /// Runs to the end of the daemon. The daemon's socket is descriptor 3.
    ///
    /// - Parameter arguments: empty, or `--user-namespace PID`.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String]) -> Int32 {
        let daemon = Descriptor(daemonDescriptor)
        do throws(AiboxError) {
            var holder = try NamespaceHolder(daemon: daemon, owner: try owner(arguments))
            defer { holder.endResting() }
            return try holder.serve()
        } catch {
            let why = [error.why, error.remedy].compactMap(\.self).joined(separator: "; ")
            try? send(HolderReply(id: 0, outcome: .failed(what: error.what, why: why)), to: daemon)
            return 1
        }
    }

    private static func owner(_ arguments: [String]) throws(AiboxError) -> Int32? {
        if arguments.isEmpty { return nil }
        guard arguments.count == 2, arguments[0] == "--user-namespace", let pid = Int32(arguments[1]), pid > 1 else {
            throw AiboxError(.usage, "cannot hold namespaces", why: "the arguments make no sense")
        }
        return pid
    }

    // MARK: Building

    private init(daemon: Descriptor, owner: Int32?) throws(AiboxError) {
        let parent = getppid()
        self.daemon = daemon
        try check(aibox_set_no_new_privileges(), "cannot give up new privileges")
        if let owner { try Self.enterUserNamespace(of: owner, parent: parent) }
        _ = aibox_set_process_name("aibox-holder")

        try check(aibox_unshare(AIBOX_NAMESPACE_NETWORK), "cannot make a network namespace")
        try KernelSwitches.apply()
        boxLink = try NetlinkSocket()
        try boxLink.send(SandboxLink.loopbackUp(), "switch on the sandbox's loopback")
        let box = Descriptor(
            try retrying("cannot open the sandbox's namespace") { open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) })
        restingPid = try check(aibox_fork_resting("aibox-box"), "cannot start a process in the sandbox's namespace")
        resting = Descriptor(try check(aibox_pidfd_open(restingPid), "cannot watch process \(restingPid)"))

        try check(aibox_unshare(AIBOX_NAMESPACE_NETWORK), "cannot make a network namespace")
        try KernelSwitches.apply()
        gatewayLink = try NetlinkSocket()
        try gatewayLink.send(SandboxLink.loopbackUp(), "switch on the gateway's loopback")
        try gatewayLink.send(SandboxLink.lay(to: box.number), "connect the two namespaces")
        // The filter stands before either end of the cable is up.
        try Self.load(SandboxLink.filter(ports))
        for message in SandboxLink.gatewayEnd() { try gatewayLink.send(message, "set up the gateway's interface") }
        for message in SandboxLink.boxEnd() { try boxLink.send(message, "set up the sandbox's interface") }
        filterGuard = try FilterGuard(expecting: SandboxLink.filter(ports))
        try KernelSwitches.openLowPorts()
        try check(aibox_keep_capabilities(Self.kept), "cannot give up capabilities")
        try LockDown.holder()
    }

    /// What is needed from then on: addresses and filter (CAP_NET_ADMIN 12), ports below 1024 (CAP_NET_BIND_SERVICE 10), and
    /// to start the resolver as somebody who has none of it (CAP_SETGID 6, CAP_SETUID 7, CAP_SETPCAP 8) and to end it; without
    /// CAP_KILL 5 not even the parent-death signal would reach another account's process.
    private static let kept: UInt64 = 1 << 12 | 1 << 10 | 1 << 8 | 1 << 7 | 1 << 6 | 1 << 5

    private static func enterUserNamespace(of pid: Int32, parent: Int32) throws(AiboxError) {
        let what = "cannot enter podman's user namespace (process \(pid))"
        let namespace = Descriptor(try retrying(what) { open("/proc/\(pid)/ns/user", O_RDONLY | O_CLOEXEC) })
        try check(aibox_setns(namespace.number, AIBOX_NAMESPACE_USER), what)
        // The change of credentials made this process opaque to the user's own podman, and took away the signal that
        // ends it with its parent.
        try check(aibox_set_dumpable(true), what)
        try check(aibox_set_death_signal(SIGKILL), what)
        if getppid() != parent { throw AiboxError(.failed, what, why: "the gateway is gone") }
    }

    private static func load(_ ruleset: FilterRuleset, keepingCounters: Bool = false) throws(AiboxError) {
        let text = keepingCounters ? ruleset.update : ruleset.text
        try SystemCommandRunner().require(
            Command("nft", ["-f", "-"], environment: ["LC_ALL": "C"], input: Array(text.utf8)),
            "cannot load the packet filter", timeout: .seconds(10),
            remedy: "is nftables installed? aibox doctor tells")
    }

    // MARK: Serving

    private mutating func serve() throws(AiboxError) -> Int32 {
        try Self.send(HolderReply(id: 0, outcome: .ready(restingPid: restingPid)), to: daemon)
        var room = [UInt8](repeating: 0, count: HolderRequest.limit)
        while true {
            var waiting = [daemon.number, resting.number, filterGuard.changes.number].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            waiting += dials.map { pollfd(fd: $0.socket.number, events: Int16(POLLOUT), revents: 0) }
            waiting.append(pollfd(fd: resolver.ending, events: Int16(POLLIN), revents: 0))
            let nearest = dials.map(\.deadline).reduce(nextLook, min)
            let limit = max(0, ContinuousClock.now.duration(to: nearest).milliseconds)
            if poll(&waiting, nfds_t(waiting.count), limit) < 0 {
                if errno == EINTR { continue }
                throw .system("cannot wait for requests", errno: errno)
            }
            // Without the resting process nobody can join the sandbox's namespace: the daemon has to know.
            if waiting[1].revents != 0 { return 1 }
            if waiting[2].revents != 0 || nextLook <= .now { try look() }
            try finishDials(waiting.dropFirst(3).dropLast().map { $0.revents != 0 })
            if waiting.last.map({ $0.revents != 0 }) == true { resolver.end() }
            if waiting[0].revents != 0 {
                var numbers: [Int32] = [-1, -1]
                var count = Int32(numbers.count)
                let length = aibox_receive_descriptors(daemon.number, &room, room.count, &numbers, &count)
                let descriptors = length < 0 ? [] : numbers.prefix(Int(count)).map { Descriptor($0) }
                if length == 0 || length == -Int(ECONNRESET) { return 0 }
                if length < 0 { throw .system("cannot receive a request", errno: Int32(length)) }
                guard let request = HolderRequest(room[..<length]) else {
                    throw AiboxError(.failed, "cannot understand a request")
                }
                if request.action == .exit {
                    _ = filterGuard.findings()
                    try tellDropped()
                    return 0
                }
                try answer(request, descriptors)
            }
        }
    }

    private mutating func answer(_ request: HolderRequest, _ descriptors: [Descriptor]) throws(AiboxError) {
        do throws(AiboxError) {
            switch request.action {
            case .listen(let address, let port):
                let socket = try check(
                    aibox_tcp_listen(address.value, port, 1024), "cannot listen on \(address):\(port) for the sandbox")
                try give(Descriptor(socket), request.id)
            case .bind(let address, let port):
                let socket = try check(
                    aibox_udp_bind(address.value, port), "cannot receive on \(address):\(port) for the sandbox")
                try give(Descriptor(socket), request.id)
            case .dial(let address, let port, let limit):
                let what = "cannot connect to \(address):\(port)"
                if dials.count >= Self.dialLimit { throw AiboxError(.failed, what, why: "too many at once") }
                if isCut { throw AiboxError(.layerMissing, what, why: "the sandbox is cut off") }
                let socket = try check(aibox_tcp_connect_start(address.value, port), what)
                dials.append(
                    PendingDial(
                        id: request.id, socket: Descriptor(socket), deadline: .now + .milliseconds(Int(limit))))
            case .resolver(let program):
                guard descriptors.count == 2 else { throw AiboxError(.failed, "cannot understand a request") }
                try give(try resolver.start(program, configuration: descriptors[0], log: descriptors[1]), request.id)
            case .filter(let ports):
                // What somebody else changed until now is seen before it is replaced.
                try look()
                if isCut { throw AiboxError(.layerMissing, "the sandbox is cut off", remedy: "aibox doctor --fix") }
                try load(ports, keepingCounters: true)
                try done(request.id)
            case .cut:
                try cut()
                try done(request.id)
            case .repair:
                try repair()
                try done(request.id)
            case .readdress:
                for message in SandboxLink.boxEnd() { try boxLink.send(message, "set up the sandbox's interface") }
                try done(request.id)
            case .exit: break
            }
        } catch {
            try fail(request.id, error)
        }
    }

    // MARK: Guarding

    private mutating func load(_ ports: OpenPorts, keepingCounters: Bool) throws(AiboxError) {
        let ruleset = SandboxLink.filter(ports)
        try Self.load(ruleset, keepingCounters: keepingCounters)
        try filterGuard.expect(ruleset)
        self.ports = ports
    }

    /// Every packet that was dropped is told of once.
    private mutating func tellDropped() throws(AiboxError) {
        let dropped = DroppedPackets.gained(filterGuard.packets, since: told)
        told = filterGuard.packets
        if !dropped.isEmpty { try Self.send(HolderReply(id: 0, outcome: .dropped(dropped)), to: daemon) }
    }

    /// Takes the cable down if anything is not as it was made, and tells the daemon. If even that fails the holder ends, and
    /// the namespace with it.
    private mutating func look() throws(AiboxError) {
        nextLook = .now + FilterGuard.interval
        let findings = filterGuard.findings()
        try tellDropped()
        if findings.isEmpty || isCut { return }
        try cut()
        try Self.send(HolderReply(id: 0, outcome: .drift(findings.joined(separator: "; "))), to: daemon)
    }

    private mutating func cut() throws(AiboxError) {
        try gatewayLink.send(SandboxLink.cut(), "cut the sandbox off")
        isCut = true
    }

    private mutating func repair() throws(AiboxError) {
        try KernelSwitches.apply()
        try load(ports, keepingCounters: false)
        let findings = filterGuard.findings()
        if !findings.isEmpty {
            throw AiboxError(
                .layerMissing, "cannot connect the sandbox again", why: findings.joined(separator: "; "),
                remedy: "aibox stop ends it, aibox start makes a new one")
        }
        for message in SandboxLink.gatewayEnd() { try gatewayLink.send(message, "set up the gateway's interface") }
        isCut = false
    }

    private mutating func finishDials(_ ready: [Bool]) throws(AiboxError) {
        let now = ContinuousClock.now
        var waiting: [PendingDial] = []
        for (dial, isReady) in zip(dials, ready) {
            if isReady {
                let error = aibox_socket_error(dial.socket.number)
                if error == 0 {
                    try give(dial.socket, dial.id)
                } else {
                    try fail(dial.id, .system("cannot connect into the sandbox", errno: error))
                }
            } else if dial.deadline <= now {
                try fail(dial.id, .system("cannot connect into the sandbox", errno: ETIMEDOUT))
            } else {
                waiting.append(dial)
            }
        }
        dials = waiting
    }

    /// Ends the process in the sandbox's namespace, and waits, so that an orderly end leaves no trace.
    private func endResting() {
        _ = aibox_pidfd_send_signal(resting.number, SIGKILL)
        var (code, signal): (Int32, Int32) = (0, 0)
        _ = aibox_wait(restingPid, true, &code, &signal)
    }

    // MARK: Replying

    private func done(_ id: UInt32) throws(AiboxError) {
        try Self.send(HolderReply(id: id, outcome: .done), to: daemon)
    }

    private func fail(_ id: UInt32, _ error: AiboxError) throws(AiboxError) {
        try Self.send(HolderReply(id: id, outcome: .failed(what: error.what, why: error.why ?? "")), to: daemon)
    }

    private func give(_ socket: Descriptor, _ id: UInt32) throws(AiboxError) {
        try Self.send(HolderReply(id: id, outcome: .done), to: daemon, with: socket)
    }

    private static func send(
        _ reply: HolderReply, to daemon: Descriptor, with socket: Descriptor? = nil
    ) throws(AiboxError) {
        let bytes = reply.bytes
        let numbers = socket.map { [$0.number] } ?? []
        try check(
            aibox_send_descriptors(daemon.number, bytes, bytes.count, numbers, Int32(numbers.count)),
            "cannot answer the gateway")
    }
}

/// Turns the negative error number of a shim into an error.
@discardableResult
func check(_ result: Int32, _ what: @autoclosure () -> String) throws(AiboxError) -> Int32 {
    if result < 0 { throw .system(what(), errno: result) }
    return result
}
