import AiboxSystem
import CLinux
import Glibc

/// A session that is not recorded: ssh has this process's terminal and descriptors, and no byte passes here.
///
/// When this process is killed, the kernel ends ssh, and the log has no end of the session: `ssh.close`, which the gateway
/// writes, tells then.
struct PlainSession {
    let audit: SandboxAudit
    /// The command as the person typed it.
    let title: String
    /// shell or command.
    let kind: String

    /// - Returns: the exit status; 128 and the signal's number where one ended ssh.
    func run(_ ssh: Command) throws(AiboxError) -> Int32 {
        // Nobody else of this user reads the log's keys out of our memory.
        aibox_set_dumpable(false)
        // The terminal's signals reach ssh as well, which decides what they mean.
        let numbers = [SIGINT, SIGQUIT, SIGTERM, SIGHUP]
        let signals = aibox_signal_descriptor(numbers, Int32(numbers.count))
        if signals < 0 { throw .system("cannot take signals", errno: signals) }
        try audit.began(title, kind)
        let begin = ContinuousClock.now
        let child = try ChildProcess.start(
            ssh, descriptors: [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO], deathSignal: SIGTERM)
        try wait(for: child, Descriptor(signals))
        let status =
            switch try child.wait() {
            case .exited(let status): status
            case .signalled(let number): 128 + number
            }
        try audit.ended(title, kind, status: status, after: ContinuousClock.now - begin)
        try audit.close()
        return status
    }

    /// Passes on what asks to end.
    private func wait(for child: ChildProcess, _ signals: Descriptor) throws(AiboxError) {
        let process = aibox_pidfd_open(child.pid)
        if process < 0 { throw .system("cannot watch ssh", errno: process) }
        let ending = Descriptor(process)
        while true {
            var waiting = [signals, ending].map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
            try retrying("cannot wait for the session") { poll(&waiting, 2, -1) }
            if waiting[1].revents != 0 { return }
            // signalfd_siginfo has 128 bytes and begins with the number (signalfd(2)).
            var info = [UInt32](repeating: 0, count: 32)
            guard read(signals.number, &info, 128) == 128 else { continue }
            let number = Int32(bitPattern: info[0])
            if number == SIGTERM || number == SIGHUP { child.send(number) }
        }
    }
}
