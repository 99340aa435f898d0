import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxCredentials

/// Writers that end in the middle, and more than one of them.
@Suite("The encrypted file, whatever happens to who writes it")
struct EncryptedFileCrashTests {
    private static let name = "git-token:w.example"

    /// A process of its own that changes the file until it ends (Tests/AiboxCredentialsWriter).
    private final class Writer {
        let child: ChildProcess
        private let output: Descriptor

        init(_ path: String, _ key: String, from first: Int) throws {
            let pipe = try Pipe()
            let program = Path.parent(Path.real("/proc/self/exe") ?? "") + "/AiboxCredentialsWriter"
            child = try ChildProcess.start(
                Command(program, [path, key, "\(first)"]), descriptors: [-1, pipe.write.number, STDERR_FILENO])
            pipe.write.close()
            output = pipe.read
        }

        /// Waits for its first change, lets it go on for a moment, and kills it.
        ///
        /// - Returns: the last change that it said was done.
        func kill(after microseconds: UInt32) throws -> Int {
            var said = [UInt8]()
            var chunk = [UInt8](repeating: 0, count: 4096)
            while !said.contains(UInt8(ascii: "\n")) {
                let count = read(output.number, &chunk, chunk.count)
                try #require(count > 0, "the writer said \(String(decoding: said, as: UTF8.self))")
                said += chunk.prefix(count)
            }
            usleep(microseconds)
            child.send(SIGKILL)
            _ = try child.wait()
            said += try File.readAll(output.number, limit: 1 << 20)
            let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
            return try #require(lines.last.flatMap { Int($0) }, "\(lines.last ?? "")")
        }
    }

    /// The secret after a change.
    private static func secret(_ change: Int) -> String? { change % 4 == 3 ? nil : "value \(change)" }

    @Test(
        "two hundred writers killed at any moment: the file opens, has the value before or after, the backup opens, nothing else is left"
    )
    func killed() throws {
        let folder = try TemporaryFolder()
        let (path, key) = (folder.path + "/state/credentials", folder.path + "/config/credentials.key")
        func store(_ path: String) -> EncryptedFileStore {
            EncryptedFileStore(path: path, keyPath: key) { (_) throws(AiboxError) in
                throw AiboxError(.failed, "nobody may be asked")
            }
        }
        let still = try FileStoreLab.stored("git-token:still.example", "still")
        try store(path).write(still)
        var random = SeededGenerator(seed: 20_261_123)
        var (next, leftOvers, undone, backups) = (0, 0, 0, 0)
        for round in 0..<200 {
            let done = try Writer(path, key, from: next).kill(after: UInt32(random.next() % 4000))
            let names = try Folder.names(Path.parent(path))
            leftOvers += names.count { $0.hasPrefix(".credentials.") && $0 != ".credentials.lock" }
            let held = try store(path).secret(for: try CredentialName(Self.name))?.text
            let possible = [Self.secret(done), Self.secret(done + 1)]
            #expect(possible.contains(held), "round \(round): \(held ?? "nothing") after \(done)")
            undone += held == possible[0] ? 1 : 0
            #expect(try store(path).secret(for: still.credential.name)?.text == "still")
            #expect(try Folder.names(Path.parent(path)).allSatisfy { Self.expected.contains($0) }, "round \(round)")
            if File.exists(path + ".bak") {
                backups += 1
                let former = try store(path + ".bak").secret(for: try CredentialName(Self.name))?.text
                #expect(held != nil || former == nil, "round \(round): what was removed is in the backup")
                #expect(
                    (done - 4...done + 1).map(Self.secret).contains(former) || done < 4 && former == nil,
                    "round \(round)")
            }
            next = done + 2
            // The next one begins from a state that is known.
            if next % 4 == 3 { next += 1 }
        }
        #expect(try Folder.names(Path.parent(key)) == ["credentials.key"])
        // The controls: kills came before and after the moment that counts, in the middle too, and with a backup there.
        #expect(leftOvers > 0 && undone > 0 && undone < 200 && backups > 0, "\(leftOvers) \(undone) \(backups)")
    }

    private static let expected: Set<String> = [
        ".credentials.lock", ".credentials.bak.lock", "credentials", "credentials.bak",
    ]

    @Test("what a writer left behind goes with the next one who opens the file, and not while somebody writes")
    func leftBehind() throws {
        let lab = try FileStoreLab()
        let stored = try FileStoreLab.stored(Self.name, "canary")
        try lab.store().write(stored)
        let left = [
            Path.parent(lab.path) + "/.credentials.0abc", Path.parent(lab.path) + "/.credentials.bak.0abc",
            Path.parent(lab.key) + "/.credentials.key.0abc",
        ]
        let other = Path.parent(lab.key) + "/.credentials"
        for file in left + [other] { try File.replace(file, with: "half") }
        // A program that another test is just starting has a copy of the writer's descriptor until it begins.
        var taken: FileLock?
        for _ in 0..<500 where taken == nil {
            taken = try FileLock.take(Path.parent(lab.path) + "/.credentials.lock")
            if taken == nil { usleep(10_000) }
        }
        let lock = try #require(taken)
        #expect(try lab.store().read(stored.credential.name) == stored)
        #expect(left.allSatisfy(File.exists), "they may be of who has the lock")
        lock.release()
        for _ in 0..<500 {
            #expect(try lab.store().read(stored.credential.name) == stored)
            if !left.contains(where: File.exists) { break }
            usleep(10_000)
        }
        #expect(!left.contains(where: File.exists))
        #expect(File.exists(other))
        for file in left { try File.replace(file, with: "half") }
        #expect(try lab.store().remove(stored.credential.name))
        #expect(!left.contains(where: File.exists))
    }

    @Test("two processes that write at once lose nothing of each other's and nothing of a third's")
    func twoProcesses() throws {
        let lab = try FileStoreLab()
        let still = try FileStoreLab.stored("git-token:still.example", "still")
        try lab.store().write(still)
        let writers = try (0..<2).map { try Writer(lab.path, lab.key, from: $0 * 100_000) }
        for number in 0..<20 {
            try lab.store().write(try FileStoreLab.stored("git-token:h\(number).example", "\(number)"))
        }
        let done = try writers.map { try $0.kill(after: 1000) }
        #expect(done[0] > 0 && done[1] > 100_000, "\(done)")
        for number in 0..<20 {
            #expect(
                try lab.store().secret(for: try CredentialName("git-token:h\(number).example"))?.text == "\(number)")
        }
        #expect(try lab.store().secret(for: still.credential.name)?.text == "still")
    }
}
