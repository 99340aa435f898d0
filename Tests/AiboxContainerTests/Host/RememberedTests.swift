import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer

@Suite("What programs said")
struct RememberedTests {
    let folder: TemporaryFolder
    let file: String
    let remembered: Remembered

    init() throws {
        folder = try TemporaryFolder()
        file = try folder.write("watched", "one")
        remembered = Remembered(folder: folder.path + "/remembered")
    }

    /// A moment well after everything that the test has written.
    private var later: Timestamp { Timestamp(seconds: Timestamp.now.seconds + 60) }

    @Test("is said again while no file it hangs on changes")
    func again() throws {
        #expect(remembered.answer("which") == nil)
        remembered.keep(["release": 1], to: "which", asked: later, files: [file, folder.path + "/none"])
        #expect(remembered.answer("which") == ["release": 1])
        #expect(remembered.answer("other") == nil)
        #expect(try Folder.names(remembered.folder).count == 1)
    }

    @Test(
        "is forgotten when a file it hangs on is",
        arguments: ["written", "replaced", "touched", "removed", "made"])
    func forgotten(change: String) throws {
        let other = folder.path + "/other"
        remembered.keep(1, to: "which", asked: later, files: [file, other])
        switch change {
        case "written":
            let descriptor = Descriptor(open(file, O_WRONLY))
            try File.writeAll(Array("two".utf8), to: descriptor, file)
        case "replaced": try File.replace(file, with: "one")
        case "touched":
            let back = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
            #expect(utimensat(AT_FDCWD, file, back, 0) == 0)
        case "removed": try File.remove(file)
        default: try File.replace(other, with: "")
        }
        #expect(remembered.answer("which") == nil)
    }

    @Test("is not kept where a file changed while it was asked, nor taken from a damaged file")
    func doubtful() throws {
        remembered.keep(1, to: "which", asked: .now, files: [file])
        #expect(remembered.answer("which") == nil)
        remembered.keep(1, to: "which", asked: later, files: [file])
        for name in try Folder.names(remembered.folder) {
            for text in ["", "{}", #"{"question":"which","stamps":[],"answer":2}"#] {
                try File.replace(remembered.folder + "/" + name, with: text)
                #expect(remembered.answer("which") == nil)
            }
        }
    }

    @Test("an image is asked for again once a name in its storage has moved")
    func image() throws {
        struct Storage: CommandRunner {
            let root: TemporaryFolder
            func run(_ command: Command, timeout: Duration?) throws(AiboxError) -> CommandResult {
                let id = try File.text(root.path + "/id")
                let upper = root.path + "/overlay/layer/diff"
                let text = #"[{"Id": "\#(id)", "GraphDriver": {"Data": {"UpperDir": "\#(upper)"}}}]"#
                return try SystemCommandRunner().run(Command("printf", ["%s", text]), timeout: timeout)
            }
        }
        let root = try TemporaryFolder()
        try Folder.make(root.path + "/overlay-images")
        func move(to id: String) throws {
            try root.write("id", id)
            try File.replace(root.path + "/overlay-images/images.json", with: id)
        }
        let store = ImageStore(podman: Podman(runner: Storage(root: root), host: .current), remembered: remembered)
        let (one, two) = (String(repeating: "1", count: 64), String(repeating: "2", count: 64))
        try move(to: one)
        #expect(try store.find("localhost/x:1")?.id == one)
        #expect(!File.exists(remembered.folder), "asked while the storage changed, and kept")
        // Now the storage has not changed for a while.
        usleep(1_500_000)
        #expect(try store.find("localhost/x:1")?.id == one)
        try root.write("id", two)
        #expect(try store.find("localhost/x:1")?.id == one, "not remembered at all")
        try move(to: two)
        #expect(try store.find("localhost/x:1")?.id == two)
    }

    @Test("gVisor's release is asked for once a program")
    func runtime() throws {
        struct Counting: CommandRunner {
            let calls: TemporaryFolder
            func run(_ command: Command, timeout: Duration?) throws(AiboxError) -> CommandResult {
                try File.replace(calls.path + "/call-\(try Folder.names(calls.path).count)", with: "")
                return try SystemCommandRunner().run(
                    Command("echo", ["runsc version release-20260101.0"]), timeout: timeout)
            }
        }
        let calls = try TemporaryFolder()
        // A program that has not changed for a while, as installed ones have not.
        let program = Path.real("/bin/sh") ?? "/bin/sh"
        let probe = RuntimeProbe(runner: Counting(calls: calls), remembered: remembered)
        for _ in 0..<3 { #expect(try probe.release(of: program) == 20_260_101) }
        #expect(try Folder.names(calls.path).count == 1)
    }
}
