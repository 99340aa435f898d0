import AiboxAudit
import AiboxCredentials
import AiboxNetwork
import AiboxSystem
import AiboxWire
import ArgumentParser
import Glibc

/// What `aibox-credential-helper` becomes for a question that may be for aibox.
struct AuthGitGet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "git-get", abstract: "Answer git's question for a credential.", shouldDisplay: false)

    @OptionGroup(title: "Global options") var global: GlobalOptions

    func run() throws {
        guard let request = GitCredentialRequest(try File.readAll(STDIN_FILENO, limit: GitCredentialRequest.limit)),
            request.isPlausible, let asked = try? CredentialDestination(request.host), asked.path == "/"
        else { return }
        let auth = try AuthStores(global)
        let name = CredentialName.git(asked.host, port: asked.port)
        guard let (stored, store) = try auth.stores.read(name) else { return }
        let credential = stored.credential
        // Without useHttpPath git says no path: enough only for who is bound to none.
        let path = "/" + (request.path ?? "")
        guard credential.covers(host: asked.host, port: asked.port, path: path) else { return }
        if let expires = credential.expires, expires <= .now { return }
        let form: GitCredentialAnswer.Form
        switch credential.place {
        case .basic:
            if let user = credential.user, let wish = request.username, wish != user { return }
            form = .basic(user: credential.user ?? request.username ?? credential.userOrDefault)
        case .bearer where request.capabilities.contains("authtype"): form = .bearer
        case .bearer, .header: return
        }
        try CommandAudit(global: global).record(
            .credentialUse, subject: name.description, outcome: .allowed,
            ["kind": .string(name.type.kind), "host": .string(asked.description), "store": .string(store.rawValue)])
        let answer = GitCredentialAnswer.bytes(
            form, secret: stored.secret.text, expires: credential.expires.map(\.seconds))
        Output.write(String(decoding: answer, as: UTF8.self))
    }
}
