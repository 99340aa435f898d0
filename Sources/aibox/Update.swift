import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxSystem
import AiboxWire
import ArgumentParser

struct Update: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Bring the newest image: fetched from its registry and its signature checked, or built anew here."
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Flag(help: "Only say whether there is a newer one.")
    var check = false

    func run() throws {
        let configuration = try global.layers().load().configuration
        if configuration.image.isEmpty {
            let library = RecipeLibrary.own
            let image = try LocalImage(global: global, library: library, recipe: try library.recipe("base"))
            return try image.update(onlyCheck: check)
        }
        let reference = try ImageReference(configuration.image)
        if reference.isLocal {
            throw AiboxError(
                .usage, "\(reference.named) comes from no registry", why: "it was built on this machine",
                remedy: "aibox image build")
        }
        try Podman.requireChosen(configuration, for: "fetch images from a registry")
        let clock = StepClock(global.output)
        let update = ImageUpdate(
            podman: Podman(host: .current), settings: configuration.registry, paths: .current
        ) { clock.step($0) }
        let outcome = check ? try update.check(reference) : try updated(update, reference)
        global.output.answer(.text(text(outcome), .object(fields(outcome))))
    }
}

extension Update {
    private func updated(_ update: ImageUpdate, _ reference: ImageReference) throws -> ImageUpdate.Outcome {
        let audit = CommandAudit(global: global)
        do throws(AiboxError) {
            let outcome = try update.update(reference)
            if outcome.isNew {
                var details: JSONObject = ["to": .string(outcome.new.description)]
                details["from"] = outcome.old.map { .string($0.description) }
                try audit.record(.imageUpdate, subject: outcome.reference, details)
            }
            return outcome
        } catch {
            try audit.record(
                .imageUpdate, subject: reference.named, outcome: error.code == .denied ? .denied : .failure,
                ["reason": .string(error.reason)])
            throw error
        }
    }
}

// MARK: - In words

extension Update {
    private func text(_ outcome: ImageUpdate.Outcome) -> String {
        let old = outcome.old?.description ?? "none"
        switch (check, outcome.isNew) {
        case (true, true):
            return """
                There is another \(outcome.reference): aibox update
                  here      \(old)
                  registry  \(outcome.new)

                """
        case (true, false), (false, false):
            return "\(outcome.reference) is up to date.\n  \(outcome.new)\(signature(outcome))\n"
        case (false, true):
            return "Updated \(outcome.reference).\n  old  \(old)\n  new  \(outcome.new)\(signature(outcome))\n"
        }
    }

    private func signature(_ outcome: ImageUpdate.Outcome) -> String {
        switch outcome.signature {
        case .verified(let key): "\n  signature verified with the key \(key.prefix(12))"
        case .switchedOff: "\n  signature not checked: registry.verify_signatures is off"
        case .notChecked: ""
        }
    }

    private func fields(_ outcome: ImageUpdate.Outcome) -> [OutputValue.Field] {
        var fields: [OutputValue.Field] = [
            .init("reference", .text(outcome.reference)), .init("old_digest", .optional(outcome.old?.description)),
            .init("new_digest", .text(outcome.new.description)), .init("changed", .boolean(outcome.isNew)),
        ]
        switch outcome.signature {
        case .verified(let key): fields += [.init("signature", "verified"), .init("key", .text(key))]
        case .switchedOff: fields.append(.init("signature", "switched_off"))
        case .notChecked: fields.append(.init("signature", "not_checked"))
        }
        return fields
    }
}
