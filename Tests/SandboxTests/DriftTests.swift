import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    @Suite("A packet filter that is changed from the host")
    struct DriftTests {
        @Test(
            "cuts the sandbox off until a person repairs it; every command tells",
            arguments: SandboxFixture.Engine.allCases)
        func flushed(engine: SandboxFixture.Engine) throws {
            let fixture = try SandboxFixture(engine: engine)
            try fixture.start()
            #expect(try fixture.shell("true").succeeded)
            #expect(try fixture.status()["network"]?.stringValue == "connected")
            let flush = try fixture.inGateway("nft", ["flush", "ruleset"])
            #expect(try SystemCommandRunner().run(flush).succeeded)
            #expect(try settles { try fixture.status()["network"]?.stringValue?.contains("cut off") == true })

            let shell = try fixture.shell("true")
            #expect(shell.termination == .exited(3) && shell.errorText.contains("doctor --fix"), "\(shell.errorText)")
            let layers = try fixture.aibox.run("status", "--layers", "--name", fixture.name)
            #expect(layers.termination == .exited(3) && layers.text.contains("table inet aibox is missing"))
            let doctor = try fixture.aibox.run("doctor")
            #expect(doctor.termination == .exited(3) && doctor.text.contains("\(fixture.name) is cut off"))
            let tail = try fixture.aibox.run("audit", "search", "--type", "gateway.cutoff", "-o", "json")
            #expect(tail.text.contains(fixture.name), "\(tail.text) \(tail.errorText)")
            // Time alone mends nothing.
            usleep(4_000_000)
            #expect(try fixture.status()["network"]?.stringValue?.contains("cut off") == true)

            _ = try fixture.aibox.run("doctor", "--fix")
            #expect(try fixture.status()["network"]?.stringValue == "connected")
            let after = try fixture.shell("echo", "back")
            #expect(after.text == "back", "\(after.errorText)")
            #expect(try fixture.aibox.run("status", "--layers", "--name", fixture.name).succeeded)
        }

        @Test("a sandbox that is cut off can be stopped, and leaves nothing")
        func stopped() throws {
            let fixture = try SandboxFixture()
            try fixture.start()
            #expect(try SystemCommandRunner().run(try fixture.inGateway("nft", ["add", "table", "ip", "x"])).succeeded)
            #expect(try settles { try fixture.status()["network"]?.stringValue?.contains("foreign table") == true })
            #expect(try fixture.aibox.run("stop", "--name", fixture.name).succeeded)
            #expect(try fixture.settledRemains() == [])
        }

        /// Five seconds' patience.
        private func settles(_ condition: () throws -> Bool) throws -> Bool {
            for _ in 0..<50 {
                if try condition() { return true }
                usleep(100_000)
            }
            return false
        }
    }
}

extension SandboxFixture {
    /// The command, run in the gateway's namespace with the rights of whoever owns it.
    func inGateway(_ executable: String, _ arguments: [String]) throws -> Command {
        let gateway = try #require(try status()["gateway_pid"]?.wholeNumber)
        let children = try File.text("/proc/\(gateway)/task/\(gateway)/children").split(separator: " ").compactMap {
            Int32($0)
        }
        let holder = try #require(children.first { (try? File.text("/proc/\($0)/comm")) == "aibox-holder\n" })
        let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
        let path = ExecutableSearch.find(executable) ?? executable
        return Command("nsenter", user + ["--target", "\(holder)", "--net", path] + arguments)
    }
}
