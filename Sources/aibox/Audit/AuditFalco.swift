import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser
import Glibc

struct AuditFalco: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "falco", abstract: "Take Falco's alerts from standard input into the log.",
        discussion: """
            In falco.yaml: json_output: true, and program_output: {enabled: true, keep_alive: true, program: \
            "runuser -u USER -- aibox audit falco"}. Lines that are no alerts are named, and end it with status 1.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        let log = try AuditLog.open(
            folder: global.layers().paths.auditFolder, context: AuditContext(source: .falco),
            options: try SandboxAudit.options(try global.context()))
        var (taken, refused, number) = (0, 0, 0)
        while let line = StandardInput.line(limit: FalcoAlert.limit) {
            number += 1
            if line.isEmpty { continue }
            if let alert = FalcoAlert(line) {
                try log.append(alert.event)
                taken += 1
            } else {
                global.output.note("aibox: line \(number) is no alert of Falco's, and was left out")
                refused += 1
            }
        }
        try log.close()
        global.output.answer(
            .text(
                "\(taken) alerts are in the log.",
                .object([.init("taken", .integer(taken)), .init("refused", .integer(refused))])))
        if refused > 0 { throw ExitCode(1) }
    }
}

/// Standard input, a line at a time, however slowly it comes.
private enum StandardInput {
    /// Without its newline; nil at the end. Of a longer line the first `limit` bytes and one more.
    static func line(limit: Int) -> [UInt8]? {
        var line: [UInt8] = []
        while true {
            let byte = getchar()
            if byte == EOF { return line.isEmpty ? nil : line }
            if byte == 0x0a { return line }
            if line.count <= limit { line.append(UInt8(truncatingIfNeeded: byte)) }
        }
    }
}
