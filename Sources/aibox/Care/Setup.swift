import AiboxConfig
import AiboxContainer
import AiboxEmbedded
import AiboxSystem
import ArgumentParser

struct Setup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Prepare this machine: settings, SSH key, image. Can be run at any time.")

    /// Ways to set up a kind of machine.
    enum Profile: String, ExpressibleByArgument, CaseIterable { case wslDev = "wsl-dev" }

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Install what the whole machine shares: policy and AppArmor profile. Needs root.")
    var system = false

    @Flag(help: "Build no image.")
    var offline = false

    @Option(help: "wsl-dev: the settings for a developer on WSL 2.")
    var profile: Profile?

    func run() throws {
        let context = try global.context()
        let output = global.output
        if system { return try SystemSetup(context).run { output.note($0) } }
        let name = profile == .wslDev ? "dev" : "minimal"
        guard let template = EmbeddedFile.text("configs/templates/\(name).yaml") else {
            throw AiboxError(
                .failed, "this aibox was built without the template \(name)", remedy: "build it again: make build")
        }
        try UserSetup(context).run(template: template, file: global.layers().writableFile) { output.note($0) }
        if !offline, context.configuration.image.isEmpty {
            let build = try ImageBuild.parse(["--if-missing", "--quiet"])
            try build.run()
        }
        let findings = Doctor(context).examine(fixing: true)
        output.answer(DoctorReport.answer(findings))
        let failed = findings.filter { $0.outcome.grade == .fail && !(offline && $0.name == "image") }
        if let first = failed.first {
            throw AiboxError(
                .layerMissing, "no sandbox can be started yet: \(first.name)", why: first.outcome.message,
                remedy: first.outcome.remedy)
        }
        output.note(
            profile == .wslDev
                ? "Ready. In VS Code install Remote-SSH, then: aibox start -w DIR && aibox code"
                : "Ready. Go on with: aibox start -w DIR")
    }
}
