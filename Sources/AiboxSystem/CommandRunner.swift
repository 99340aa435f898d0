import CLinux
import Glibc

/// Runs commands; the seam at which tests put a recorder.
public protocol CommandRunner: Sendable {
    /// Runs to the end and collects both outputs.
    ///
    /// - Parameter timeout: after it the command is killed and an error thrown; nil waits for ever.
    /// - Throws: only if the command could not be run or timed out; a failing exit status is a result.
    func run(_ command: Command, timeout: Duration?) throws(AiboxError) -> CommandResult
}

extension CommandRunner {
    /// Runs with the default limit of one minute.
    public func run(_ command: Command) throws(AiboxError) -> CommandResult {
        try run(command, timeout: .seconds(60))
    }

    /// Runs, and takes a failing exit status for an error named `what` with the command's own words as reason.
    @discardableResult
    public func require(
        _ command: Command, _ what: @autoclosure () -> String, timeout: Duration? = .seconds(60),
        remedy: String? = nil
    ) throws(AiboxError) -> CommandResult {
        let result = try run(command, timeout: timeout)
        if result.succeeded { return result }
        let said = result.errorText.isEmpty ? result.text : result.errorText
        let lines = said.split(separator: "\n").suffix(3).joined(separator: "; ")
        throw AiboxError(
            .failed, what(), why: lines.isEmpty ? "\(command.executable) ended with \(result.termination)" : lines,
            remedy: remedy)
    }
}

/// Runs commands on this machine.
public struct SystemCommandRunner: CommandRunner {
    public init() {}

    public func run(_ command: Command, timeout: Duration?) throws(AiboxError) -> CommandResult {
        let input = try Pipe()
        let output = try Pipe()
        let errors = try Pipe()
        let child = try ChildProcess.start(
            command, descriptors: [input.read.number, output.write.number, errors.write.number])
        input.read.close()
        output.write.close()
        errors.write.close()
        var exchange = PipeExchange(
            input: input.write, output: output.read, errors: errors.read, pending: command.input)
        let deadline = timeout.map { ContinuousClock.now + $0 }
        let finished = exchange.run(until: deadline)
        if !finished { child.send(SIGKILL) }
        let termination = try child.wait()
        if !finished, let timeout {
            throw AiboxError(
                .failed, "\(command.executable) did not finish", why: "no end after \(timeout), so it was killed")
        }
        return CommandResult(
            termination: termination, output: exchange.collected, errorOutput: exchange.collectedErrors)
    }
}

/// Both ends of a pipe, close-on-exec.
public struct Pipe {
    public let read: Descriptor
    public let write: Descriptor

    public init() throws(AiboxError) {
        var pair: [Int32] = [-1, -1]
        let result = pair.withUnsafeMutableBufferPointer { aibox_pipe($0.baseAddress) }
        if result < 0 { throw .system("cannot make a pipe", errno: result) }
        read = Descriptor(pair[0])
        write = Descriptor(pair[1])
    }
}

/// Feeds one pipe and drains two others without a thread, so that no full pipe can block the pair.
private struct PipeExchange {
    let input: Descriptor
    let output: Descriptor
    let errors: Descriptor
    var pending: [UInt8]
    var collected: [UInt8] = []
    var collectedErrors: [UInt8] = []

    init(input: Descriptor, output: Descriptor, errors: Descriptor, pending: [UInt8]) {
        self.input = input
        self.output = output
        self.errors = errors
        self.pending = pending
    }

    /// True when both outputs reached their end, false at the deadline.
    mutating func run(until deadline: ContinuousClock.Instant?) -> Bool {
        var sent = 0
        if pending.isEmpty { input.close() } else { input.setNonBlocking() }
        while output.isOpen || errors.isOpen {
            var waiting: [pollfd] = []
            if output.isOpen { waiting.append(pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)) }
            if errors.isOpen { waiting.append(pollfd(fd: errors.number, events: Int16(POLLIN), revents: 0)) }
            if input.isOpen { waiting.append(pollfd(fd: input.number, events: Int16(POLLOUT), revents: 0)) }
            var limit: Int32 = -1
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                if left <= .zero { return false }
                limit = left.milliseconds
            }
            let ready = poll(&waiting, nfds_t(waiting.count), limit)
            if ready < 0, errno != EINTR { return false }
            for entry in waiting where entry.revents != 0 {
                switch entry.fd {
                case output.number: Self.drain(output, into: &collected)
                case errors.number: Self.drain(errors, into: &collectedErrors)
                default:
                    if !feed(&sent) { input.close() }
                }
            }
        }
        input.close()
        return true
    }

    /// Writes what fits; false when all is written or the reader is gone.
    private func feed(_ sent: inout Int) -> Bool {
        let count = pending.withUnsafeBytes { bytes in
            sendIgnoringPipeSignal(input.number, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
        }
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        sent += count
        return sent < pending.count
    }

    private static func drain(_ descriptor: Descriptor, into bytes: inout [UInt8]) {
        let count = withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 8) { room in
            let count = read(descriptor.number, room.baseAddress, room.count)
            if count > 0 { bytes.append(contentsOf: room.prefix(count)) }
            return count
        }
        if count == 0 || (count < 0 && errno != EINTR) { descriptor.close() }
    }
}

/// write(2) without SIGPIPE ending the process when the reader is gone.
private func sendIgnoringPipeSignal(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    signal(SIGPIPE, SIG_IGN)
    return write(descriptor, bytes, count)
}
