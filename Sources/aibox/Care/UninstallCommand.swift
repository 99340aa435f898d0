import AiboxContainer
import AiboxSystem
import ArgumentParser
import Glibc

struct UninstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall",
        abstract: "Remove sandboxes, volumes, images, keys and settings of this user; workspaces stay.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Do not ask.")
    var yes = false

    func run() throws {
        let context = try global.context()
        let uninstall = Uninstall(context)
        if !yes {
            global.output.note("This removes:")
            for line in try uninstall.inventory() { global.output.note("  " + line) }
            guard isatty(STDIN_FILENO) == 1 else {
                throw AiboxError(.usage, "nobody is there to be asked", remedy: "aibox uninstall --yes")
            }
            Output.writeError("Go on? [y/N] ")
            guard readLine()?.lowercased() == "y" else {
                throw AiboxError(.failed, "nothing was removed", why: "the answer was not y")
            }
        }
        try uninstall.run { global.output.note($0) }
    }
}
