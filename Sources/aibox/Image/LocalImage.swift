import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import AiboxWire

/// An image that is built on this machine: building it, bringing it up to date, and saying so.
struct LocalImage {
    let global: GlobalOptions
    let library: RecipeLibrary
    let recipe: ImageRecipe
    private let store: ImageStore

    private var output: Output { global.output }

    init(global: GlobalOptions, library: RecipeLibrary, recipe: ImageRecipe) throws {
        store = try ImageStore(try global.layers().load().configuration, paths: .current)
        self.global = global
        self.library = library
        self.recipe = recipe
    }

    /// The image of the recipe's name, whatever it was built from.
    func present() throws -> StoredImage? { try store.find(recipe.reference) }

    func build(isStrict: Bool = false) throws -> BuiltImage {
        let clock = StepClock(output)
        let audit = CommandAudit(global: global)
        let image: BuiltImage
        do throws(AiboxError) {
            image = try builder(clock).build(recipe, locks: try library.locks(recipe.name), isStrict: isStrict)
        } catch {
            try audit.record(
                .imageBuild, subject: recipe.reference, outcome: .failure, ["reason": .string(error.reason)])
            throw error
        }
        var details: JSONObject = [:]
        details["digest"] = image.stored.digest.map { .string($0.description) }
        try audit.record(.imageBuild, subject: recipe.reference, details)
        clock.step("built \(image.stored.reference)")
        return image
    }

    /// Builds the image anew if the archive has other packages, or the recipe changed; else only says that nothing is
    /// to be done.
    func update(onlyCheck: Bool) throws {
        let present = try present()
        var reason = "there is no \(recipe.reference) yet"
        if let present {
            let pending = try builder(StepClock(output)).pending(present, recipe)
            if let pending, pending.isEmpty {
                output.note("\(recipe.reference) is up to date: the archive has nothing newer")
                return answer(present)
            }
            reason =
                pending.map { "\($0.count) packages are newer in the archive" } ?? "its recipe or its packages changed"
            for difference in pending ?? [] { output.detail("  \(difference)") }
        }
        output.note(reason)
        if onlyCheck { return answer(present) }
        let image = try build()
        tell(image)
        answer(image.stored)
    }

    private func builder(_ clock: StepClock) -> ImageBuilder {
        ImageBuilder(store: store, paths: .current) { clock.step($0) }
    }
}

// MARK: - In words

extension LocalImage {
    /// How the versions compare with the lock.
    func tell(_ image: BuiltImage) {
        if !image.isLocked {
            output.note("there is no lock for \(image.lock.identity): the versions are those of the archive today")
        } else if image.differences.isEmpty {
            output.note("all \(image.lock.versions.count) packages are as locked")
        } else {
            output.note("\(image.differences.count) packages differ from the lock (the archive has moved on)")
            for difference in image.differences { output.detail("  \(difference)") }
        }
    }

    func answer(_ image: StoredImage?) {
        guard let image else {
            return output.answer(.record([.init("reference", .text(recipe.reference)), .init("digest", .null)]))
        }
        output.answer(
            .record([
                .init("reference", .text(image.reference)), .init("digest", .optional(image.digest?.description)),
                .init("id", .text(image.id)), .init("created", image.created.map(OutputValue.time) ?? .null),
                .init("size", .size(ByteSize(bytes: Int64(image.size)))),
            ]))
    }
}
