import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Synchronization
import Testing

@testable import AiboxBroker

@Suite("Places over HTTP/2")
struct HTTP2PlaceTests {
    @Test("100 MB go up as they come, whole, in chunks or with a length", arguments: [true, false])
    func upload(isChunked: Bool) throws {
        let lab = try HTTP2Lab()
        let client = try lab.proxy.client()
        let piece = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let digest = try SHA256()
        try digest.start()
        client.send(
            "PUT \(lab.place("upload/x")) HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\n"
                + (isChunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: \(100 << 20)\r\n\r\n"))
        for _ in 0..<100 {
            try piece.withUnsafeBytes { try digest.update($0) }
            if isChunked { client.send("100000\r\n") }
            let isSent = Loopback.write(client.socket, piece)
            try #require(isSent)
            if isChunked { client.send("\r\n") }
        }
        if isChunked { client.send("0\r\n\r\n") }
        let answer = try #require(client.answer())
        #expect(answer.status == 200, "\(answer.head) \(answer.text)")
        #expect(answer.json?["size"] == .integer(100 << 20))
        #expect(answer.json?["sha256"] == .string(try digest.finish().hex))
        #expect(
            lab.requests[0]["fields"]
                == (isChunked
                    ? ["accept-encoding", "x-lab-token"] : ["accept-encoding", "content-length", "x-lab-token"]))
    }

    @Test("bodies that go up side by side over one connection all arrive, and none waits for the end of another")
    func sideBySide() throws {
        let lab = try HTTP2Lab()
        #expect(try lab.ask("hello").status == 200)
        let done = Mutex<[Int: String]>([:])
        let port = lab.proxy.port
        let place = lab.place("upload/x")
        let count = 6
        for number in 0..<count {
            try DedicatedThread.start("of an upload") {
                guard let socket = try? Loopback.connect(port) else { return }
                let client = RawClient(socket, port: port)
                let piece = [UInt8](repeating: UInt8(number), count: 1 << 20)
                client.send("PUT \(place) HTTP/1.1\r\nHost: llm.test:\(port)\r\nContent-Length: \(16 << 20)\r\n\r\n")
                for _ in 0..<16 where Loopback.write(socket, piece) {}
                let answer = client.answer()?.text ?? "nothing"
                done.withLock { $0[number] = answer }
            }
        }
        #expect(eventually { done.withLock { $0.count } == count })
        for number in 0..<count {
            let digest = try SHA256.digest([UInt8](repeating: UInt8(number), count: 16 << 20)).hex
            #expect(done.withLock { $0[number] }?.contains(digest) == true)
        }
        #expect(lab.connections == 1)
    }

    @Test("an answer before the end of the body is the answer") func early() throws {
        let lab = try HTTP2Lab()
        let client = try lab.proxy.client()
        client.send(
            "POST \(lab.place("early")) HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\nContent-Length: 104857600\r\n\r\nabc"
        )
        let answer = try #require(client.answer())
        #expect(answer.status == 413 && answer.text == "no" && answer.isComplete)
        #expect(try lab.ask("hello").status == 200)
        #expect(eventually { lab.resets == [8] })
    }

    @Test("git clones, pushes and fetches over nginx's HTTP/2") func git() throws {
        let origin = try LabGitServer()
        let server = try LabHTTP2(before: origin.plainPort)
        let pair = Base64.encode(Array("\(origin.user):\(origin.secret)".utf8))
        let proxy = try LiveProxy(
            try ScriptedUpstream { _ in },
            edit: { plan in
                plan.places = [
                    PlaceGrant(
                        .git, name: "git-token:lab", host: LabHTTP2.name, port: server.port, path: "/",
                        value: "Basic " + pair, secret: origin.secret)
                ]
                plan.names = [.init(name: LabHTTP2.name, addresses: ["127.0.0.1"])]
                plan.authorities = [server.authority]
            })
        let folder = try TemporaryFolder(prefix: "aibox-clone")
        let base = "http://llm.test:\(proxy.port)/git/\(LabHTTP2.name):\(server.port)/team/x.git"
        func git(_ arguments: String..., in place: String? = nil) throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(
                    "git", ["-c", "http.curloptResolve=llm.test:\(proxy.port):127.0.0.1"] + arguments,
                    environment: LabGitServer.clientEnvironment, directory: place ?? folder.path),
                timeout: .seconds(120))
        }
        let cloned = try git("clone", "-q", base, "one")
        #expect(cloned.succeeded, "\(cloned.errorText)")
        let one = folder.path + "/one"
        var generator = SeededGenerator(seed: 9)
        let bytes = (0..<(8 << 20)).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        try File.replace(one + "/large", with: bytes)
        #expect(try git("add", "-A", in: one).succeeded)
        #expect(try git("commit", "-qm", "one", in: one).succeeded)
        let pushed = try git("push", "-q", "origin", "HEAD:main", in: one)
        #expect(pushed.succeeded, "\(pushed.errorText)")
        let again = try git("clone", "-q", base, "two")
        #expect(again.succeeded, "\(again.errorText)")
        #expect(try File.read(folder.path + "/two/large") == bytes)
    }
}
