import AiboxConfig
import AiboxCredentials
import AiboxSystem
import ArgumentParser

struct AuthStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which stores work, which are used, and where new secrets go.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        let settings = try global.layers().load().configuration.credentials
        let available = try AuthStores.available(global, settings)
        var chosen: CredentialStores?
        var failure: AiboxError?
        do { chosen = try CredentialStores(settings, of: available) } catch { failure = error }
        for note in chosen?.notes ?? [] { global.output.note("note: " + note) }
        let states = available.states
        func isUsed(_ store: AvailableStores.State) -> Bool {
            chosen?.stores.contains { $0.kind == store.kind } ?? false
        }
        let rows = states.map { store -> [OutputValue] in
            [
                .text(store.kind.rawValue), .boolean(isUsed(store)), .boolean(chosen?.writable?.kind == store.kind),
                .text(Self.words(store)), .text(store.place),
            ]
        }
        global.output.answer(.listing(Listing(columns: ["store", "used", "keeps", "state", "place"], rows: rows)))
        // Who a store is used as is asked only here: that it cannot be said is as bad as a store that does not work.
        if let failure = failure ?? states.first(where: { isUsed($0) && $0.problem != nil })?.problem { throw failure }
    }

    private static func words(_ store: AvailableStores.State) -> String {
        guard let problem = store.problem else { return store.identity.map { "works as \($0)" } ?? "works" }
        // Of Vault more can be wrong than its name tells.
        return store.kind == .vault && problem.why != nil ? problem.reason : problem.why ?? problem.what
    }
}
