import AiboxCrypto
public import AiboxSystem
import Glibc

/// Takes a secret from a person or from a pipe; never from an argument, which every process of the machine can read.
public enum SecretPrompt {
    /// Everything that comes on `descriptor`, without one final line break.
    public static func readAll(_ descriptor: Int32) throws(AiboxError) -> Secret {
        var bytes = [UInt8](repeating: 0, count: Secret.longest + 2)
        defer { bytes.wipe() }
        var count = 0
        while count < bytes.count {
            let got = try retrying("cannot read the secret") {
                bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
            }
            if got == 0 { break }
            count += got
        }
        if count > 0, bytes[count - 1] == UInt8(ascii: "\n") { count -= 1 }
        if count > 0, bytes[count - 1] == UInt8(ascii: "\r") { count -= 1 }
        return try Secret(bytes[..<count])
    }

    /// Asks at the terminal, where nothing of the answer is shown.
    ///
    /// Ctrl-C, and a signal that comes meanwhile, give the terminal back as it was first.
    public static func ask(_ question: String) throws(AiboxError) -> Secret {
        let terminal = Descriptor(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY))
        guard terminal.isOpen else {
            throw AiboxError(
                .usage, "cannot ask: \(question)", why: "there is no terminal", remedy: "run it at a terminal")
        }
        var former = termios()
        if tcgetattr(terminal.number, &former) != 0 { throw .system("cannot ask: \(question)", errno: errno) }
        var silent = former
        silent.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | ISIG)
        let signals = HeldSignals()
        defer { signals.release() }
        // What was typed before the question is not the answer.
        if tcsetattr(terminal.number, TCSAFLUSH, &silent) != 0 {
            throw .system("cannot ask: \(question)", errno: errno)
        }
        defer { tcsetattr(terminal.number, TCSAFLUSH, &former) }
        try File.writeAll(Array((SafeText.escaped(question) + ": ").utf8), to: terminal, "/dev/tty")
        defer { try? File.writeAll([UInt8(ascii: "\n")], to: terminal, "/dev/tty") }
        return try answer(terminal, signals)
    }

    private static func answer(_ terminal: Descriptor, _ signals: HeldSignals) throws(AiboxError) -> Secret {
        // Of full size from the start, so that growing leaves no copy.
        var line = [UInt8](repeating: 0, count: Secret.longest + 1)
        defer { line.wipe() }
        var count = 0
        let cancelled = AiboxError(.failed, "cancelled")
        while true {
            var waiting = pollfd(fd: terminal.number, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, 100)
            if signals.isPending { throw cancelled }
            if ready <= 0 { continue }
            var byte: UInt8 = 0
            let got = read(terminal.number, &byte, 1)
            if got < 0, errno == EINTR { continue }
            switch got <= 0 ? 0x03 : byte {
            case 0x03, 0x1c: throw cancelled
            case 0x04 where count == 0: throw cancelled
            case 0x0a, 0x0d, 0x04: return try Secret(line[..<count])
            case 0x08, 0x7f:
                if count > 0 { count -= 1 }
                // The rest of a character of several bytes.
                while count > 0, line[count] & 0xc0 == 0x80 { count -= 1 }
            case 0x15: count = 0
            default:
                if count == line.count { throw AiboxError(.usage, "the answer is longer than 64 KiB") }
                line[count] = byte
                count += 1
            }
        }
    }
}

/// Signals that would end the process, held back until the terminal is as it was.
private struct HeldSignals {
    private var former = sigset_t()
    private var held = sigset_t()

    init() {
        sigemptyset(&held)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&held, number) }
        pthread_sigmask(SIG_BLOCK, &held, &former)
    }

    var isPending: Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains { sigismember(&pending, $0) == 1 }
    }

    func release() {
        var former = former
        pthread_sigmask(SIG_SETMASK, &former, nil)
    }
}
