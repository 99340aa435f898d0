import AiboxConfig
import AiboxContainer
import AiboxSystem
import AiboxWire
import ArgumentParser
import Glibc

struct ApprovalsNotify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify", abstract: "Tell on the desktop and by webhook what waits for your answer.",
        discussion: """
            aibox start does this by itself, in the background, for as long as a sandbox runs. Without --while-running: what \
            waits now, once by webhook; status 1 if it is not taken. Nobody can answer that way.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Go on for as long as a sandbox runs, in silence, unless another process does.")
    var whileRunning = false

    func run() throws {
        let paths = Paths.current
        if whileRunning { return try serve(paths) }
        guard let webhook = try ApprovalWebhook(settings(), paths: paths) else {
            throw AiboxError(
                .usage, "there is nobody to tell", why: "approvals.webhook is empty",
                remedy: "aibox config set approvals.webhook https://hooks.example.org/aibox")
        }
        var told = 0
        let (open, silent) = Self.open(paths)
        for (sandbox, question) in open {
            try webhook.send(ApprovalMessage(sandbox: sandbox, question: question, now: .now), now: .now)
            told += 1
        }
        global.output.answer(
            .text("\(SafeText.escaped(webhook.url)) was told of \(told).", .object([.init("told", .integer(told))])))
        if !silent.isEmpty {
            throw AiboxError(
                .failed, "not every sandbox was asked what waits",
                why: "the gateway of \(silent.map { SafeText.escaped($0) }.joined(separator: ", ")) does not answer",
                remedy: "aibox status")
        }
    }

    /// What waits, of every sandbox that runs, and those that do not answer. Asked as any person's command asks: nothing
    /// waits for this.
    private static func open(
        _ paths: Paths
    ) -> (questions: [(sandbox: String, question: ApprovalQuestion)], silent: [String]) {
        var questions: [(sandbox: String, question: ApprovalQuestion)] = []
        var silent: [String] = []
        for name in RunningGateways.names(paths) {
            let client = RunningGateways.client(name, paths, timeout: .seconds(2))
            do throws(AiboxError) {
                questions += try client.approvals().map { (name, $0) }
            } catch {
                // Ended meanwhile: nothing waits there.
                if RunningGateways.names(paths).contains(name) { silent.append(name) }
            }
        }
        return (questions, silent)
    }

    private static var seconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec)
    }

    /// Held to the pins: the organisation may say who is told.
    private func settings() throws -> Configuration.Approvals {
        try global.context(pinned: true, evenExpired: true).configuration.approvals
    }

    private func serve(_ paths: Paths) throws {
        signal(SIGHUP, SIG_IGN)
        try Folder.makePrivate(paths.stateFolder)
        guard let lock = try lock(paths) else { return }
        defer { lock.release() }
        var notices = ApprovalNotices(now: Self.seconds)
        var isFailing = false
        while !RunningGateways.names(paths).isEmpty {
            let (open, silent) = Self.open(paths)
            notices.see(open, silent: silent)
            if !notices.isIdle || isFailing {
                do {
                    let settings = try settings()
                    NotifierStanding.note("notifier", nil, in: paths.stateFolder)
                    isFailing = false
                    show(&notices, settings, paths)
                    send(&notices, settings, paths)
                } catch {
                    let why = (error as? AiboxError) ?? AiboxError(.failed, "the settings cannot be read")
                    NotifierStanding.note("notifier", why, in: paths.stateFolder)
                    isFailing = true
                }
            }
            sleep(1)
        }
    }

    /// Nil where another process tells. One that is about to end, since the last sandbox did, is waited for.
    private func lock(_ paths: Paths) throws -> FileLock? {
        for _ in 0..<3 {
            if let lock = try FileLock.take(paths.stateFolder + "/approvals-notify.lock") { return lock }
            sleep(1)
        }
        return nil
    }

    private func show(_ notices: inout ApprovalNotices, _ settings: Configuration.Approvals, _ paths: Paths) {
        guard settings.desktop, let desktop = DesktopNotice() else { return notices.forgetNotices() }
        while let notice = notices.notice(now: Self.seconds) {
            do throws(AiboxError) {
                switch notice {
                case .one(let key):
                    guard let question = notices.question(key) else { continue }
                    try desktop.show(ApprovalMessage(sandbox: key.sandbox, question: question, now: .now))
                case .several(let count): try desktop.show(waiting: count)
                }
                NotifierStanding.note("desktop", nil, in: paths.stateFolder)
            } catch {
                NotifierStanding.note("desktop", error, in: paths.stateFolder)
            }
        }
    }

    /// One at a time, so that the desktop never waits for long.
    private func send(_ notices: inout ApprovalNotices, _ settings: Configuration.Approvals, _ paths: Paths) {
        do throws(AiboxError) {
            guard let webhook = try ApprovalWebhook(settings, paths: paths) else { return notices.forgetMessages() }
            guard let key = notices.message(now: Self.seconds), let question = notices.question(key) else { return }
            let result = Result { () throws(AiboxError) in
                try webhook.send(ApprovalMessage(sandbox: key.sandbox, question: question, now: .now), now: .now)
            }
            switch result {
            case .success:
                notices.sent(key, isTaken: true, now: Self.seconds)
                NotifierStanding.note("webhook", nil, in: paths.stateFolder)
            case .failure(let error):
                notices.sent(key, isTaken: false, now: Self.seconds)
                throw error
            }
        } catch {
            NotifierStanding.note("webhook", error, in: paths.stateFolder)
        }
    }
}

/// The process that tells, in the background.
enum ApprovalNotifier {
    /// Starts it. Nothing waits for it; where one runs already, the new one ends at once.
    static func wake(_ global: GlobalOptions) {
        do throws(AiboxError) {
            try BackgroundCommand.start(["approvals", "notify", "--while-running"], global, keeping: isKept)
        } catch {
            global.output.note("aibox: nobody is told of approvals until aibox approvals notify: \(error.reason)")
        }
    }

    /// What the settings, certificates and the desktop need; keys of language models and the like are left out.
    private static func isKept(_ variable: String) -> Bool {
        let kept: Set<String> = [
            "HOME", "LANG", "LOGNAME", "PATH", "TZ", "USER", "DBUS_SESSION_BUS_ADDRESS", "AIBOX_APPROVALS_WEBHOOK",
            "AIBOX_APPROVALS_WEBHOOK_SECRET_PATH", "AIBOX_APPROVALS_DESKTOP",
        ]
        return kept.contains(variable) || ["SSL_CERT_", "XDG_"].contains { variable.hasPrefix($0) }
    }
}
