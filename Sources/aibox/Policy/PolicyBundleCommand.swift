import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyBundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Make a signed bundle of a folder, for those who own a policy.",
        discussion: """
            The folder holds .manifest, policy.yaml and, for an organisation, Rego. The bundle is checked as a machine would \
            that gets it, and written only if it holds.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "The folder.", completion: .directory)
    var folder: String

    @Option(help: ArgumentHelp("The Ed25519 key to sign with, PEM.", valueName: "file"), completion: .file())
    var key: String

    @Option(help: ArgumentHelp("Where to write the bundle.", valueName: "file"), completion: .file())
    var to: String

    func run() throws {
        // It would be a part of the next one, and of the folder itself where that is fetched as it is.
        if let folder = Path.real(folder), let place = Path.real(Path.parent(to)),
            place == folder || place.hasPrefix(folder + "/")
        {
            throw AiboxError(
                .usage, "cannot write \(SafeText.escaped(to))", why: "the bundle would lie in the folder it is made of",
                remedy: "name a file elsewhere with --to")
        }
        let (archive, bundle) = try BundleMaker(key: key).make(folder, baseline: try BuiltIn.rego())
        try File.replace(to, with: archive, mode: 0o644)
        global.output.answer(
            .record([
                .init("file", .text(to)), .init("layer", .text(bundle.layer.rawValue)),
                .init("version", .integer(bundle.version)), .init("revision", .text(bundle.revision)),
                .init("digest", .text(bundle.digest)), .init("expires", .time(bundle.expires)),
            ]))
    }
}
