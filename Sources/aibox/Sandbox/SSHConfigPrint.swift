import AiboxContainer
import AiboxState
import ArgumentParser

struct SSHConfigPrint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh-config", abstract: "Print the SSH settings of the running sandboxes.",
        discussion: "The same text is kept in ~/.config/aibox/ssh/config, for Include, and in a block of ~/.ssh/config."
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        let context = try global.context()
        let records = try global.running(context)
        let text = SSHConfiguration(paths: context.paths).hosts(records)
        global.output.answer(
            .text(
                text,
                .list(
                    records.map { record in
                        .object([
                            .init("host", .text(record.container)), .init("hostname", "127.0.0.1"),
                            .init("port", .integer(record.sshPort)), .init("user", "dev"),
                            .init("identity_file", .text(SSHConfiguration(paths: context.paths).identityFile)),
                        ])
                    })))
    }
}
