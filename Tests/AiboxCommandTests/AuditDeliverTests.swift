import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@Suite("aibox audit deliver")
struct AuditDeliverTests {
    @Test("checkpoints reach a git repository by themselves, and a log that was put back is found and stopped")
    func git() throws {
        let command = try BuiltCommand()
        let repository = command.folder.path + "/place.git"
        let audit = command.folder.path + "/state/aibox/audit"
        let second = command.folder.path + "/config/aibox/audit-checkpoints"
        func shell(_ arguments: String...) throws -> CommandResult {
            try SystemCommandRunner().run(Command(arguments[0], Array(arguments.dropFirst())))
        }
        #expect(try shell("git", "init", "--quiet", "--bare", repository).succeeded)
        let refused = try command.run("audit", "deliver")
        #expect(refused.termination == .exited(64) && refused.errorText.contains("audit.checkpoint_places"))
        let place = "git+file://" + repository
        let set = try command.run("config", "set", "audit.checkpoint_places", place)
        #expect(set.succeeded, "\(set.errorText)")
        // The next event brings its signature there without being told.
        #expect(try command.run("config", "set", "resources.cpus", "3").succeeded)
        let deadline = ContinuousClock.now + .seconds(30)
        while try !shell("git", "--git-dir", repository, "rev-parse", "--verify", "aibox-audit").succeeded {
            try #require(ContinuousClock.now < deadline)
            usleep(100_000)
        }
        let verified = try command.run("audit", "verify")
        #expect(verified.succeeded && verified.text.contains(place + " agrees"), "\(verified.text)")

        for (folder, copy) in [(audit, "audit"), (second, "second")] {
            #expect(try shell("cp", "-a", folder, command.folder.path + "/" + copy).succeeded)
        }
        #expect(try command.run("config", "set", "resources.cpus", "4").succeeded)
        let delivered = try command.run("audit", "deliver", "-o", "json")
        #expect(delivered.succeeded && delivered.text.contains("has all"), "\(delivered.text) \(delivered.errorText)")
        // Yesterday's state, the copy of the checkpoints on this machine included.
        for (folder, copy) in [(audit, "audit"), (second, "second")] {
            try Folder.removeTree(folder)
            #expect(try shell("cp", "-a", command.folder.path + "/" + copy, folder).succeeded)
        }
        let found = try command.run("audit", "verify")
        #expect(found.termination == .exited(4) && found.text.contains("rolled back"), "\(found.text)")
        _ = try command.run("config", "set", "resources.cpus", "5")
        #expect(try command.run("audit", "deliver").termination == .exited(4))
        let stopped = try command.run("config", "set", "resources.cpus", "6")
        #expect(stopped.termination == .exited(4) && stopped.errorText.contains("takes no more events"))

        // A place that gives no answer proves nothing, and that is no success.
        try File.remove(audit + "/contradicted")
        try Folder.removeTree(repository)
        #expect(try command.run("audit", "verify").termination == .exited(1))
    }
}
