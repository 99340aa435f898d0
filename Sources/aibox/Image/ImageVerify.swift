import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser

struct ImageVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check an image on this machine, file by file, against its recipe.",
        discussion: "Ends with status 4 if anything does not match."
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: RecipeOptions

    @Argument(help: "The recipe: base, java, node, dotnet or full.")
    var name = "base"

    @Flag(help: "Compare the package versions with the recipe's lock, too.")
    var locked = false

    func run() throws {
        let library = try options.library()
        let recipe = try library.recipe(name)
        try Podman.requireChosen(try global.layers().load().configuration, for: "verify an image")
        let podman = Podman(host: .current)
        let image = try ImageStore(podman: podman).image(configured: recipe.reference)
        global.output.note("reading \(recipe.reference), which takes some seconds")
        let findings = try ImageVerification(podman: podman, recipe: recipe, lock: try lock(library, image)).findings(
            image)
        let rows = findings.map { finding -> [OutputValue] in
            [.text(finding.check), .boolean(finding.problem == nil), .optional(finding.problem)]
        }
        global.output.answer(.listing(Listing(columns: ["check", "holds", "problem"], rows: rows)))
        let broken = findings.filter { $0.problem != nil }.count
        if broken > 0 {
            throw AiboxError(
                .integrity, "the image \(recipe.reference) does not match its recipe",
                why: "\(broken) of \(findings.count) checks failed", remedy: "aibox image build \(name)")
        }
    }

    private func lock(_ library: RecipeLibrary, _ image: StoredImage) throws -> PackageLock? {
        if !locked { return nil }
        let identity = image.labels[ImageLabel.release] ?? ""
        if let lock = try library.locks(name)[identity] { return lock }
        throw AiboxError(
            .integrity, "the recipe \(name) has no lock for \(SafeText.escaped(identity))",
            remedy: "aibox image build \(name) --recipes FOLDER --update-lock")
    }
}
