import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

@testable import AiboxContainer

@Suite("The folder of an image build")
struct BuildFolderTests {
    private let runner = SystemCommandRunner()

    @Test("what a killed build left is removed by the next; what a running one needs is not")
    func leftovers() throws {
        let base = try TemporaryFolder()
        let running = try BuildFolder(base: base.path, runner)
        let killed = try BuildFolder(base: base.path, runner)
        try Folder.make(killed.path + "/room/deep")
        try File.replace(killed.path + "/room/deep/file", with: "x")
        killed.lock.close()
        let other = base.path + "/aibox-image-99999.abc"
        try Folder.make(other)
        let next = try BuildFolder(base: base.path, runner)
        #expect(
            try Folder.names(base.path).sorted() == [running, next].map { Path.name($0.path) }.sorted() + [
                Path.name(other)
            ])
        next.remove(runner)
        running.remove(runner)
        #expect(try Folder.names(base.path) == [Path.name(other)])
    }

    @Test("the installer keeps the folder as long as it lives, though aibox itself is gone")
    func survivingChild() throws {
        let base = try TemporaryFolder()
        let build = try BuildFolder(base: base.path, runner)
        let child = try ChildProcess.start(Command("sleep", ["60"]), descriptors: [-1, -1, -1, build.lock.number])
        build.lock.close()
        _ = try BuildFolder(base: base.path, runner)
        #expect(File.isDirectory(build.path))
        child.send(SIGKILL)
        _ = try child.wait()
        _ = try BuildFolder(base: base.path, runner)
        #expect(!File.isDirectory(build.path))
    }
}
