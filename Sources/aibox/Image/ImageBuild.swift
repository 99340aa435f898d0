import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser

struct ImageBuild: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Build an image from the package archive of this machine's distribution."
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var options: RecipeOptions

    @Argument(help: "The recipe: base, java, node, dotnet or full.")
    var name = "base"

    @Flag(help: "Refuse package versions that differ from the recipe's lock.")
    var locked = false

    @Flag(help: "Write the installed versions into the lock beside the recipe.")
    var updateLock = false

    @Flag(help: "Do nothing if the image of this recipe is there already.")
    var ifMissing = false

    func validate() throws {
        if locked, updateLock { throw ValidationError("--locked and --update-lock exclude each other.") }
        if updateLock, options.recipes == nil {
            throw ValidationError("--update-lock writes beside a recipe of yours: name its folder with --recipes.")
        }
    }

    func run() throws {
        let library = try options.library()
        let recipe = try library.recipe(name)
        let podman = Podman(host: .current)
        if ifMissing, let present = try ImageStore(podman: podman).find(recipe.reference),
            try present.isBuilt(from: recipe)
        {
            global.output.note("\(recipe.reference) is there already")
            return global.output.answer(.record(Self.fields(present)))
        }
        let clock = StepClock(global.output)
        let builder = ImageBuilder(runner: SystemCommandRunner(), podman: podman) { clock.step($0) }
        let image = try builder.build(
            recipe, locks: try library.locks(name), isStrict: locked, logFolder: Paths.current.stateFolder + "/log")
        clock.finish("built \(image.stored.reference)")
        if updateLock, let folder = library.folder {
            let path = "\(folder)/\(name)/" + PackageLock.fileName(image.lock.identity)
            try File.replace(path, with: image.lock.text, mode: 0o644)
            global.output.note("wrote \(path)")
        } else {
            tell(image)
        }
        global.output.answer(.record(Self.fields(image.stored)))
    }

    /// How the versions compare with the lock, in words.
    private func tell(_ image: BuiltImage) {
        if !image.isLocked {
            global.output.note(
                "there is no lock for \(image.lock.identity): the versions are those of the archive today")
        } else if image.differences.isEmpty {
            global.output.note("all \(image.lock.versions.count) packages are as locked")
        } else {
            global.output.note("\(image.differences.count) packages differ from the lock (the archive has moved on)")
            for difference in image.differences { global.output.detail("  \(difference)") }
        }
    }

    private static func fields(_ image: StoredImage) -> [OutputValue.Field] {
        [
            .init("reference", .text(image.reference)), .init("digest", .optional(image.digest?.description)),
            .init("id", .text(image.id)), .init("created", image.created.map(OutputValue.time) ?? .null),
            .init("size", .size(ByteSize(bytes: Int64(image.size)))),
        ]
    }
}
