import AiboxContainer
import AiboxCredentials
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
        let keyring = SecretServiceStore(environment: Environment.all)
        let kept = (try? keyring.check()) == nil ? [] : try keyring.list().map(\.name)
        if !yes {
            global.output.note("This removes:")
            for line in try uninstall.inventory() { global.output.note("  " + line) }
            for name in kept { global.output.note("  \(name) in the keyring") }
            guard isatty(STDIN_FILENO) == 1 else {
                throw AiboxError(.usage, "nobody is there to be asked", remedy: "aibox uninstall --yes")
            }
            Output.writeError("Go on? [y/N] ")
            guard readLine()?.lowercased() == "y" else {
                throw AiboxError(.failed, "nothing was removed", why: "the answer was not y")
            }
        }
        for name in kept where try keyring.remove(name) { global.output.note("\(name) is out of the keyring") }
        try uninstall.run { global.output.note($0) }
    }
}
