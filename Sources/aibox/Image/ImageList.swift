import AiboxConfig
import AiboxContainer
import AiboxSystem
import ArgumentParser

struct ImageList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the images on this machine that aibox built or is set to use.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        let configuration = try global.layers().load().configuration
        let store = try ImageStore(configuration, paths: .current)
        let configured = configuration.image
        var images = try store.built()
        if !configured.isEmpty, let own = try store.find(configured), !images.contains(where: { $0.id == own.id }) {
            images.append(own)
        }
        let inUse = configured.isEmpty ? ImageStore.defaultReference : configured
        let columns = ["reference", "recipe", "created", "size", "digest", "in_use"]
        let rows = images.map { image -> [OutputValue] in
            [
                .text(image.reference), .optional(image.recipe), image.created.map(OutputValue.time) ?? .null,
                .size(ByteSize(bytes: Int64(image.size))), .optional(image.digest?.description),
                .boolean(image.reference == inUse),
            ]
        }
        global.output.answer(.listing(Listing(columns: columns, rows: rows)))
        if images.isEmpty { global.output.note("There is no image yet. Build one: aibox image build") }
    }
}
