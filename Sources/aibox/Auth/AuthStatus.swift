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
        let rows = available.states.map { store -> [OutputValue] in
            let state = store.problem.map { $0.why ?? $0.what } ?? store.identity.map { "works as \($0)" } ?? "works"
            return [
                .text(store.kind.rawValue), .boolean(chosen?.stores.contains { $0.kind == store.kind } ?? false),
                .boolean(chosen?.writable?.kind == store.kind), .text(state), .text(store.place),
            ]
        }
        global.output.answer(.listing(Listing(columns: ["store", "used", "keeps", "state", "place"], rows: rows)))
        if let failure { throw failure }
    }
}
