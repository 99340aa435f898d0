import AiboxContainer
import AiboxSystem
import ArgumentParser

struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Build, list and check the images that sandboxes start from.",
        subcommands: [ImageBuild.self, ImageList.self]
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions
}

/// Which recipes a command works with.
struct RecipeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take the recipes of this folder instead of aibox's own.", valueName: "folder"))
    var recipes: String?

    func library() throws -> RecipeLibrary {
        try RecipeLibrary(folder: recipes ?? "aibox-images")
    }
}
