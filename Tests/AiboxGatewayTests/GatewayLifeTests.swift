import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxContainer

/// The life of a real daemon. As root the rootful form, as an ordinary user the rootless one.
@Suite("Gateway life", .serialized)
struct GatewayLifeTests {
    @Test("the sandbox's namespace has its one address, its one route, and no IPv6")
    func addresses() throws {
        let gateway = try LiveGateway()
        #expect(gateway.ready.networkNamespace == "/proc/\(gateway.ready.holderPid)/ns/net")
        let box = try gateway.run(gateway.inBox("ip", ["-brief", "address"])).split(separator: "\n")
        #expect(box.count == 2)
        #expect(box.last?.hasPrefix("eth0@") == true && box.last?.contains("10.200.1.2/24") == true)
        #expect(
            try gateway.run(gateway.inBox("ip", ["route"])) == """
                default via 10.200.1.1 dev eth0 
                10.200.1.0/24 dev eth0 proto kernel scope link src 10.200.1.2 
                """)
        for command in [gateway.inBox, gateway.inGateway] {
            #expect(try gateway.run(command("ip", ["-6", "address"])).isEmpty)
            #expect(try gateway.run(command("cat", ["/proc/sys/net/ipv4/ip_forward"])) == "0")
            #expect(try gateway.run(command("cat", ["/proc/sys/net/ipv6/conf/default/disable_ipv6"])) == "1")
        }
        let own = try gateway.run(gateway.inGateway("ip", ["-brief", "address"])).split(separator: "\n")
        #expect(own.count == 2, "no uplink: loopback and the cable, nothing else")
    }

    @Test("the processes hold no more rights than they use")
    func rights() throws {
        let gateway = try LiveGateway()
        func field(_ name: String, _ pid: Int32) throws -> Substring? {
            try File.text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix(name + ":") }?
                .split(separator: "\t").last
        }
        for pid in [gateway.ready.pid, gateway.holderPid, gateway.ready.holderPid] {
            #expect(try field("NoNewPrivs", pid) == "1")
        }
        // As root what it takes to own files and to run children as other users; as a user nothing.
        #expect(try field("CapEff", gateway.ready.pid) == (geteuid() == 0 ? "00000000000000eb" : "0000000000000000"))
        // CAP_NET_BIND_SERVICE and CAP_NET_ADMIN, over its own namespaces only where it is rootless.
        #expect(try field("CapEff", gateway.holderPid) == "00000000000015e0")
        #expect(try field("CapBnd", gateway.holderPid) == "00000000000015e0")
        #expect(try field("CapEff", gateway.ready.holderPid) == "0000000000000000")
        #expect(try field("Threads", gateway.holderPid) == "1")
        #expect(try Folder.names("/proc/\(gateway.ready.holderPid)/fd").isEmpty)
    }

    @Test("what a runtime took from the sandbox's interface comes back on demand")
    func readdress() throws {
        let gateway = try LiveGateway()
        let before = try gateway.run(gateway.inBox("ip", ["route"]))
        _ = try gateway.run(gateway.inBox("ip", ["address", "flush", "dev", "eth0"]))
        _ = try gateway.run(gateway.inBox("ip", ["link", "set", "eth0", "down"]))
        #expect(try gateway.run(gateway.inBox("ip", ["route"])).isEmpty)
        try gateway.client.readdress()
        try gateway.client.readdress()
        #expect(try gateway.run(gateway.inBox("ip", ["route"])) == before)
    }

    @Test("status tells what runs")
    func status() throws {
        let gateway = try LiveGateway(name: "told", isWatched: false)
        var status = try gateway.client.status()
        #expect(status.sandbox == "told" && status.container == "aibox-told" && status.ready == gateway.ready)
        #expect(status.monitorPid == nil && status.sshConnections == 0)
        let monitor = try gateway.watch()
        status = try gateway.client.status()
        #expect(status.monitorPid == monitor.pid)
    }

    @Test("stop leaves nothing: no process, no port, no file; and a second stop is no error")
    func stop() throws {
        let gateway = try LiveGateway()
        try gateway.process.stop()
        expectNothing(of: gateway)
        #expect(gateway.log.contains("ending reason=\"stop was asked for\""))
        try gateway.client.stop()
    }

    @Test("the daemon ends with the container's monitor")
    func monitorEnds() throws {
        let gateway = try LiveGateway()
        gateway.endMonitor()
        #expect(eventually { GatewayRemains.state(of: gateway.runFolder) == .absent })
        expectNothing(of: gateway)
    }

    @Test("a daemon whose starter goes away without a container ends")
    func leash() throws {
        var gateway: LiveGateway? = try LiveGateway(isWatched: false)
        let (ready, runFolder) = (gateway?.ready, gateway?.runFolder ?? "")
        // Only the starter's hold goes: nothing is asked of the daemon.
        let leftover = gateway?.folder
        gateway?.process.leash.close()
        #expect(eventually { GatewayRemains.state(of: runFolder) == .absent })
        #expect(eventually { !ProcessTable.isAlive(ready?.holderPid ?? 0) })
        gateway = nil
        _ = leftover
    }

    @Test("a daemon that hangs is stopped all the same")
    func hanging() throws {
        let gateway = try LiveGateway()
        kill(gateway.ready.pid, SIGSTOP)
        #expect(eventually { ProcessTable.isStopped(gateway.ready.pid) })
        var client = gateway.client
        client.timeout = .milliseconds(300)
        #expect(throws: AiboxError.self) { try client.status() }
        try client.stop()
        expectNothing(of: gateway)
    }

    @Test("SIGTERM is an orderly end")
    func terminated() throws {
        let gateway = try LiveGateway()
        kill(gateway.ready.pid, SIGTERM)
        #expect(eventually { GatewayRemains.state(of: gateway.runFolder) == .absent })
        expectNothing(of: gateway)
    }

    @Test("a killed daemon cuts the sandbox off within a second, and the next start clears up")
    func daemonKilled() throws {
        let gateway = try LiveGateway()
        // A process that stays in the sandbox's namespace, as a container does.
        let inside = try gateway.keep(gateway.inBox("sh", ["-c", "echo ready; exec sleep 600"]))
        let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
        let look = Command(
            "nsenter",
            user + ["--target", "\(inside.pid)", "--net", ExecutableSearch.find("ip") ?? "ip", "-brief", "link"])
        #expect(try gateway.run(look).contains("eth0"))
        kill(gateway.ready.pid, SIGKILL)
        #expect(eventually { (try? gateway.run(look).contains("eth0")) == false }, "the cable is gone")
        #expect(eventually { !ProcessTable.isAlive(gateway.holderPid) })
        #expect(eventually { !ProcessTable.isAlive(gateway.ready.holderPid) })
        #expect(eventually { isFree(gateway.ready.sshPort) })
        #expect(GatewayRemains.state(of: gateway.runFolder) == .dead)
        #expect(throws: AiboxError.self) { try gateway.client.status() }
        let next = try GatewayProcess.start(
            LiveGateway.settings(runFolder: gateway.runFolder, port: gateway.ready.sshPort), logFile: gateway.logFile)
        #expect(next.ready.sshPort == gateway.ready.sshPort)
        try next.stop()
        #expect(GatewayRemains.state(of: gateway.runFolder) == .absent)
    }

    @Test(
        "a daemon that loses its holder, or the process in the sandbox's namespace, ends as a failure",
        arguments: [true, false])
    func holderKilled(isHolder: Bool) throws {
        let gateway = try LiveGateway()
        kill(isHolder ? gateway.holderPid : gateway.ready.holderPid, SIGKILL)
        #expect(eventually { GatewayRemains.state(of: gateway.runFolder) == .absent })
        expectNothing(of: gateway)
        #expect(gateway.log.contains("error ending reason=\"the namespace holder is lost"))
        #expect(try gateway.process.child.wait() == .exited(1))
    }

    @Test("two gateways in one folder: the second is refused, the first is unharmed")
    func twice() throws {
        let gateway = try LiveGateway()
        let error = #expect(throws: AiboxError.self) {
            try GatewayProcess.start(
                LiveGateway.settings(runFolder: gateway.runFolder), logFile: gateway.logFile + "2")
        }
        #expect(error?.why?.contains("one is running") == true)
        #expect(try gateway.client.status().ready == gateway.ready)
    }

    @Test("a start that fails gives its own reason and leaves nothing")
    func failedStart() throws {
        let folder = try TemporaryFolder(prefix: "aibox-gateway")
        var settings = LiveGateway.settings(runFolder: folder.path + "/run")
        settings.userNamespacePid = getpid()  // our own namespace, which cannot be entered again
        let error = #expect(throws: AiboxError.self) {
            try GatewayProcess.start(settings, logFile: folder.path + "/log")
        }
        #expect(error?.code == .layerMissing)
        #expect(error?.what.contains("user namespace") == true, "\(String(describing: error))")
        #expect(try Folder.names(folder.path).filter { !$0.hasPrefix("run.") } == ["log"])
        #expect(try File.text(folder.path + "/log").contains("start failed"))
    }

    @Test("a daemon that is killed while starting is reported, not waited for")
    func silentDaemon() throws {
        let folder = try TemporaryFolder(prefix: "aibox-gateway")
        let error = #expect(throws: AiboxError.self) {
            try GatewayProcess.start(
                LiveGateway.settings(runFolder: folder.path + "/run"), logFile: folder.path + "/log",
                executable: "/bin/true")
        }
        #expect(error?.why == "it ended without a word")
        let hanging = #expect(throws: AiboxError.self) {
            // tail -f run: says nothing and does not end.
            let program = try folder.write("hang", "#!/bin/sh\nexec sleep 600\n")
            chmod(program, 0o755)
            _ = try GatewayProcess.start(
                LiveGateway.settings(runFolder: folder.path + "/run"), logFile: folder.path + "/log",
                executable: program, timeout: .milliseconds(300))
        }
        #expect(hanging?.why?.contains("not ready") == true)
    }

    @Test("a folder that others can write in, or that is a link, is not used")
    func foreignFolder() throws {
        let folder = try TemporaryFolder(prefix: "aibox-gateway")
        try Folder.make(folder.path + "/elsewhere")
        symlink(folder.path + "/elsewhere", folder.path + "/run")
        #expect(throws: AiboxError.self) {
            try GatewayProcess.start(
                LiveGateway.settings(runFolder: folder.path + "/run"), logFile: folder.path + "/log")
        }
        #expect(try Folder.names(folder.path + "/elsewhere").isEmpty)
    }

    @Test(
        "twenty daemons, killed or deserted at random moments of their start, leave nothing that outlives the next start"
    )
    func randomKills() throws {
        let folder = try TemporaryFolder(prefix: "aibox-gateway")
        let runFolder = folder.path + "/run"
        let settings = try LiveGateway.completeSettings(runFolder: runFolder)
        let mark = "AIBOX_TEST_MARK=\(UInt64.random(in: .min ... .max))"
        let program = try #require(Path.real("/proc/self/exe").map { Path.parent($0) + "/aibox-gateway" })
        for round in 0..<20 {
            let (input, readiness, leash) = (try Pipe(), try Pipe(), try Pipe())
            let log = Descriptor(open(folder.path + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
            let parts = mark.split(separator: "=").map(String.init)
            let child = try ChildProcess.start(
                Command(program, ["run"], environment: [parts[0]: parts[1]]),
                descriptors: [
                    input.read.number, log.number, log.number, readiness.write.number, leash.read.number,
                ], options: .newSession)
            for end in [input.read, readiness.write, leash.read] { end.close() }
            try File.writeAll(settings.json.bytes, to: input.write, "settings")
            input.write.close()
            usleep(UInt32.random(in: 0..<90_000))
            if round.isMultiple(of: 2) { child.send(SIGKILL) }
            for end in [readiness.read, leash.write] { end.close() }
            #expect(eventually { (try? child.poll()) != nil }, "it ends by itself")
        }
        #expect(eventually { ProcessTable.marked(mark).isEmpty })
        let next = try GatewayProcess.start(settings, logFile: folder.path + "/log")
        #expect(next.ready.sshPort >= settings.sshPort)
        try next.stop()
        #expect(try Folder.names(folder.path).filter { !$0.hasPrefix("run.") } == ["log"])
    }

    private func expectNothing(of gateway: LiveGateway, sourceLocation: SourceLocation = #_sourceLocation) {
        for pid in [gateway.ready.pid, gateway.holderPid, gateway.ready.holderPid] {
            #expect(eventually { !ProcessTable.isAlive(pid) }, "process \(pid)", sourceLocation: sourceLocation)
        }
        #expect(eventually { isFree(gateway.ready.sshPort) }, sourceLocation: sourceLocation)
        #expect(!File.exists(gateway.runFolder), sourceLocation: sourceLocation)
    }
}
