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
        let rows = available.states.map { kind, place, problem -> [OutputValue] in
            [
                .text(kind.rawValue), .boolean(chosen?.stores.contains { $0.kind == kind } ?? false),
                .boolean(chosen?.writable?.kind == kind), .text(problem?.why ?? problem?.what ?? "works"), .text(place),
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
        if let failure { throw failure }
    }
}
