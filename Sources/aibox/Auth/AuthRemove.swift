import AiboxAudit
import AiboxContainer
import AiboxCredentials
import AiboxSystem
import ArgumentParser

struct AuthRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forget a credential.",
        discussion:
            "Sandboxes that run lose it at once, and what they do with it ends. What its issuer knows is not changed: revoke it there as well if it may have leaked."
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(help: "Its name, or its type where there is one only.", completion: .credentials)
    var name: String

    func run() throws {
        LeaseCare(global).sweep()
        let auth = try AuthStores(global)
        let (credential, store) = try auth.known(name)
        guard store.isWritable else {
            throw AiboxError(
                .usage, "\(credential.name) comes from \(store.words)", why: "aibox does not keep it",
                remedy: "remove it there")
        }
        let stores = try auth.recording(.credentialRevoke, credential.name, reason: "removed by auth remove") {
            () throws(AiboxError) in try auth.stores.remove(credential.name)
        }
        // Another store may have one of the same name. One that cannot be read gives none.
        let current = try? auth.current(credential.name)
        let left = current?.stored
        let lent = current?.isVaults == true ? nil : try auth.tellSandboxes(credential.name, left)
        let sandboxes = lent?.sandboxes ?? []
        let running = sandboxes.joined(separator: ", ")
        global.output.answer(
            .text(
                "\(credential.name) is removed from \(stores.map(\.words).joined(separator: " and "))."
                    + (running.isEmpty ? "" : " \(running) \(left == nil ? "lost it" : "took another of that name")."),
                .object([
                    .init("name", .text(credential.name.description)),
                    .init("stores", .list(stores.map { .text($0.rawValue) })),
                    .init("sandboxes", .list(sandboxes.map { .text($0) })),
                ])))
        try lent?.requireAll()
    }
}
