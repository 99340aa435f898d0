import AiboxSystem
import Testing

@Suite("Commands run as values")
struct CommandRunnerTests {
    let runner = SystemCommandRunner()

    @Test("output, error output and exit status come back apart")
    func outputs() throws {
        let result = try runner.run(Command("sh", ["-c", "echo out; echo err >&2; exit 3"]))
        #expect(result.text == "out")
        #expect(result.errorText == "err")
        #expect(result.termination == .exited(3))
    }

    @Test("a megabyte goes in and comes out without a deadlock")
    func largeInput() throws {
        let input = [UInt8](repeating: 7, count: 1 << 20)
        let result = try runner.run(Command("cat", input: input))
        #expect(result.output == input)
    }

    @Test("a command that reads nothing does not end us with SIGPIPE")
    func unreadInput() throws {
        let result = try runner.run(Command("true", input: [UInt8](repeating: 7, count: 1 << 20)))
        #expect(result.succeeded)
    }

    @Test("a command past its time is killed")
    func timeout() throws {
        let start = ContinuousClock.now
        #expect(throws: AiboxError.self) { try runner.run(Command("sleep", ["30"]), timeout: .milliseconds(200)) }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("a missing program is an error that names it")
    func missing() {
        let error = #expect(throws: AiboxError.self) { try runner.run(Command("no-such-program-here")) }
        #expect(error?.what.contains("no-such-program-here") == true)
    }

    @Test("the child has only the descriptors it was given")
    func descriptors() throws {
        let result = try runner.run(Command("ls", ["/proc/self/fd"]))
        #expect(Set(result.text.split(separator: "\n").map(String.init)) == ["0", "1", "2", "3"])
    }

    @Test("a death by signal is reported as such")
    func signalled() throws {
        let result = try runner.run(Command("sh", ["-c", "kill -9 $$"]))
        #expect(result.termination == .signalled(9))
        #expect(result.termination.status == 137)
    }

    @Test("variables are set and removed on top of the inherited ones")
    func environment() throws {
        let command = Command("env", environment: ["AIBOX_TEST_A": "x y", "PATH": "/usr/bin:/bin", "HOME": nil])
        let lines = Set(try runner.run(command).text.split(separator: "\n").map(String.init))
        #expect(lines.contains("AIBOX_TEST_A=x y"))
        #expect(!lines.contains { $0.hasPrefix("HOME=") })
    }
}
