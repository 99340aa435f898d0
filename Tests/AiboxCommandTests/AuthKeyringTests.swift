import AiboxSystem
import AiboxTestSupport
import Testing

/// A real GNOME Keyring on a session bus of its own.
@Suite("aibox auth with a keyring")
struct AuthKeyringTests {
    private static func session(_ command: BuiltCommand, _ script: String, unlocked: Bool = true) throws
        -> CommandResult
    {
        let unlock =
            unlocked ? "printf pass | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\n" : ""
        return try SystemCommandRunner().run(
            Command(
                "dbus-run-session", ["--", "sh", "-euc", "umask 077\n" + unlock + script, "sh", BuiltCommand.path],
                environment: command.environment.merging([
                    "XDG_DATA_HOME": command.folder.path + "/data", "XDG_RUNTIME_DIR": command.folder.path + "/run",
                    "DISPLAY": nil, "WAYLAND_DISPLAY": nil,
                ]) { $1 }), timeout: .seconds(120))
    }

    private static func command() throws -> BuiltCommand {
        let command = try BuiltCommand()
        try Folder.make(command.folder.path + "/run", mode: 0o700)
        try Folder.make(command.folder.path + "/data", mode: 0o700)
        return command
    }

    @Test("auto takes the keyring that works; what is added is found, listed, used and forgotten there")
    func life() throws {
        let command = try Self.command()
        let result = try Self.session(
            command,
            #"""
            "$1" auth status
            echo canary-secret | "$1" auth add git-token:github.com
            echo other-secret | "$1" auth add custom:tracker --host tracker.example/api --place header:X-Key
            "$1" auth list
            "$1" auth login
            printf 'protocol=https\nhost=github.com\n\n' | "$1" auth git-get
            "$1" auth remove git-token
            "$1" auth list
            """#)
        #expect(result.succeeded, "\(result.text)\n\(result.errorText)")
        let text = result.text
        for words in [
            "keyring\ttrue\ttrue\tworks", "git-token:github.com is kept in the keyring.",
            "custom:tracker\ttracker.example/api\theader:x-key", "git-token:github.com\tkeyring\tcan be read",
            "password=canary-secret", "is removed from the keyring",
        ] {
            #expect(text.contains(words), "\(words) in \(text)")
        }
        #expect(!File.exists(command.folder.path + "/state/aibox/credentials"))
    }

    @Test("an entry of aibox's that another program changed is not used")
    func forged() throws {
        let command = try Self.command()
        let result = try Self.session(
            command,
            #"""
            echo canary-secret | "$1" auth add git-token:github.com >/dev/null
            printf '{"name":"git-token:github.com","hosts":["evil.example"],"place":"basic","secret":"x"}' |
                secret-tool store --label x service aibox credential git-token:github.com
            "$1" auth login git-token:github.com || echo "status $?"
            printf 'protocol=https\nhost=github.com\n\n' | "$1" auth git-get || echo "status $?"
            """#)
        #expect(!result.text.contains("can be read") && !result.text.contains("password"), "\(result.text)")
        #expect(result.text.contains("status 4"), "\(result.text) \(result.errorText)")
    }

    @Test("a keyring that is locked where nobody can be asked is not waited for; the file takes its place")
    func locked() throws {
        let command = try Self.command()
        let result = try Self.session(
            command,
            #"""
            echo canary-secret | "$1" auth add git-token:github.com
            "$1" auth list
            """#, unlocked: false)
        #expect(result.text.contains("is kept in the encrypted file."), "\(result.text) \(result.errorText)")
        #expect(result.errorText.contains("it is locked, and this session has no display"))
    }

    @Test("a keyring that does not answer is replaced by the file as configured, and that is said")
    func noKeyring() throws {
        let command = try Self.command()
        func run(_ arguments: String..., input: String = "first") throws -> CommandResult {
            let dead = ["DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"]
            return try SystemCommandRunner().run(
                Command(
                    BuiltCommand.path, arguments, environment: command.environment.merging(dead) { $1 },
                    input: Array(input.utf8)))
        }
        let added = try run("auth", "add", "git-token:github.com")
        #expect(added.text.contains("is kept in the encrypted file."), "\(added.errorText)")
        #expect(added.errorText.contains("the encrypted file takes its place"), "\(added.errorText)")
        #expect(try run("config", "set", "credentials.store", "keyring").succeeded)
        let refused = try run("auth", "add", "git-token:github.com")
        #expect(refused.termination == .exited(1) && refused.errorText.contains("keyring"), "\(refused.errorText)")
        let status = try run("auth", "status")
        #expect(status.termination == .exited(1) && status.text.contains("keyring\tfalse\tfalse"), "\(status.text)")
        #expect(try run("config", "set", "credentials.fallback", "file").succeeded)
        let fallen = try run("auth", "add", "git-token:github.com")
        #expect(fallen.text.contains("is replaced in the encrypted file."), "\(fallen.errorText)")
        #expect(fallen.errorText.contains("credentials.fallback"), "\(fallen.errorText)")
    }
}
