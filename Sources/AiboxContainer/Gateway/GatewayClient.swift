public import AiboxSystem
public import AiboxWire
import CLinux
import Glibc

/// Asks a running gateway daemon: one connection, one request, one reply. Blocking.
public struct GatewayClient: Sendable {
    /// The sandbox's run folder.
    public let runFolder: String
    /// How long to wait for a reply.
    public var timeout: Duration

    public init(runFolder: String, timeout: Duration = .seconds(5)) {
        self.runFolder = runFolder
        self.timeout = timeout
    }

    /// How the gateway is.
    public func status() throws(AiboxError) -> GatewayStatus {
        guard case .status(let status) = try ask(.status) else { throw unexpected() }
        return status
    }

    /// Ties the gateway's life to the container's: when the monitor (conmon) ends, so does the gateway.
    public func watch(monitorPid: Int32) throws(AiboxError) { try order(.watch(monitorPid: monitorPid)) }

    /// Gives the sandbox's interface its address and route again. Before every start of a container under runsc.
    public func readdress() throws(AiboxError) { try order(.readdress) }

    /// Makes a port of the sandbox reachable on 127.0.0.1.
    public func forward(_ port: UInt16, hostPort: UInt16) throws(AiboxError) {
        try order(.forward(ForwardedPort(port: port, hostPort: hostPort)))
    }

    /// Takes that back.
    public func endForward(_ port: UInt16) throws(AiboxError) { try order(.endForward(port)) }

    /// Connects a sandbox that was cut off again, with the filter as it was. Nothing to do is no error.
    public func repair() throws(AiboxError) { try order(.repair) }

    /// Where the sandbox may connect: `enabled`, `rules`, `denials`, `services`, `connections`.
    public func network() throws(AiboxError) -> JSONValue {
        guard case .network(let document) = try ask(.network) else { throw unexpected() }
        return document
    }

    /// Lets the sandbox reach a host, or takes one away; returns once that holds.
    public func change(_ change: NetworkChange) throws(AiboxError) {
        var patient = self
        patient.timeout = max(timeout, .seconds(20))
        try patient.order(.changeNetwork(change))
    }

    /// Gives the sandbox's broker a credential's new secret, or takes the credential back; returns once that holds.
    ///
    /// - Returns: whether the sandbox had been lent it.
    public func change(_ change: CredentialChange) throws(AiboxError) -> Bool {
        guard case .lent(let isLent) = try ask(.changeCredential(change)) else { throw unexpected() }
        return isLent
    }

    /// Lets the sandbox learn, or no more; returns once that holds.
    public func change(_ change: LearnChange) throws(AiboxError) {
        var patient = self
        patient.timeout = max(timeout, .seconds(20))
        try patient.order(.learn(change))
    }

    /// The calls of gated programs that wait for a person, the oldest first.
    public func approvals() throws(AiboxError) -> [ApprovalQuestion] {
        let limit = ApprovalQuestion.openLimit * ApprovalQuestion.byteLimit + Wire.lineLimit
        guard case .approvals(let open) = try ask(.approvals, limit: limit) else { throw unexpected() }
        return open
    }

    /// Answers one of them; returns once the answer is written down.
    public func answer(_ answer: ApprovalAnswer) throws(AiboxError) { try order(.answerApproval(answer)) }

    /// Returns once the way out is served as promised; at once where there is none.
    public func serving() throws(AiboxError) {
        var patient = self
        patient.timeout = max(timeout, .seconds(20))
        try patient.order(.serving)
    }

    /// Ends the gateway and returns once nothing is left of it. One that is not there is no error; one that hangs is killed.
    public func stop() throws(AiboxError) {
        // It may be on its way out already, and hang up on us: only what remains counts.
        try? order(.stop)
        if try isGone(within: timeout) { return }
        if let socket = try UnixSocket.connect(folder: runFolder, name: Wire.controlSocket, timeout: timeout) {
            try kill(socket)
        }
        if try isGone(within: timeout) { return }
        throw AiboxError(
            .failed, "cannot stop the gateway", why: "it holds \(runFolder) and answers nobody",
            remedy: "end the process aibox-gateway of this sandbox by hand")
    }

    /// A descriptor that becomes readable when the daemon ends.
    ///
    /// - Throws: if none is running.
    public func process() throws(AiboxError) -> Descriptor {
        func absent() -> AiboxError {
            AiboxError(.failed, "cannot watch the gateway", why: "none is running in \(runFolder)")
        }
        guard let socket = try UnixSocket.connect(folder: runFolder, name: Wire.controlSocket, timeout: timeout) else {
            throw absent()
        }
        var (pid, uid, gid): (pid_t, uid_t, gid_t) = (0, 0, 0)
        guard aibox_peer_credentials(socket.number, &pid, &uid, &gid) == 0, uid == geteuid() else { throw absent() }
        let process = aibox_pidfd_open(pid)
        if process < 0 { throw .system("cannot watch the gateway", errno: process) }
        let descriptor = Descriptor(process)
        // Asked after the descriptor was made: as in `kill`, it is no stranger's.
        guard GatewayRemains.state(of: runFolder) == .running else { throw absent() }
        return descriptor
    }

    private func isGone(within limit: Duration) throws(AiboxError) -> Bool {
        let deadline = ContinuousClock.now + limit
        while try GatewayRemains.clear(runFolder) == .running {
            if ContinuousClock.now > deadline { return false }
            usleep(5000)
        }
        return true
    }

    /// Kills the process that listens at the other end. It cannot be a stranger with a used process id: the process
    /// descriptor is made first, and the lock, seen held after that, says that the daemon still lives.
    private func kill(_ socket: Descriptor) throws(AiboxError) {
        var (pid, uid, gid): (pid_t, uid_t, gid_t) = (0, 0, 0)
        guard aibox_peer_credentials(socket.number, &pid, &uid, &gid) == 0, uid == geteuid() else { return }
        let process = aibox_pidfd_open(pid)
        if process < 0 { return }
        defer { close(process) }
        if GatewayRemains.state(of: runFolder) == .running { _ = aibox_pidfd_send_signal(process, SIGKILL) }
    }

    private func order(_ request: ControlRequest) throws(AiboxError) {
        guard case .done = try ask(request) else { throw unexpected() }
    }

    /// - Parameter limit: bytes of the reply.
    private func ask(_ request: ControlRequest, limit: Int = Wire.lineLimit) throws(AiboxError) -> ControlReply {
        guard let socket = try UnixSocket.connect(folder: runFolder, name: Wire.controlSocket, timeout: timeout) else {
            throw AiboxError(
                .failed, "cannot reach the gateway", why: "none is running in \(runFolder)",
                remedy: "aibox status shows what runs")
        }
        try send(request.json.bytes + [UInt8(ascii: "\n")], to: socket)
        let line = try receiveLine(from: socket, limit: limit)
        let reply: ControlReply
        do {
            // The last piece may go beyond the limit.
            let limits = JSONParser.Limits(size: limit + Wire.lineLimit)
            reply = try ControlReply(json: try JSONParser.parse(line, limits: limits))
        } catch {
            throw AiboxError(.failed, "cannot understand the gateway's reply", why: "\(error)")
        }
        if case .failed(let error) = reply { throw AiboxError(wire: error) }
        return reply
    }

    private func send(_ bytes: [UInt8], to socket: Descriptor) throws(AiboxError) {
        var sent = 0
        while sent < bytes.count {
            sent += try retrying("cannot send to the gateway") {
                bytes.withUnsafeBytes {
                    Glibc.send(socket.number, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    private func receiveLine(from socket: Descriptor, limit: Int) throws(AiboxError) -> [UInt8] {
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        let deadline = ContinuousClock.now + timeout
        while line.count < limit, ContinuousClock.now < deadline {
            let count = recv(socket.number, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                let why = errno == EAGAIN ? "no reply after \(timeout)" : describe(errno: errno)
                throw AiboxError(.failed, "cannot hear from the gateway", why: why)
            }
            if count == 0 { throw AiboxError(.failed, "cannot hear from the gateway", why: "it hung up") }
            if let end = chunk[..<count].firstIndex(of: UInt8(ascii: "\n")) { return line + chunk[..<end] }
            line.append(contentsOf: chunk[..<count])
        }
        throw AiboxError(.failed, "cannot hear from the gateway", why: "its reply does not end")
    }

    private func unexpected() -> AiboxError {
        AiboxError(.failed, "cannot understand the gateway's reply", why: "it answers another question")
    }
}

extension AiboxError {
    /// The error that another process of aibox reported.
    init(wire error: WireError) {
        self.init(Self.code(error.code), error.what, why: error.why, remedy: error.remedy)
    }

    private static func code(_ word: String) -> Code {
        let known: [Code] = [.failed, .denied, .policyInvalid, .layerMissing, .integrity, .usage]
        return known.first { $0.description == word } ?? .failed
    }
}
