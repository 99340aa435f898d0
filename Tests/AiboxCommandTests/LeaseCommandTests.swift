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
