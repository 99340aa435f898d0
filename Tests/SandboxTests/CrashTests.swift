import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    @Suite("Whatever dies, the next command clears it away")
    struct CrashTests {
        @Test("a start killed or interrupted at a random point", arguments: [SIGKILL, SIGINT, SIGTERM])
        func killedStart(signal: Int32) throws {
            // Seven points a signal: twenty-one in all, over the second that a start takes.
            for step in 0..<7 {
                let fixture = try SandboxFixture()
                let null = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
                let child = try ChildProcess.start(
                    fixture.aibox.command(["start", "-w", fixture.workspace, "--name", fixture.name]),
                    descriptors: [null.number, null.number, null.number])
                usleep(UInt32(step) * 160_000 + UInt32.random(in: 0..<160_000))
                child.send(signal)
                let end = try child.wait()
                if signal != SIGKILL, end != .exited(0) {
                    #expect(try fixture.settledRemains() == [], "at step \(step)")
                }
                // What SIGKILL leaves, the next command clears; a start that was done by then goes on running.
                let running = try fixture.aibox.run("list").text.contains(fixture.name)
                if running { #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded) }
                let left = try fixture.settledRemains()
                #expect(left == [], "\(signal) at step \(step), \(end)")
                #expect(try fixture.aibox.run("start", "-w", fixture.workspace, "--name", fixture.name).succeeded)
            }
        }

        @Test("a gateway that dies cuts the sandbox off, and the next command says so and clears it")
        func deadGateway() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            let pid = try gatewayPid(fixture)
            kill(pid, SIGKILL)
            usleep(300_000)
            let listed = try fixture.aibox.run("list")
            #expect(listed.errorText.contains("cut the sandbox off"))
            #expect(listed.text == "")
            #expect(try fixture.settledRemains() == [])
        }

        @Test("a container that dies takes its gateway along")
        func deadContainer() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            _ = try SystemCommandRunner().run(Command("podman", ["kill", fixture.container]))
            usleep(1_000_000)
            #expect(try fixture.aibox.run("list").text == "")
            #expect(try fixture.settledRemains() == [])
        }

        private func gatewayPid(_ fixture: SandboxFixture) throws -> Int32 {
            Int32(truncatingIfNeeded: try #require(try fixture.status()["gateway_pid"]?.wholeNumber))
        }
    }
}
