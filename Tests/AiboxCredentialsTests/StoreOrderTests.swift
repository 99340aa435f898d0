import AiboxConfig
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxCredentials

/// `auto` with everything there at once: which store is asked, and what becomes of one that fails.
@Suite("Which store is used, with a Vault in the settings")
struct StoreOrderTests {
    private static let both = "git-token:git.example"

    private struct Lab {
        let vault: LabVault
        let files: FileStoreLab
        var settings = Configuration.Credentials()

        init() throws {
            vault = try LabVault(Self.state(""))
            files = try FileStoreLab()
            settings.store = .auto
            settings.vaultAddress = vault.address
            settings.vaultCA = vault.certificate
            settings.vaultSecretPath = vault.folder.path + "/token"
            for name in [StoreOrderTests.both, "git-token:file.example"] {
                try files.store().write(try FileStoreLab.stored(name, "of the file"))
            }
        }

        static func state(_ more: String) -> String {
            """
            {"namespace": "", "tokens": {"t-1": "p"}, "approle": {}, "jwt": {}, \(more)
             "kv": {"aibox/git-token/git.example": {"secret": "of vault"},
                    "aibox/git-token/vault.example": {"secret": "of vault"}}}
            """
        }

        func stores(
            _ variables: [String: String] = [:], program: String? = nil, keyring: [String: String] = ["PATH": "/none"]
        ) throws -> CredentialStores {
            var command: CommandStore?
            if let program {
                let path = try files.folder.write("program", "#!/bin/sh\n" + program)
                chmod(path, 0o755)
                command = CommandStore([path], timeout: .seconds(30))
            }
            let identity = UserIdentity(uid: geteuid(), gid: getegid(), name: "x", home: files.folder.path)
            return try CredentialStores(
                settings,
                of: AvailableStores(
                    environment: EnvironmentStore(variables), command: command,
                    keyring: SecretServiceStore(environment: keyring), file: files.store(),
                    vault: try VaultStore(settings, paths: Paths(identity: identity, environment: [:]))))
        }
    }

    private static let variables = ["AIBOX_GIT_TOKEN": "of the variables", "AIBOX_GIT_HOST": "git.example"]
    private static let program =
        #"[ "$1" = list ] && echo '{"version":1,"credentials":["git-token:git.example"]}' || echo '{"version":1,"secret":"of the program"}'"#

    @Test("the order is variables, program, Vault, keyring, file; who answers first is named")
    func order() throws {
        let lab = try Lab()
        let name = try CredentialName(Self.both)
        func taken(_ stores: CredentialStores) throws -> [String?] {
            let found = try stores.read(name)
            let listed = try stores.list().first { $0.credential.name == name }
            #expect(found?.store == listed?.store)
            return [found?.stored.secret.text, found?.store.rawValue]
        }
        let all = try lab.stores(Self.variables, program: Self.program)
        #expect(all.stores.map(\.kind.rawValue) == ["environment", "command", "vault", "file"])
        #expect(try taken(all) == ["of the variables", "environment"])
        #expect(try taken(try lab.stores(program: Self.program)) == ["of the program", "command"])
        let plain = try lab.stores()
        #expect(try taken(plain) == ["of vault", "vault"])
        #expect(plain.writable?.kind == .file && plain.notes.isEmpty)
        #expect(try plain.read(try CredentialName("git-token:file.example"))?.store == .file)
        #expect(try plain.list().map(\.store.rawValue) == ["file", "vault", "vault"])
    }

    @Test(
        "a Vault that fails ends the search, whatever an older file says",
        arguments: [#""sealed": true,"#, #""outage": true,"#, #""denied": ["aibox/data/git-token/git.example"],"#])
    func failing(fault: String) throws {
        let lab = try Lab()
        let stores = try lab.stores()
        try lab.vault.set(Lab.state(fault))
        #expect(throws: AiboxError.self) { try stores.read(try CredentialName(Self.both)) }
        #expect(throws: AiboxError.self) { try stores.secret(for: try CredentialName(Self.both)) }
        // What comes before it does not need it.
        let first = try lab.stores(Self.variables)
        #expect(try first.secret(for: try CredentialName(Self.both))?.text == "of the variables")
    }

    @Test("a keyring that fails behind a Vault is left out, and said")
    func keyring() throws {
        let lab = try Lab()
        let path = Environment.value("PATH") ?? "/usr/bin"
        let stores = try lab.stores(
            keyring: ["PATH": path, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"])
        #expect(stores.stores.map(\.kind) == [.vault, .file])
        #expect(stores.notes.count == 1 && stores.notes[0].contains("the encrypted file takes its place"))
        #expect(try stores.read(try CredentialName(Self.both))?.store == .vault)
    }
}
