import AiboxSystem
import AiboxTestSupport
import Testing

/// The commands say which store a secret comes from, where a Vault is asked before the file.
@Suite("aibox auth with a Vault and a file")
struct AuthVaultTests {
    @Test(
        "auto asks Vault first; list, login and add say so, and so does add where its secret is not the one that is used"
    )
    func order() throws {
        let vault = try LabVault(
            """
            {"namespace": "", "tokens": {"t-1": "p"}, "approle": {}, "jwt": {},
             "kv": {"aibox/git-token/git.example": {"secret": "of-vault"}}}
            """)
        let command = try BuiltCommand()
        let settings = [
            "AIBOX_CREDENTIALS_VAULT_ADDR": vault.address, "AIBOX_CREDENTIALS_VAULT_CA": vault.certificate,
            "AIBOX_CREDENTIALS_VAULT_SECRET_PATH": vault.folder.path + "/token",
        ]
        func run(_ arguments: String..., input: String = "") throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(
                    BuiltCommand.path, arguments, environment: command.environment.merging(settings) { $1 },
                    input: Array(input.utf8)))
        }
        let alone = try run("auth", "add", "git-token:file.example", input: "of-file")
        #expect(alone.text.contains("is kept in the encrypted file.") && alone.errorText == "", "\(alone.errorText)")
        let shadowed = try run("auth", "add", "git-token:git.example", input: "of-file")
        #expect(shadowed.text.contains("in the encrypted file."), "\(shadowed.text) \(shadowed.errorText)")
        #expect(
            shadowed.errorText.contains("is also in Vault, which is asked first: that one is used, not this"),
            "\(shadowed.errorText)")
        let list = try run("auth", "list").text
        #expect(list.split(separator: "\n").contains { $0.contains("git.example") && $0.contains("vault") }, "\(list)")
        let login = try run("auth", "login").text
        #expect(login.contains("git-token:git.example\tvault\tcan be read"), "\(login)")
        #expect(login.contains("git-token:file.example\tfile\tcan be read"), "\(login)")
        let question = "protocol=https\nhost=git.example\n\n"
        #expect(try run("auth", "git-get", input: question).text.contains("password=of-vault"))
        try vault.set(#"{"namespace": "", "sealed": true, "tokens": {"t-1": "p"}, "approle": {}, "jwt": {}, "kv": {}}"#)
        let sealed = try run("auth", "git-get", input: question)
        #expect(!sealed.succeeded && sealed.output.isEmpty && sealed.errorText.contains("Vault"), "\(sealed.errorText)")
    }
}
