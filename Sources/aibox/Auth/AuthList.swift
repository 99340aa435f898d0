import AiboxCredentials
import AiboxSystem
import ArgumentParser

struct AuthList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the credentials, never their secrets.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        LeaseCare(global).sweep()
        let rows = try AuthStores(global).stores.list().map { credential, store -> [OutputValue] in
            [
                .text(credential.name.description), .list(credential.destinations.map { .text($0.description) }),
                .text(credential.place.description), .optional(credential.user),
                credential.added.map { .time($0) } ?? .null, credential.expires.map { .time($0) } ?? .null,
                .text(store.rawValue), .boolean(credential.isDynamic),
            ]
        }
        global.output.answer(
            .listing(
                Listing(
                    columns: ["name", "hosts", "place", "user", "added", "expires", "store", "dynamic"], rows: rows)))
    }
}
