import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxCredentials

@Suite("What commands say of leases whose keeper has died")
struct LeaseCommandTests {
    /// Two journals of one sandbox's name, an old and a newer one, that nobody holds.
    private static func command() throws -> BuiltCommand {
        let command = try BuiltCommand()
        let journals = LeaseJournals(
            folder: command.folder.path + "/state/aibox/leases",
            keyPath: command.folder.path + "/config/aibox/leases.key")
        for session in ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"] {
            var journal = LeaseJournal(sandbox: "box", session: session, address: "https://v.example", namespace: "")
            journal.leases = [.init(id: "a/\(session)", name: "custom:a", expires: 4_000_000_000, accessor: "")]
            let name = LeaseJournals.name(sandbox: "box", session: session)
            let lock = try #require(try journals.take(name))
            try journals.write(journal, name)
            lock.release()
        }
        return command
    }

    @Test("that nobody tries to revoke them is not told as if somebody did, and both stays are told of")
    func nobodyTries() throws {
        let command = try Self.command()
        let status = try command.run("auth", "status")
        #expect(status.errorText.contains("the settings name no Vault"), "\(status.errorText)")
        let lines = status.text.split(separator: "\n").filter { $0.hasPrefix("box: ") }
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains("whose keeper has died; all ends at ") })
        #expect(!status.text.contains("goes on trying"), "\(status.text)")
    }

    @Test("a revocation that the log was not told of is told of by status, and written by the next command that can")
    func untold() throws {
        let command = try BuiltCommand()
        let journals = LeaseJournals(
            folder: command.folder.path + "/state/aibox/leases",
            keyPath: command.folder.path + "/config/aibox/leases.key")
        var journal = LeaseJournal(
            sandbox: "box", session: "0123456789abcdef", address: "https://v.example", namespace: "")
        journal.untold = [.init(name: "custom:a", lease: "db/creds/a/1", reason: "replaced", time: 1_700_000_000)]
        let name = LeaseJournals.name(sandbox: "box", session: journal.session)
        let lock = try #require(try journals.take(name))
        try journals.write(journal, name)
        lock.release()
        let status = try command.run("auth", "status", "-o", "json")
        #expect(status.text.contains("\"untold\": 1"), "\(status.text)")
        // Vault is not asked for that.
        let variables = ["AIBOX_CREDENTIALS_VAULT_ADDR": "https://localhost:1"]
        let list = try command.run("list", variables: variables)
        #expect(list.errorText.contains("were revoked before, and the audit log knows it now"), "\(list.errorText)")
        #expect(try journals.entries().isEmpty)
        let events = try command.run("audit", "search", "--type", "credential.revoke", "-o", "jsonl").text
        #expect(events.contains("db/creds/a/1") && events.contains("replaced, at 2023-11-14T22:13:20"), "\(events)")
    }

    @Test("a keeper that settles and ends while it is looked at is not taken for dead")
    func settlesMeanwhile() async throws {
        let folder = try TemporaryFolder()
        let journals = LeaseJournals(folder: folder.path + "/leases", keyPath: folder.path + "/key/leases.key")
        let journal = LeaseJournal(sandbox: "box", session: "s", address: "https://v.example", namespace: "")
        let keepers = Task.detached {
            for number in 0..<300 {
                let name = "box.\(number)"
                let lock = try journals.take(name)
                try journals.write(journal, name)
                try journals.remove(name)
                lock?.release()
            }
        }
        let looks = Task.detached {
            var dead = 0
            for _ in 0..<300 { dead += try journals.entries().filter { !$0.isAlive }.count }
            return dead
        }
        #expect(try await looks.value == 0)
        try await keepers.value
    }
}
