import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Testing

@Suite("One request over a connection of its own")
struct HTTPSExchangeTests {
    /// Listens on loopback, and answers each connection by `program`, Python with `peer` the connection.
    private static func exchange(_ program: String) throws -> (HTTPSExchange, LabProcess) {
        let folder = try TemporaryFolder()
        let text = """
            import socket, sys, threading, time
            server = socket.create_server(("127.0.0.1", 0))
            open(sys.argv[1], "w").write(str(server.getsockname()[1]))
            print("ready", flush=True)
            def answer(peer):
                try:
                    \(program)
                except OSError:
                    pass
            def serve():
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
            threading.Thread(target=serve, daemon=True).start()
            sys.stdin.read()
            """
        let server = try LabProcess(Command("python3", ["-c", text, folder.path + "/port"]), ready: "ready")
        let port = try #require(UInt16(try File.text(folder.path + "/port")))
        return (HTTPSExchange(host: "127.0.0.1", port: port, timeout: .seconds(1)), server)
    }

    @Test(
        "a chunk of any size that a server may name is refused or read, and stops nothing",
        arguments: [
            "7fffffffffffffff", "7ffffffffffffffe", "7ffffffffffffffd", "8000000000000000", "-1", "fffffffffffffffff",
            "x", "100001",
        ])
    func chunks(size: String) throws {
        let (start, server) = try Self.exchange(
            """
            peer.recv(4096); peer.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n\(size)\\r\\nabc\\r\\n0\\r\\n\\r\\n"); peer.close()
            """)
        defer { server.stop() }
        var exchange = start
        exchange.isPlain = true
        exchange.largestAnswer = 1 << 20
        let error = #expect(throws: AiboxError.self) { try exchange.send("GET", "/", headers: []) }
        #expect(error?.what.contains("cannot understand") == true, "\(error?.description ?? "")")
    }

    @Test("bytes that drip within one record of TLS are given up at the limit, of a step or of all")
    func drips() throws {
        let (start, server) = try Self.exchange(
            #"[(peer.sendall(part), time.sleep(0.1)) for part in [b"\x16\x03\x03\x40\x00"] + [b"a"] * 100]"#)
        defer { server.stop() }
        var exchange = start
        var began = ContinuousClock.now
        var error = #expect(throws: AiboxError.self) { try exchange.send("GET", "/", headers: []) }
        #expect(began.duration(to: .now) < .seconds(3) && error?.why == "it is silent")
        exchange.timeout = .seconds(8)
        exchange.deadline = .now + .milliseconds(500)
        began = .now
        error = #expect(throws: AiboxError.self) { try exchange.send("GET", "/", headers: []) }
        #expect(began.duration(to: .now) < .seconds(3) && error?.why == "it takes too long")
    }
}
