import AiboxCredentials
import AiboxSystem
import ArgumentParser

struct AuthLogin: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Unlock the stores and check that every secret can be read.",
        discussion: "Asks for the passphrase where one is set, and lets a locked keyring ask for its own.")

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Only this one: its name, or its type where there is one only.", completion: .credentials)
    var name: String?

    func run() throws {
        LeaseCare(global).sweep()
        let auth = try AuthStores(global)
        let all = try name.map { [try auth.known($0)] } ?? auth.stores.list()
        var rows: [[OutputValue]] = []
        for (credential, store) in all {
            if credential.isDynamic {
                rows.append([.text(credential.name.description), .text(store.rawValue), .text("made at each start")])
                continue
            }
            guard let found = try auth.stores.read(credential.name) else {
                throw AiboxError(.failed, "\(credential.name) is gone", why: "its store listed it a moment ago")
            }
            rows.append([.text(credential.name.description), .text(found.store.rawValue), .text("can be read")])
        }
        if rows.isEmpty { global.output.note("There are no credentials yet; aibox auth add TYPE:WHICH adds one.") }
        global.output.answer(.listing(Listing(columns: ["name", "store", "state"], rows: rows)))
    }
}
