import AiboxAudit
import AiboxContainer
import AiboxCredentials
import AiboxSystem
import ArgumentParser
import Glibc

struct AuthAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a credential, or replace its secret.",
        discussion: """
            A sandbox that runs and was lent the credential uses the new secret at once; others get it at their next start. \
            The secret is asked for at the terminal, without being shown, or read from standard input; never taken from the \
            command line, which every process of the machine can read.

              aibox auth add git-token:github.com
              aibox auth add llm-api-key:anthropic < key.txt
              aibox auth add mirror-token:pypi.example.org --user ci
              aibox auth add custom:tracker --host tracker.example.org/api --place header:x-api-key
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    @Argument(
        help: "git-token:HOST, llm-api-key:PROVIDER, mirror-token:HOST or custom:NAME.", completion: .credentials)
    var name: String

    @Argument(help: .hidden)
    var secrets: [String] = []

    @Option(help: ArgumentHelp("Where it may go: HOST[:PORT][/PATH]. Can be given again.", valueName: "host"))
    var host: [String] = []

    @Option(help: ArgumentHelp("For git and mirrors: only what lies below this path.", valueName: "path"))
    var path: String?

    @Option(help: ArgumentHelp("The user's name that goes with it.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("How it is presented: basic, bearer or header:NAME.", valueName: "place"))
    var place: String?

    func run() throws {
        guard secrets.isEmpty else {
            throw AiboxError(
                .usage, "a secret is not taken from the command line",
                why: "every process of this machine can read it there, and your shell may have kept it",
                remedy: "give it without; aibox asks. If this one is real, have it replaced by its issuer")
        }
        LeaseCare(global).sweep()
        var credential = try credential()
        let auth = try AuthStores(global)
        let replaces = try auth.stores.list().contains { $0.credential.name == credential.name }
        let secret =
            isatty(STDIN_FILENO) == 1
            ? try SecretPrompt.ask("Secret of \(credential.name)") : try SecretPrompt.readAll(STDIN_FILENO)
        credential.added = Timestamp(seconds: Timestamp.now.seconds)
        let stored = StoredCredential(credential, secret)
        let kind = try auth.recording(
            .credentialRotate, credential.name, reason: replaces ? "replaced by auth add" : "added by auth add"
        ) { () throws(AiboxError) in try auth.stores.write(stored) }
        // Where Vault has one of that name, sandboxes have Vault's.
        let current = try auth.current(credential.name)
        if current.stored != stored,
            let used = try auth.stores.list().first(where: { $0.credential.name == credential.name }),
            used.store != kind
        {
            global.output.note(
                "note: \(credential.name) is also in \(used.store.words), which is asked first: that one is used, not this"
            )
        }
        let lent = current.isVaults ? nil : try auth.tellSandboxes(credential.name, current.stored)
        let hosts = credential.destinations.map(\.description)
        let sandboxes = lent?.sandboxes ?? []
        let running = sandboxes.joined(separator: ", ")
        global.output.answer(
            .text(
                "\(credential.name) is \(replaces ? "replaced" : "kept") in \(kind.words). "
                    + "It goes to \(hosts.joined(separator: ", ")) and nowhere else."
                    + (running.isEmpty ? "" : " In use from now on in \(running)."),
                .object([
                    .init("name", .text(credential.name.description)), .init("store", .text(kind.rawValue)),
                    .init("hosts", .list(hosts.map { .text($0) })), .init("replaced", .boolean(replaces)),
                    .init("sandboxes", .list(sandboxes.map { .text($0) })),
                ])))
        try lent?.requireAll()
    }

    /// All but the secret, checked before anybody is asked for that.
    private func credential() throws(AiboxError) -> Credential {
        let name = try CredentialName(name)
        var destinations: [CredentialDestination] = []
        for host in host { destinations.append(try CredentialDestination(host)) }
        if let path {
            guard name.type == .git || name.type == .mirror, host.isEmpty else {
                throw AiboxError(.usage, "--path goes with git-token and mirror-token", remedy: "--host HOST/PATH")
            }
            destinations = [try CredentialDestination(name.qualifier).below(path)]
        }
        return try Credential(
            name, destinations: destinations, user: user,
            place: try place.map { text throws(AiboxError) in try CredentialPlace(text) })
    }
}
