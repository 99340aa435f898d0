import AiboxAudit
import AiboxConfig
import AiboxState
import AiboxSystem
import AiboxWire
import CLinux
import Glibc

/// A session in the sandbox that is recorded on the host: ssh runs as a child, and what it shows passes through here.
///
/// Nothing in the sandbox takes part, so nothing in the sandbox can stop, change or read the recording. The person at
/// the terminal meets ssh itself: it has the terminal as its input and sets it up as always; only its output goes
/// through a pipe. When this process dies, the kernel ends ssh.
struct RecordedSession {
    let context: SandboxContext
    let record: SandboxRecord
    let rule: RecordingRule

    /// Bytes that are kept of a session without a terminal, which may carry files of any size; the rest is counted.
    static let keptWithoutTerminal = 8 << 20

    /// Runs ssh to its end.
    ///
    /// - Parameters:
    ///   - title: the command as the person typed it.
    ///   - kind: shell, command or ssh.
    ///   - isKept: false for streams of files, which are only counted.
    /// - Returns: the exit status.
    func run(
        _ ssh: Command, title: String, kind: String, terminal: Bool, isKept: Bool = true
    ) throws(AiboxError) -> Int32 {
        // Nobody else of this user reads the keys out of our memory.
        aibox_set_dumpable(false)
        signal(SIGPIPE, SIG_IGN)
        let log = try auditLog()
        let size = Self.terminalSize()
        let shown = SafeText.escaped(title)
        let id = try log.append(started(title, kind)).description
        let header = RecordingHeader(
            id: id, session: record.session, sandbox: record.name, user: context.user.name,
            host: AuditContext.hostName, started: Timestamp.now.rfc3339, kind: kind, recipient: rule.recipient)
        try log.append(
            AuditEvent(
                .recordingStart, subject: id,
                details: [
                    "policy": rule.isRequired ? "required" : "optional",
                    "recipient": .string(rule.recipient.fingerprint),
                ]))
        let begin = ContinuousClock.now
        Self.say(rule.notice)
        do throws(AiboxError) {
            let recorder = try SessionRecorder(
                folder: context.paths.recordingsFolder, header, for: rule.recipient, limit: rule.limit,
                width: size.width, height: size.height, title: shown, term: Environment.value("TERM") ?? "",
                notice: rule.notice)
            var relay = try RecordedRelay(
                recorder, isRequired: rule.isRequired, kept: isKept ? (terminal ? .max : Self.keptWithoutTerminal) : 0)
            let status = try relay.run(ssh, separateErrors: !terminal)
            try log.append(ended(id, title, kind, status, ContinuousClock.now - begin, relay, recorder))
            try log.close()
            return status
        } catch {
            try log.append([
                AuditEvent(
                    .recordingEnd, subject: id, outcome: .failure, details: ["reason": .string(error.description)]),
                AuditEvent(.sessionEnd, subject: title, outcome: .failure, details: ["kind": .string(kind)]),
            ])
            try log.close()
            throw error
        }
    }

    private func auditLog() throws(AiboxError) -> AuditLog {
        try AuditLog.open(
            folder: context.paths.auditFolder,
            context: AuditContext(
                source: .sessionRecorder, session: record.session, sandbox: record.name, user: context.user.name),
            options: try SandboxAudit.options(context, sandbox: record.name))
    }

    private func started(_ title: String, _ kind: String) -> AuditEvent {
        AuditEvent(
            .sessionStart, subject: AuditText.carried(Array(title.utf8)),
            details: ["kind": .string(kind), "recorded": true])
    }

    private func ended(
        _ id: String, _ title: String, _ kind: String, _ status: Int32, _ time: Duration, _ relay: RecordedRelay,
        _ recorder: SessionRecorder
    ) -> [AuditEvent] {
        var details: JSONObject = [
            "size_bytes": .integer(Int64(recorder.size)), "duration_ms": .integer(Int64(time.milliseconds)),
        ]
        details["digest"] = relay.digest.map { .string($0) }
        details["reason"] = relay.failure.map { .string($0) }
        return [
            AuditEvent(
                .recordingEnd, subject: id, outcome: relay.failure == nil ? .success : .failure, details: details),
            AuditEvent(
                .sessionEnd, subject: AuditText.carried(Array(title.utf8)),
                details: [
                    "kind": .string(kind), "exit_code": .integer(Int64(status)),
                    "duration_ms": .integer(Int64(time.milliseconds)),
                    "size_bytes": .integer(Int64(recorder.size)),
                ]),
        ]
    }

    static func terminalSize() -> (width: Int, height: Int) {
        var size = winsize()
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] where ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 {
            if size.ws_col > 0, size.ws_row > 0 { return (Int(size.ws_col), Int(size.ws_row)) }
        }
        return (80, 24)
    }

    /// On standard error, so that the output of a command stays as it is.
    static func say(_ text: String) {
        let line = SafeText.escaped(text) + "\r\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }
}
