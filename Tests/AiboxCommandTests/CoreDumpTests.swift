import AiboxSystem
import AiboxTestSupport
import Glibc
import Testing

/// Programs that have opened secrets, crashed on purpose where core dumps are unlimited; the gateway and what is beside it are crashed
/// in `LeaseTests`.
@Suite("A crash of a command that has opened secrets")
struct CoreDumpTests {
    private let lab: BuiltCommand
    private let canary = "canary-\(UInt64.random(in: .min ... .max))-x"
    private let place: String

    init() throws {
        lab = try BuiltCommand()
        place = lab.folder.path + "/place"
        try Folder.make(place)
    }

    /// A process in `place` that may dump as much as it likes; what it has as standard input stays open.
    private final class Victim {
        let child: ChildProcess
        let input: Descriptor

        init(_ words: [String], _ folder: String, _ environment: [String: String?]) throws {
            let pipe = try Pipe()
            let errors = Descriptor(open(folder + "/said", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
            let limits = "ulimit -c unlimited; exec \"$@\""
            child = try ChildProcess.start(
                Command("sh", ["-c", limits, "sh"] + words, environment: environment, directory: folder),
                descriptors: [pipe.read.number, errors.number, errors.number], options: .newGroup)
            pipe.read.close()
            input = pipe.write
        }

        /// With what it has started.
        deinit { kill(-child.pid, SIGKILL) }

        /// The signal that ended it, and whether the kernel wrote its memory somewhere, to a file or a program: wait(2), core(5).
        func crash(_ signal: Int32) throws -> (signal: Int32, isDumped: Bool) {
            child.send(signal)
            var status: Int32 = 0
            #expect(waitpid(child.pid, &status, 0) == child.pid)
            return (status & 0x7f, status & 0x80 != 0)
        }

        func text(_ file: String) throws -> String { try File.text("/proc/\(child.pid)/\(file)") }
    }

    /// Waits until the process has taken what it was given, or has started its program.
    private func settled(_ condition: () -> Bool) -> Bool {
        for _ in 0..<200 {
            if condition() { return true }
            usleep(50_000)
        }
        return false
    }

    @Test("the control: a program of no secrets leaves one here")
    func control() throws {
        let victim = try Victim(["sleep", "60"], place, [:])
        #expect(settled { (try? victim.text("comm")) == "sleep\n" })
        let end = try victim.crash(SIGABRT)
        #expect(end.signal == SIGABRT && end.isDumped)
    }

    @Test(
        "leaves no core dump, and no word of them in what it says or keeps",
        arguments: ["auth add", "auth git-get", "start"], [SIGABRT, SIGSEGV])
    func crashed(command: String, signal: Int32) throws {
        // Asked for what it keeps, this program says nothing for a minute: by then the secret of the environment is open.
        let program = try lab.folder.write("program", "#!/bin/sh\necho >\(place)/asked\nexec sleep 60\n")
        chmod(program, 0o755)
        var environment = lab.environment
        environment["AIBOX_MIRROR_HOST"] = "mirror.example"
        environment["AIBOX_MIRROR_TOKEN"] = canary
        var words = [BuiltCommand.path] + command.split(separator: " ").map(String.init)
        if command == "auth add" {
            words.append("git-token:git.example")
        } else {
            _ = try lab.folder.write("config/aibox/config.yaml", "credentials:\n  command: [\(program)]\n")
        }
        let victim = try Victim(words, place, environment)
        if command == "auth git-get" {
            let question = "protocol=https\nhost=git.example\n\n"
            try File.writeAll(Array(question.utf8), to: victim.input, "the question")
            victim.input.close()
        } else if command == "auth add" {
            try File.writeAll(Array(canary.utf8), to: victim.input, "the secret")
        }
        let isReady = settled {
            if command != "auth add" { return File.exists(place + "/asked") }
            var left: Int32 = 1
            return ioctl(victim.input.number, UInt(FIONREAD), &left) == 0 && left == 0
        }
        try #require(isReady)
        // It is gone from where it came from, and others of this user do not read where it is now.
        if geteuid() == 0 {
            let variables = try victim.text("environ")
            #expect(variables.contains("AIBOX_MIRROR_TOKEN=***") && !variables.contains(canary))
        } else {
            #expect(throws: AiboxError.self) { try victim.text("environ") }
            #expect(open("/proc/\(victim.child.pid)/mem", O_RDONLY) < 0)
        }
        let limits = try victim.text("limits").split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        #expect(limits?.split(separator: " ").filter { $0 == "0" }.count == 2, "\(limits ?? "")")
        let end = try victim.crash(signal)
        #expect(end.signal == signal && !end.isDumped, "\(end)")
        try? File.remove(place + "/asked")
        #expect(try Folder.names(place) == ["said"])
        let found = try SystemCommandRunner().run(Command("grep", ["-rlF", canary, lab.folder.path]))
        #expect(found.termination == .exited(1), "\(found.text)")
    }
}
