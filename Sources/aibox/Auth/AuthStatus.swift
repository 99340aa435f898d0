import AiboxConfig
import AiboxCredentials
import AiboxSystem
import ArgumentParser
import Glibc

struct AuthStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which stores work, which are used, and where new secrets go.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        LeaseCare(global).sweep()
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
        let columns = ["store", "used", "keeps", "state", "place"]
        let reports = LeaseCare(global).reports()
        let table = Output.render(
            .listing(Listing(columns: columns, rows: rows)), as: .text, for: global.output.audience(STDOUT_FILENO))
        let document = rows.map { row in
            let leases = row[0] == .text(CredentialStoreKind.vault.rawValue) ? reports.map(\.value) : []
            return OutputValue.object(
                zip(columns, row).map { OutputValue.Field($0, $1) } + [.init("leases", .list(leases))])
        }
        let lines = reports.map { SafeText.escaped($0.words) + "\n" }
        global.output.answer(.text(table + lines.joined(), .list(document)))
        // Who a store is used as is asked only here: that it cannot be said is as bad as a store that does not work.
        if let failure = failure ?? states.first(where: { isUsed($0) && $0.problem != nil })?.problem { throw failure }
    }

    private static func words(_ store: AvailableStores.State) -> String {
        guard let problem = store.problem else { return store.identity.map { "works as \($0)" } ?? "works" }
        // Of Vault more can be wrong than its name tells.
        return store.kind == .vault && problem.why != nil ? problem.reason : problem.why ?? problem.what
    }
}
