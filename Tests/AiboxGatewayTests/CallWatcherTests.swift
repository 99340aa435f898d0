import AiboxAudit
import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

/// A gateway that is asked before programs are loaded, and programs that behave badly. The filter is one of two calls, its
/// listener is brought as an OCI runtime brings it; real runtimes are `Sandboxes.TraceTests`.
@Suite("Calls that are watched", .serialized)
struct CallWatcherTests {
    private static let program = """
        import array, ctypes, os, platform, signal, socket, struct, sys, time
        libc = ctypes.CDLL(None, use_errno=True)
        arm = platform.machine() == 'aarch64'
        execve, execveat, seccomp = (221, 281, 277) if arm else (59, 322, 317)
        rows = [(0x20, 0, 0, 0), (0x15, 1, 0, execve), (0x15, 0, 1, execveat), (6, 0, 0, 0x7fc00000), (6, 0, 0, 0x7fff0000)]
        code = b''.join(struct.pack('HBBI', *row) for row in rows)
        room = ctypes.create_string_buffer(code)
        filter = struct.pack('HxxxxxxQ', len(rows), ctypes.addressof(room))
        assert libc.prctl(38, 1, 0, 0, 0) == 0
        listener = libc.syscall(seccomp, 1, 8, filter)
        assert listener >= 0, ctypes.get_errno()
        state = b'{"ociVersion":"1.0.2","fds":["seccompFd"],"pid":1,"state":{"id":"x","status":"creating"}}'
        door = socket.socket(socket.AF_UNIX)
        door.connect(sys.argv[1])
        door.sendmsg([state], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [listener]).tobytes())])
        door.close()
        os.close(listener)

        def run(path, *words, folder=None):
            'The exit status, or minus the error number that the call failed with.'
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reader)
                try:
                    if folder: os.chdir(folder)
                    os.execve(path, list(words) or [path], {})
                except OSError as e: os.write(writer, b'%d' % e.errno)
                os._exit(127)
            os.close(writer)
            text = os.read(reader, 16)
            os.close(reader)
            status = os.waitpid(child, 0)[1]
            return -int(text) if text else os.waitstatus_to_exitcode(status)

        """

    private static func command(_ gateway: LiveGateway, _ scenario: String) -> Command {
        Command("python3", ["-c", program + scenario, gateway.runFolder + "/" + Wire.traceSocket])
    }

    private static func run(_ gateway: LiveGateway, _ scenario: String) throws -> String {
        let result = try SystemCommandRunner().run(command(gateway, scenario), timeout: .seconds(120))
        try #require(result.succeeded, "\(result.errorText)")
        return result.text
    }

    private static func gateway(_ demand: GatewaySettings.TraceDemand) throws -> LiveGateway {
        try LiveGateway {
            $0.traces = demand
            $0.watchesCalls = true
        }
    }

    private static func events(_ gateway: LiveGateway, _ subject: String = "execve") throws -> [AuditRecord] {
        try gateway.events("runtime.trace").filter { $0.subject == subject }
    }

    private static func arguments(_ record: AuditRecord) -> [String] {
        record.json["details"]?["arguments"]?.elements?.compactMap(\.stringValue) ?? []
    }

    @Test(
        "each program is one event, with the file that it really is; what is not there is none",
        arguments: [GatewaySettings.TraceDemand.optional, .required])
    func each(_ demand: GatewaySettings.TraceDemand) throws {
        let gateway = try Self.gateway(demand)
        let text = try Self.run(
            gateway,
            """
            results = [run('/bin/true', 'true', 'counted-%d' % number) for number in range(100)]
            results += [run('./true', 'relative', folder='/usr/bin'), run(os.open('/bin/true', os.O_RDONLY), 'descriptor')]
            results += [run('/bin/nothing-there'), run('/nowhere/at/all'), run('/etc/passwd', 'no-program'), run('/proc/self/exe', 'python3', '-c', '')]
            print(results)
            """)
        #expect(text == "[" + String(repeating: "0, ", count: 102) + "-2, -2, -13, 0]")
        #expect(eventually { (try? Self.events(gateway).count) == 104 })
        let events = try Self.events(gateway)
        let counted = events.compactMap { event in Self.arguments(event).first { $0.hasPrefix("counted-") } }
        #expect(counted == (0..<100).map { "counted-\($0)" })
        func process(_ word: String) -> String? {
            events.first { Self.arguments($0).first == word }?.json["details"]?["process"]?.stringValue
        }
        #expect(process("true") == "/usr/bin/true")
        #expect(process("relative") == "/usr/bin/true")
        #expect(process("descriptor") == "/usr/bin/true")
        let relative = try #require(events.first { Self.arguments($0).first == "relative" })
        #expect(relative.json["details"]?["folder"]?.stringValue == "/usr/bin")
        #expect(relative.json["details"]?["uid"]?.wholeNumber == Int64(geteuid()))
        #expect(try Self.events(gateway, "lost").isEmpty)
        #expect(try gateway.events("gateway.cutoff").isEmpty)
    }

    @Test(
        "pointers to nowhere, words without end, callers that die and a thousand at once hold nothing up",
        arguments: [GatewaySettings.TraceDemand.optional, .required])
    func hostile(_ demand: GatewaySettings.TraceDemand) throws {
        let gateway = try Self.gateway(demand)
        let text = try Self.run(
            gateway,
            """
            def call(*arguments):
                ctypes.set_errno(0)
                libc.syscall(execve, *[ctypes.c_void_p(a) if isinstance(a, int) else a for a in arguments])
                return ctypes.get_errno()
            print(call(0, 0, 0), call(8, 0, 0), call(b'/bin/true', 8, 0), call(b'/' * 5000, 0, 0), call(b'', 0, 0))
            print(run('/bin/true', *['w'] * 50000), run('/bin/true', 'y' * 100000))
            for number in range(300):
                child = os.fork()
                if child == 0:
                    os.execve('/bin/true', ['dies'], {})
                if number % 3: time.sleep(0.0003 * (number % 5))
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            children = []
            for number in range(1000):
                child = os.fork()
                if child == 0: os.execve('/bin/true', ['at-once'], {})
                children.append(child)
            print(sum(os.waitpid(child, 0)[1] for child in children))
            print(run('/bin/true', 'after'))
            """)
        #expect(text == "14 14 14 36 2\n0 0\n0\n0")
        #expect(eventually { (try? Self.events(gateway).contains { Self.arguments($0) == ["after"] }) == true })
        let events = try Self.events(gateway)
        #expect(events.filter { Self.arguments($0) == ["at-once"] }.count == 1000)
        #expect(events.filter { $0.json["details"]?["arguments_cut"] == true }.count == 2)
        #expect(try Self.events(gateway, "lost").isEmpty)
        #expect(try gateway.events("gateway.cutoff").isEmpty)
    }

    @Test("where they are required, no program begins before its event is on the disk")
    func before() throws {
        let gateway = try Self.gateway(.required)
        let mark = gateway.folder.path + "/mark"
        let child = try ChildProcess.start(
            Self.command(
                gateway,
                """
                run('/bin/true', 'first')
                open('\(mark).ready', 'w').close()
                while os.path.exists('\(mark).ready'): time.sleep(0.01)
                run('/usr/bin/touch', 'touch', '\(mark)')
                """), descriptors: [STDIN_FILENO, STDERR_FILENO, STDERR_FILENO])
        try #require(eventually { File.exists(mark + ".ready") })
        kill(gateway.ready.pid, SIGSTOP)
        try File.remove(mark + ".ready")
        usleep(500_000)
        #expect(!File.exists(mark))
        #expect(try Self.events(gateway).count == 1)
        kill(gateway.ready.pid, SIGCONT)
        #expect(eventually { File.exists(mark) })
        #expect(try Self.events(gateway).count == 2)
        _ = try child.wait()
    }

    @Test("where they are not, nothing waits for a gateway that stands still, and what it had no room for is counted")
    func flood() throws {
        let gateway = try Self.gateway(.optional)
        kill(gateway.ready.pid, SIGSTOP)
        defer { kill(gateway.ready.pid, SIGCONT) }
        let count = 3000
        let text = try Self.run(
            gateway, "print(sum(run('/bin/true', 'flood', 'x' * 4000) for number in range(\(count))))")
        #expect(text == "0")
        kill(gateway.ready.pid, SIGCONT)
        func told() throws -> (events: Int, lost: Int) {
            let lost = try Self.events(gateway, "lost").compactMap { $0.json["details"]?["lost"]?.wholeNumber }
            return (try Self.events(gateway).count, Int(lost.reduce(0, +)))
        }
        #expect(eventually(within: .seconds(20)) { (try? told()).map { $0.events + $0.lost == count } == true })
        let (events, lost) = try told()
        #expect(lost > 100 && events > 500, "\(events) events, \(lost) lost")
        #expect(try gateway.events("gateway.cutoff").isEmpty)
    }

    @Test(
        "once the gateway is gone, nothing runs any more",
        arguments: [GatewaySettings.TraceDemand.optional, .required])
    func gone(_ demand: GatewaySettings.TraceDemand) throws {
        let gateway = try Self.gateway(demand)
        let text = try Self.run(
            gateway,
            """
            print(run('/bin/true'))
            os.kill(\(gateway.ready.pid), signal.SIGKILL)
            end = time.time() + 10
            while time.time() < end and run('/bin/true') != -38: time.sleep(0.05)
            print(run('/bin/true'))
            """)
        // ENOSYS.
        #expect(text == "0\n-38")
    }

    @Test("the watcher is behind its own walls: filtered, closed to others, and no right but to look")
    func walls() throws {
        let gateway = try Self.gateway(.optional)
        _ = try Self.run(gateway, "run('/bin/true')")
        let watcher = try #require(
            ProcessTable.children(of: gateway.ready.pid).first {
                (try? File.text("/proc/\($0)/comm")) == "aibox-watcher\n"
            })
        let status = try File.text("/proc/\(watcher)/status")
        #expect(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1") && status.contains("Threads:\t1\n"))
        let rights = Caller.field("CapEff", status).first.flatMap { UInt64($0, radix: 16) }
        #expect(rights == (geteuid() == 0 ? 1 << 19 | 1 << 2 : 0))
        // It ends with its gateway.
        try gateway.process.stop()
        #expect(eventually { !File.exists("/proc/\(watcher)") })
    }
}
