import AiboxContainer
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@Suite("Gateway control socket", .serialized)
struct GatewayControlTests {
    private func send(_ text: String, to gateway: LiveGateway) throws -> String {
        try gateway.run(
            Command("/usr/bin/python3", ["-c", Scripts.control, gateway.runFolder, Wire.controlSocket, text]))
    }

    static let refused: [(why: String, text: String, says: String)] = [
        ("no JSON", #"hello\n"#, "unexpected character"),
        ("an empty line", #"\n"#, "ends too early"),
        ("zero bytes", #"\x00\x00\n"#, "unexpected character"),
        ("no UTF-8", #"{"version":1,"request":"\xff"}\n"#, "not UTF-8"),
        ("an array", #"[]\n"#, "not an object"),
        ("no version", #"{"request":"status"}\n"#, "version"),
        ("another version", #"{"version":99,"request":"status"}\n"#, "version 99"),
        ("an unknown request", #"{"version":1,"request":"open"}\n"#, "unknown request open"),
        ("an unknown member", #"{"version":1,"request":"stop","now":true}\n"#, "unknown member now"),
        ("a member twice", #"{"version":1,"request":"status","request":"stop"}\n"#, "twice"),
        ("deep nesting", String(repeating: "[", count: 5000) + #"\n"#, "too deeply"),
        ("an endless line", String(repeating: " ", count: 70_000), "longer than"),
    ]

    @Test(
        "what is no request is refused in words, then the connection is closed; the gateway lives", arguments: refused)
    func refuses(why: String, text: String, says: String) throws {
        let gateway = try Self.shared()
        let answer = try send(text, to: gateway)
        #expect(answer.contains(#""error""#) && answer.contains(says), "\(why): \(answer)")
        #expect(!answer.contains("still open"), "\(why)")
        #expect(try gateway.client.status().sandbox == "live")
        try gateway.process.stop()
    }

    private static func shared() throws -> LiveGateway { try LiveGateway() }

    @Test("requests on one connection are answered in order")
    func order() throws {
        let gateway = try LiveGateway()
        let line = #"{"version":1,"request":"readdress"}\n"#
        let answer = try send(line + #"{"version":1,"request":"status"}\n"# + line + "x\\n", to: gateway)
        let kinds = answer.split(separator: "\n").map { line in
            ["done", "status", "error"].first { line.hasPrefix(#"{"version":1,"\#($0)""#) }
        }
        #expect(kinds == ["done", "status", "done", "error"])
    }

    @Test("a flood of requests on one connection is refused")
    func flood() throws {
        let gateway = try LiveGateway()
        let answer = try send(String(repeating: #"{"version":1,"request":"readdress"}\n"#, count: 500), to: gateway)
        #expect(answer.contains("too many requests"))
        #expect(try gateway.client.status().sandbox == "live")
    }

    @Test("the log is bounded and says that it started anew")
    func boundedLog() throws {
        let folder = try TemporaryFolder(prefix: "aibox-gateway")
        var settings = LiveGateway.settings(runFolder: folder.path + "/run")
        settings.logLimit = 4096
        let gateway = try GatewayProcess.start(settings, logFile: folder.path + "/log")
        let speak = [
            "-c",
            "import socket, sys\nfor _ in range(100):\n c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1])"
                + "; c.sendall(b'x\\n'); c.recv(999); c.close()", folder.path + "/run/control.sock",
        ]
        try SystemCommandRunner().require(Command("/usr/bin/python3", speak), "speak")
        let log = try File.text(folder.path + "/log")
        #expect(log.utf8.count <= 4096 && log.contains("log started anew limit=4096"))
        try gateway.stop()
    }

    @Test("a second monitor, and one that is not running, are refused")
    func monitors() throws {
        let gateway = try LiveGateway(isWatched: false)
        #expect(throws: AiboxError.self) { try gateway.client.watch(monitorPid: 4_194_304) }
        try gateway.watch()
        #expect(throws: AiboxError.self) { try gateway.client.watch(monitorPid: getpid()) }
    }

    @Test("socket and lock are the owner's alone")
    func modes() throws {
        let gateway = try LiveGateway()
        for (path, mode) in [("", 0o700), ("/control.sock", 0o600), ("/gateway.lock", 0o600)] {
            var status = Glibc.stat()
            #expect(lstat(gateway.runFolder + path, &status) == 0)
            #expect(Int(status.st_mode & 0o777) == mode && status.st_uid == geteuid(), "\(path)")
        }
    }

    @Test("another user is turned away even if the file lets him in")
    func otherUser() throws {
        let gateway = try LiveGateway()
        let script = [
            "/usr/bin/python3", "-c", Scripts.control, gateway.runFolder, Wire.controlSocket,
            #"{"version":1,"request":"stop"}\n"#,
        ]
        // As root another user of the host; else the user namespace's user 1, whom the host knows by another number.
        let asOther =
            geteuid() == 0
            ? Command("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "--"] + script)
            : Command(
                "nsenter",
                ["--user", "--target", "\(gateway.ready.holderPid)", "--setuid", "1", "--setgid", "1"] + script)
        let shut = try SystemCommandRunner().run(asOther)
        #expect(shut.errorText.contains("Permission denied"), "the folder keeps him out: \(shut)")
        chmod(gateway.folder.path, 0o711)
        chmod(gateway.runFolder, 0o711)
        chmod(gateway.runFolder + "/control.sock", 0o666)
        let answer = try gateway.run(asOther)
        #expect(!answer.contains("version"), "\(answer)")
        #expect(gateway.log.contains("control connection refused uid="))
        #expect(try gateway.client.status().sandbox == "live")
    }
}
