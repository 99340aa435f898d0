import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser
import Glibc

struct AuditForward: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward", abstract: "Send events to the sinks in audit.sinks.",
        discussion: "Each sink gets every event at least once, in order. Ends with status 1 if one takes none.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var audit: AuditOptions

    @Option(help: ArgumentHelp("Send to this address instead. May be repeated.", valueName: "url"))
    var to: [String] = []

    @Flag(name: .shortAndLong, help: "Go on with the events that come.")
    var follow = false

    func run() throws {
        let names = to.isEmpty ? try global.context().configuration.audit.sinks : to
        if names.isEmpty {
            throw AiboxError(
                .usage, "there is no sink to send to",
                remedy: "aibox config set audit.sinks syslog+tls://logs.example.org:6514, or --to")
        }
        var forwarders: [AuditForwarder] = []
        for name in names {
            forwarders.append(try AuditForwarder(folder: audit.folder, to: try SinkAddress(name)))
        }
        var pause: UInt32 = 1
        while true {
            let failed = report(forwarders)
            if !follow {
                if failed { throw ExitCode(1) }
                return
            }
            pause = failed ? min(pause * 2, 60) : 1
            sleep(pause)
        }
    }

    /// True if a sink failed.
    private func report(_ forwarders: [AuditForwarder]) -> Bool {
        var failed = false
        for forwarder in forwarders {
            do throws(AiboxError) {
                let progress = try forwarder.run()
                for notice in progress.notices { global.output.note("\(forwarder.address.text): \(notice)") }
                if follow && progress.sent == 0 { continue }
                global.output.answer(
                    .text(
                        "\(forwarder.address.text): \(progress.sent) events, up to number \(progress.last)",
                        .object([
                            .init("sink", .text(forwarder.address.text)), .init("sent", .integer(progress.sent)),
                            .init("last_seq", .integer(Int(progress.last))),
                        ])))
            } catch {
                failed = true
                Output.writeError("aibox: " + SafeText.escaped(error.description, keepingLines: true) + "\n")
            }
        }
        return failed
    }
}
