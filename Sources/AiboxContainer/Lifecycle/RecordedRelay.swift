import AiboxAudit
import AiboxSystem
import CLinux
import Glibc

/// Passes on what a child shows, after recording it.
struct RecordedRelay {
    /// The SHA-256 of the recording, once it ended in order.
    private(set) var digest: String?
    /// Why the recording ended early.
    private(set) var failure: String?

    private let recorder: SessionRecorder
    private let isRequired: Bool
    private let signals: Descriptor
    /// Bytes that may still be kept; what follows is counted.
    private var left: Int
    private var counted: UInt64 = 0
    /// Outputs that take no pages from a pipe: terminals, files.
    private var takesNoPages: Set<Int32> = []

    /// Bytes that a pipe holds and that pass in one turn.
    private static let turn = 1 << 20
    /// Turns so small that it pays to let more come, and for how many microseconds.
    private static let pieces = (16 << 10)..<(256 << 10)
    private static let gathering: UInt32 = 2000

    init(_ recorder: SessionRecorder, isRequired: Bool, kept: Int) throws(AiboxError) {
        self.recorder = recorder
        self.isRequired = isRequired
        left = kept
        // An interrupt reaches ssh as well, which decides what it means; this process stays to finish the recording.
        let numbers = [SIGWINCH, SIGINT, SIGQUIT, SIGTERM, SIGHUP]
        let descriptor = aibox_signal_descriptor(numbers, Int32(numbers.count))
        if descriptor < 0 { throw .system("cannot take signals", errno: descriptor) }
        signals = Descriptor(descriptor)
    }

    /// - Parameter separateErrors: standard error comes through a pipe of its own, not through the terminal.
    mutating func run(_ command: Command, separateErrors: Bool) throws(AiboxError) -> Int32 {
        let output = try Pipe()
        let errors = separateErrors ? try Pipe() : nil
        // Fewer turns for long output; where standard output is no pipe, nothing happens.
        for pipe in [output.write.number, STDOUT_FILENO] {
            _ = fcntl(pipe, 1031, Int32(Self.turn))  // F_SETPIPE_SZ, fcntl(2)
        }
        let child = try ChildProcess.start(
            command, descriptors: [STDIN_FILENO, output.write.number, errors?.write.number ?? STDERR_FILENO],
            deathSignal: SIGTERM)
        output.write.close()
        errors?.write.close()
        try pass(child, [(output.read, STDOUT_FILENO)] + (errors.map { [($0.read, STDERR_FILENO)] } ?? []))
        let termination = try child.wait()
        finish()
        switch termination {
        case .exited(let status): return failure != nil && isRequired ? max(status, 1) : status
        case .signalled(let number): return 128 + number
        }
    }

    private mutating func pass(_ child: ChildProcess, _ streams: [(Descriptor, Int32)]) throws(AiboxError) {
        var streams = streams
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while !streams.isEmpty {
            var waiting = ([signals] + streams.map(\.0)).map {
                pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0)
            }
            let pause = SessionRecorder.pendingTime.milliseconds
            let ready = try retrying("cannot wait for the session") { poll(&waiting, nfds_t(waiting.count), pause) }
            if ready == 0 {
                recording(child) { (recorder) throws(AiboxError) in try recorder.flush() }
                continue
            }
            if waiting[0].revents != 0 { takeSignal(child) }
            for index in streams.indices.reversed() where waiting[index + 1].revents != 0 {
                let (source, target) = streams[index]
                if show(source, target) { continue }
                let count = try retrying("cannot hear from the session") {
                    read(source.number, &buffer, buffer.count)
                }
                if count == 0 {
                    streams.remove(at: index)
                } else if !take(buffer, count, target, child) {
                    child.send(SIGHUP)
                    return
                }
            }
        }
    }

    /// Shows what is not kept, uncopied from the pipe to where it goes (splice(2)), and counts it.
    ///
    /// - Returns: false where that cannot be done now: what is kept is recorded before it is shown, and the end of the
    ///   output is for others to see.
    private mutating func show(_ source: Descriptor, _ target: Int32) -> Bool {
        if left > 0 || failure != nil || takesNoPages.contains(target) { return false }
        let shown = aibox_splice(source.number, target, Self.turn)
        if shown <= 0 {
            if shown == -EINVAL { takesNoPages.insert(target) }
            return shown == -EINTR
        }
        counted += UInt64(shown)
        // A stream comes in pieces of some ten thousand bytes, and to wake up for each costs more than to pass it on.
        // Meanwhile the pipe takes what comes; answers of a protocol are smaller, and nothing waits for them here.
        if Self.pieces.contains(shown) { usleep(Self.gathering) }
        return true
    }

    /// Records and shows; false if nobody sees it any more.
    private mutating func take(_ buffer: [UInt8], _ count: Int, _ target: Int32, _ child: ChildProcess) -> Bool {
        let kept = min(left, count)
        left -= kept
        buffer.withUnsafeBytes { bytes in
            if kept > 0 {
                recording(child) { (recorder) throws(AiboxError) in
                    try recorder.output(UnsafeRawBufferPointer(rebasing: bytes[..<kept]))
                }
            }
        }
        counted += UInt64(count - kept)
        if failure != nil, isRequired { return true }
        var sent = 0
        while sent < count {
            let written = buffer.withUnsafeBytes { write(target, $0.baseAddress.map { $0 + sent }, count - sent) }
            if written < 0, errno == EINTR { continue }
            if written < 0 { return false }
            sent += written
        }
        return true
    }

    private mutating func takeSignal(_ child: ChildProcess) {
        // signalfd_siginfo has 128 bytes and begins with the number (signalfd(2)).
        var info = [UInt32](repeating: 0, count: 32)
        guard read(signals.number, &info, 128) == 128 else { return }
        switch Int32(bitPattern: info[0]) {
        case SIGWINCH:
            let size = RecordedSession.terminalSize()
            recording(child) { (recorder) throws(AiboxError) in
                try recorder.resize(width: size.width, height: size.height)
            }
        case SIGTERM, SIGHUP: child.send(SIGHUP)
        default: break
        }
    }

    /// Does something with the recorder. Where recording is required and fails, the session ends.
    private mutating func recording(
        _ child: ChildProcess, _ work: (SessionRecorder) throws(AiboxError) -> Void
    ) {
        if failure != nil { return }
        do throws(AiboxError) {
            try work(recorder)
        } catch {
            failure = error.reason
            digest = try? recorder.abandon()
            if isRequired {
                RecordedSession.say("aibox: the session ends, because it can be recorded no further: \(failure ?? "")")
                child.send(SIGHUP)
            } else {
                RecordedSession.say("aibox: the session is recorded no further: \(failure ?? "")")
            }
        }
    }

    private mutating func finish() {
        if failure != nil { return }
        do throws(AiboxError) {
            if counted > 0 { try recorder.note("\r\n[\(counted) further bytes were shown and are not kept]\r\n") }
            digest = try recorder.finish()
        } catch {
            failure = error.reason
            digest = try? recorder.abandon()
        }
    }
}
