import ArgumentParser

struct ConfigList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every setting with the value in effect.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        global.output.answer(.listing(Listing(columns: ["key"], rows: [["x"]])))
    }
}
