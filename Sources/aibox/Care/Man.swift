import AiboxSystem
import AiboxWire
import ArgumentParser

struct Man: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man", abstract: "Write the manual pages, one a command, into a folder.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: ArgumentHelp("The folder, such as ~/.local/share/man/man1.", valueName: "folder"))
    var folder: String

    func run() throws {
        let described = try JSONParser.parse(Array(Aibox._dumpHelp().utf8), limits: .init(size: 16 << 20))
        guard let command = described["command"] else {
            throw AiboxError(.failed, "cannot describe the commands", why: "the description has no command")
        }
        try Folder.make(folder)
        let pages = ManualPage.pages(of: command, version: Aibox.configuration.version)
        for page in pages { try File.replace(folder + "/" + page.file, with: page.text, mode: 0o644) }
        global.output.answer(
            .text(
                "Wrote \(pages.count) manual pages to \(folder).",
                .object([.init("pages", .list(pages.map { .text($0.file) }))])))
    }
}
