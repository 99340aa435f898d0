import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyPull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch the signed bundles of policies, check them and keep them.",
        discussion: """
            What is kept stays in use if anything is wrong with what was fetched. Ends with status 2 if a bundle is refused, \
            with 1 if one cannot be fetched.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Option(help: ArgumentHelp("Only this one: org or team.", valueName: "layer"))
    var layer: BundleLayer?

    func run() throws {
        let bundles = try PolicyBundles(global)
        let stores = bundles.stores.filter { layer == nil || $0.layer.rawValue == layer?.rawValue }
        if stores.isEmpty {
            throw AiboxError(
                .failed, "there is no bundle to fetch",
                why: "policy.\(layer?.rawValue ?? "org")_bundle_url is not set")
        }
        var rows: [[OutputValue]] = []
        var failures: [AiboxError] = []
        for store in stores {
            do throws(AiboxError) {
                let pulled = try bundles.pull(store)
                rows.append([
                    .text(pulled.layer.rawValue), .integer(pulled.version), .text(pulled.revision),
                    .text(pulled.digest),
                    .time(pulled.expires), .boolean(pulled.isNew),
                ])
            } catch { failures.append(error) }
        }
        global.output.answer(
            .listing(Listing(columns: ["layer", "version", "revision", "digest", "expires", "new"], rows: rows)))
        for failure in failures.dropLast() { global.output.note("aibox: \(failure)") }
        if let failure = failures.first(where: { $0.code == .policyInvalid }) ?? failures.last { throw failure }
    }
}

/// The layers that come as bundles.
enum BundleLayer: String, ExpressibleByArgument, CaseIterable { case org, team }
