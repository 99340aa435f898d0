import AiboxCrypto
import AiboxHTTP2
import AiboxSystem
import Glibc

/// gRPC over HTTP/2 to a server behind a Unix socket, synchronous: whoever waits for a message moves the connection
/// (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md).
final class GRPCChannel {
    typealias Call = HTTP2StreamID

    private let socket: Descriptor
    private let session: HTTP2ClientSession
    /// What comes is read into.
    private let room: SecretBytes
    private var calls: [Call: Progress] = [:]
    /// Bytes that the socket did not take yet.
    private var unsent: [UInt8] = []

    /// Of one call.
    private struct Progress {
        var reader = GRPCMessages()
        var messages: [[UInt8]] = []
        /// Bytes whose window stays shut while messages wait to be taken.
        var held = 0
        var status: GRPCStatus?
        var isOver = false
    }

    /// - Throws: `unavailable` if nobody listens at the path.
    init(socketPath path: String, deadline: ContinuousClock.Instant) throws(GRPCStatus) {
        do throws(AiboxError) {
            guard
                let socket = try UnixSocket.connect(
                    folder: Path.parent(path), name: Path.name(path), timeout: max(.milliseconds(1), deadline - .now))
            else { throw AiboxError(.failed, "cannot connect to \(path)", why: "nobody listens there") }
            self.socket = socket
            room = try SecretBytes(count: 65_536)
        } catch { throw GRPCStatus(.unavailable, error.reason) }
        socket.setNonBlocking()
        do throws(HTTP2Fault) { session = try HTTP2ClientSession() } catch { throw Self.broken(error) }
    }

    /// Begins a call with its one request.
    ///
    /// - Parameters:
    ///   - method: `/Service/Method`.
    ///   - metadata: names in lower case.
    ///   - timeout: told to the server; nil for a stream that may last.
    func begin(
        _ method: String, _ message: [UInt8], metadata: [HTTP2Field], timeout: Duration?
    ) throws(GRPCStatus) -> Call {
        var head = [
            HTTP2Field(":method", "POST"), HTTP2Field(":scheme", "http"), HTTP2Field(":path", method),
            HTTP2Field(":authority", "localhost"), HTTP2Field("te", "trailers"),
        ]
        // At most eight digits.
        if let timeout { head.append(HTTP2Field("grpc-timeout", "\(min(max(1, timeout.milliseconds), 99_999_999))m")) }
        head += [
            HTTP2Field("content-type", "application/grpc"), HTTP2Field("grpc-accept-encoding", "identity"),
            HTTP2Field("user-agent", "aibox"),
        ]
        do throws(HTTP2Fault) {
            let call = try session.open(head + metadata, endsStream: false)
            try session.send(GRPCMessages.framed(message), on: call, endsStream: true)
            calls[call] = Progress()
            return call
        } catch { throw Self.broken(error) }
    }

    /// The next message; nil after the last.
    ///
    /// - Throws: how the call ended, if not well. `deadlineExceeded` leaves it as it is: the message may still come.
    func next(_ call: Call, deadline: ContinuousClock.Instant) throws(GRPCStatus) -> [UInt8]? {
        while true {
            guard let progress = calls[call] else { throw GRPCStatus(.cancelled, "the call is over") }
            if !progress.messages.isEmpty {
                let message = calls[call]?.messages.removeFirst()
                if progress.messages.count == 1 { try release(call) }
                return message
            }
            if progress.isOver {
                calls[call] = nil
                let status = progress.status ?? GRPCStatus(.internal, "its answer ends without a status")
                if status.code != .ok { throw status }
                if progress.reader.isInside { throw GRPCStatus(.internal, "its answer is cut short") }
                return nil
            }
            try step(until: deadline)
        }
    }

    /// Says that the call's answer is no longer wanted.
    func cancel(_ call: Call) {
        guard calls.removeValue(forKey: call) != nil else { return }
        // Whoever leaves does not wait until it was heard.
        try? session.cancel(call)
        _ = try? write()
    }

    /// Sends what waits, and takes in what comes, once.
    private func step(until deadline: ContinuousClock.Instant) throws(GRPCStatus) {
        let isAllSent = try write()
        let left = deadline - .now
        var waiting = pollfd(fd: socket.number, events: Int16(isAllSent ? POLLIN : POLLIN | POLLOUT), revents: 0)
        let ready = left > .zero ? poll(&waiting, 1, left.milliseconds) : 0
        if ready < 0, errno == EINTR { return }
        if ready < 0 { throw GRPCStatus(.unavailable, describe(errno: errno)) }
        if ready == 0 { throw GRPCStatus(.deadlineExceeded, "it does not answer in time") }
        if waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { try read() }
    }

    private func write() throws(GRPCStatus) -> Bool {
        unsent += session.output()
        while !unsent.isEmpty {
            let count = unsent.withUnsafeBytes { send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return false }
            // What the server said before it hung up is still to be read.
            if count < 0 { unsent = [] } else { unsent.removeFirst(count) }
        }
        return true
    }

    private func read() throws(GRPCStatus) {
        let count = recv(socket.number, room.bytes.baseAddress, room.bytes.count, 0)
        // Keys come this way.
        defer { room.wipe() }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        if count <= 0 {
            let why = count < 0 ? describe(errno: errno) : "it hung up"
            for call in calls.keys where calls[call]?.isOver == false { end(call, GRPCStatus(.unavailable, why)) }
            return
        }
        do throws(HTTP2Fault) {
            for event in try session.receive(UnsafeRawBufferPointer(rebasing: room.readable[..<count])) {
                try take(event)
            }
        } catch {
            // It hears why.
            _ = try write()
            throw Self.broken(error)
        }
    }

    private func take(_ event: HTTP2Event) throws(HTTP2Fault) {
        switch event {
        case .head(let call, let fields):
            if let fault = Self.fault(head: fields) {
                end(call, fault)
            } else if let status = GRPCStatus(fields: fields) {
                // An answer of trailers alone.
                calls[call]?.status = status
            }
        case .data(let call, let bytes):
            guard var progress = calls[call], !progress.isOver else {
                try session.consume(bytes.count, on: call)
                return
            }
            progress.messages += progress.reader.feed(bytes)
            progress.held += bytes.count
            calls[call] = progress
            if let fault = calls[call]?.reader.fault { end(call, GRPCStatus(.resourceExhausted, fault)) }
            if calls[call]?.messages.isEmpty == true || calls[call]?.isOver == true { try open(call) }
        case .trailers(let call, let fields):
            // What was wrong before stays wrong.
            if calls[call]?.isOver == false { calls[call]?.status = GRPCStatus(fields: fields) }
        case .end(let call): calls[call]?.isOver = true
        case .reset(let call, let code, let why): end(call, GRPCStatus(reset: code, why))
        // Streams that it will not answer are reset by themselves.
        case .goingAway: break
        }
    }

    /// The call is over, and its messages are not to be had.
    private func end(_ call: Call, _ status: GRPCStatus) {
        // A status that the server gave first is the better one.
        if calls[call]?.isOver == true || calls[call] == nil { return }
        calls[call]?.isOver = true
        calls[call]?.status = status
        calls[call]?.messages = []
        try? session.cancel(call)
    }

    private func release(_ call: Call) throws(GRPCStatus) {
        do throws(HTTP2Fault) { try open(call) } catch { throw Self.broken(error) }
    }

    private func open(_ call: Call) throws(HTTP2Fault) {
        guard let held = calls[call]?.held, held > 0 else { return }
        calls[call]?.held = 0
        try session.consume(held, on: call)
    }

    /// What in a head says that no messages of gRPC follow.
    private static func fault(head: [HTTP2Field]) -> GRPCStatus? {
        let status = head[":status"] ?? ""
        if status != "200" { return GRPCStatus(http: status) }
        let type = head["content-type"] ?? ""
        let ends = type.dropFirst("application/grpc".count).first
        guard type.hasPrefix("application/grpc"), ends == nil || ends == "+" || ends == ";" else {
            return GRPCStatus(.unknown, "its answer is none of gRPC's")
        }
        if let encoding = head["grpc-encoding"], encoding != "identity" {
            return GRPCStatus(.internal, "its answer is compressed")
        }
        return nil
    }

    private static func broken(_ fault: HTTP2Fault) -> GRPCStatus { GRPCStatus(.internal, fault.reason) }
}
