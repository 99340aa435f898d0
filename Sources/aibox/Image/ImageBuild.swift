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
        let work = try LocalImage(global: global, library: library, recipe: recipe)
        if ifMissing, let present = try work.present(), try present.isBuilt(from: recipe) {
            global.output.note("\(recipe.reference) is there already")
            return work.answer(present)
        }
        let image = try work.build(isStrict: locked)
        if updateLock, let folder = library.folder {
            let path = "\(folder)/\(name)/" + PackageLock.fileName(image.lock.identity)
            try File.replace(path, with: image.lock.text, mode: 0o644)
            global.output.note("wrote \(path)")
        } else {
            work.tell(image)
        }
        work.answer(image.stored)
    }
}
