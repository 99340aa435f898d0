import AiboxSystem
import Glibc
import Testing

@Suite("Files and folders")
struct FileTests {
    @Test("replacing keeps the mode asked for and leaves no temporary file behind")
    func replace() throws {
        let folder = try Folder.makeTemporary(prefix: "aibox-file")
        defer { try? Folder.removeTree(folder) }
        try File.replace(folder + "/a", with: "one")
        try File.replace(folder + "/a", with: "two", mode: 0o644)
        #expect(try File.text(folder + "/a") == "two")
        #expect(try Folder.names(folder) == ["a"])
    }

    @Test("a lock has one holder at a time")
    func lock() throws {
        let folder = try Folder.makeTemporary(prefix: "aibox-lock")
        defer { try? Folder.removeTree(folder) }
        let first = try FileLock.take(folder + "/lock")
        #expect(first != nil)
        #expect(try FileLock.take(folder + "/lock") == nil)
        first?.release()
        #expect(try FileLock.take(folder + "/lock") != nil)
    }

    @Test("a private folder is 0700 even if it was open before")
    func privateFolder() throws {
        let folder = try Folder.makeTemporary(prefix: "aibox-private")
        defer { try? Folder.removeTree(folder) }
        try Folder.make(folder + "/open", mode: 0o777)
        chmod(folder + "/open", 0o777)
        try Folder.makePrivate(folder + "/open")
        var status = stat()
        #expect(lstat(folder + "/open", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
    }

    @Test("a private folder that is a link is refused")
    func privateLink() throws {
        let folder = try Folder.makeTemporary(prefix: "aibox-private")
        defer { try? Folder.removeTree(folder) }
        symlink("/tmp", folder + "/link")
        #expect(throws: AiboxError.self) { try Folder.makePrivate(folder + "/link") }
    }

    @Test(
        "paths inside and outside",
        arguments: [
            ("/a/b", "/a", true), ("/a", "/a", true), ("/ab", "/a", false), ("/a", "/a/b", false), ("/x", "/", true),
        ])
    func inside(path: String, ancestor: String, expected: Bool) {
        #expect(Path.isInside(path, ancestor) == expected)
    }

    @Test("a moment prints as RFC 3339 in UTC")
    func timestamp() {
        #expect(Timestamp(seconds: 951_782_400, nanoseconds: 5).rfc3339 == "2000-02-29T00:00:00.000000005Z")
    }

    @Test(
        "words survive a shell",
        arguments: ["plain", "two words", "it's", "", "$(id)", "-n", "a;b", "ü"])
    func quoting(word: String) throws {
        let result = try SystemCommandRunner().run(Command("sh", ["-c", "printf %s " + ShellQuoting.quoted(word)]))
        #expect(result.text == word)
    }
}
