import AiboxContainer
import AiboxEmbedded
import AiboxSystem
import ArgumentParser

struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Build, list and check the images that sandboxes start from.",
        subcommands: [ImageBuild.self, ImageList.self, ImageVerify.self]
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions
}

/// Which recipes a command works with.
struct RecipeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take the recipes of this folder instead of aibox's own.", valueName: "folder"))
    var recipes: String?

    func library() throws -> RecipeLibrary {
        try recipes.map { try RecipeLibrary(folder: $0) } ?? .own
    }
}

extension RecipeLibrary {
    /// The recipes that are part of this program.
    static var own: RecipeLibrary {
        let root = "aibox-images/"
        var files: [String: [UInt8]] = [:]
        for path in EmbeddedFile.paths where path.hasPrefix(root) {
            files[String(path.dropFirst(root.count))] = EmbeddedFile.bytes(path)
        }
        return RecipeLibrary(embedded: files)
    }
}
