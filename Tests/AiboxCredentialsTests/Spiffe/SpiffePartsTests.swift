import AiboxHTTP2
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxCredentials

@Suite("SPIFFE, its small parts")
struct SpiffePartsTests {
    @Test(
        "SPIFFE IDs are what the standard has",
        arguments: [
            "spiffe://example.org", "spiffe://example.org/a", "spiffe://ex_ample-1.org/A/b.c/_-/...", "spiffe://1/2",
        ])
    func ids(text: String) throws {
        #expect(try SpiffeID(text).description == text)
    }

    @Test(
        "what is no SPIFFE ID is refused",
        arguments: [
            "", "spiffe:", "spiffe://", "spiffe:///a", "SPIFFE://example.org/a", "https://example.org/a",
            "spiffe://Example.org/a", "spiffe://example.org/", "spiffe://example.org//a", "spiffe://example.org/a/",
            "spiffe://example.org/./a", "spiffe://example.org/a/..", "spiffe://example.org/%61",
            "spiffe://example.org/a?b", "spiffe://example.org/a#b", "spiffe://user@example.org/a",
            "spiffe://example.org:8443/a", "spiffe://example.org/ü", "spiffe://exämple.org/a",
            "spiffe://example.org/a b",
            "spiffe://example.org/a\n", "spiffe://[::1]/a", " spiffe://example.org/a",
            "spiffe://" + String(repeating: "a", count: 256) + "/a",
            "spiffe://example.org/" + String(repeating: "a", count: 2048),
        ])
    func wrongIDs(text: String) {
        #expect(throws: AiboxError.self) { try SpiffeID(text) }
    }

    @Test("a socket in a folder of anybody's, or of another user's, is not asked")
    func owned() throws {
        let folder = try TemporaryFolder()
        let endpoint = try WorkloadEndpoint(setting: "unix:\(folder.path)/a.sock", environment: [:])
        try endpoint.requireOwned()
        #expect(chmod(folder.path, 0o1777) == 0)
        #expect(throws: AiboxError.self) { try endpoint.requireOwned() }
        #expect(chmod(folder.path, 0o755) == 0)
        try endpoint.requireOwned()
        // Only root can give a folder away.
        if chown(folder.path, 12_345, 0) == 0 {
            let error = #expect(throws: AiboxError.self) { try endpoint.requireOwned() }
            #expect(error?.code == .integrity)
            // An agent's own, where nobody else could have made it.
            #expect(chown(folder.path, 0, 0) == 0 && mkdir(folder.path + "/agent", 0o755) == 0)
            #expect(chown(folder.path + "/agent", 12_345, 0) == 0)
            let agent = try WorkloadEndpoint(setting: "unix:\(folder.path)/agent/a.sock", environment: [:])
            try agent.requireOwned()
        } else {
            #expect(geteuid() != 0)
        }
    }

    @Test("the endpoint is the setting's, else the variable's, and a Unix socket")
    func endpoint() throws {
        let variable = ["SPIFFE_ENDPOINT_SOCKET": "unix:///run/b.sock"]
        #expect(try WorkloadEndpoint(setting: "unix:///run/a.sock", environment: variable).path == "/run/a.sock")
        #expect(try WorkloadEndpoint(setting: "unix:/run/a.sock", environment: [:]).path == "/run/a.sock")
        #expect(try WorkloadEndpoint(setting: "", environment: variable).path == "/run/b.sock")
        let wrong: [(String, String)] = [
            ("", "neither"), ("tcp://127.0.0.1:8000", "over tcp"), ("unix://host/run/a.sock", "absolute path"),
            ("unix:run/a.sock", "absolute path"), ("unix:///run/../a", "absolute path"),
            ("unix:///a?b", "absolute path"),
            ("unix:///a#b", "absolute path"), ("unix:///a%2fb", "absolute path"), ("/run/a.sock", "absolute path"),
            ("unix:///", "absolute path"), ("unix:////a", "absolute path"), ("https://a", "absolute path"),
        ]
        for (text, words) in wrong {
            let error = #expect(throws: AiboxError.self, "\(text)") {
                try WorkloadEndpoint(setting: text, environment: [:])
            }
            #expect(error?.description.contains(words) == true, "\(text): \(error?.description ?? "")")
        }
        // The variable is no way around.
        #expect(throws: AiboxError.self) {
            try WorkloadEndpoint(setting: "", environment: ["SPIFFE_ENDPOINT_SOCKET": "tcp://127.0.0.1:1"])
        }
    }

    @Test("messages come out of a body as they went in, in pieces of any size", arguments: [1, 3, 5, 1000])
    func framing(piece: Int) {
        let messages: [[UInt8]] = [[], [1], Array(repeating: 7, count: 300), [2, 3]]
        let bytes = messages.flatMap { GRPCMessages.framed($0) }
        var reader = GRPCMessages()
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            found += reader.feed(Array(bytes[start..<min(bytes.count, start + piece)]))
        }
        #expect(found == messages && !reader.isInside && reader.fault == nil)
    }

    @Test("a compressed or endless message ends the reading")
    func refused() {
        for head: [UInt8] in [[1, 0, 0, 0, 0], [0, 0, 0x40, 0, 1], [2, 0, 0, 0, 0], [0, 0xff, 0xff, 0xff, 0xff]] {
            var reader = GRPCMessages()
            #expect(reader.feed(head).isEmpty && reader.fault != nil)
            #expect(reader.feed([0, 0, 0, 0, 0]).isEmpty && !reader.isInside)
        }
    }

    @Test("statuses are read, and what they say is safe to show")
    func statuses() throws {
        #expect(GRPCStatus(fields: [HTTP2Field("a", "b")]) == nil)
        #expect(GRPCStatus(fields: [HTTP2Field("grpc-status", "0")]) == GRPCStatus(.ok, ""))
        for text in ["17", "-1", "", "abc", "99999999999999999999", "0x7"] {
            #expect(GRPCStatus(fields: [HTTP2Field("grpc-status", text)])?.code == .unknown, "\(text)")
        }
        let said = [
            ("a%20b", "a b"), ("%", "%"), ("%2", "%2"), ("%zz", "%zz"), ("%+1", "%+1"), ("100%25", "100%"),
            ("%0a%1b", "\\n\\u{1b}"), ("%ff", "\u{fffd}"),
        ]
        for (text, shown) in said { #expect(GRPCStatus.decoded(text) == shown, "\(text)") }
        #expect(GRPCStatus.decoded(String(repeating: "a", count: 5000)).utf8.count == 300)
    }

    @Test("random and damaged messages never do worse than not being read", arguments: 0..<10 as Range<UInt64>)
    func damaged(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var entry = ProtobufMessage()
        entry.append(1, "spiffe://a/b")
        entry.append(2, [UInt8](repeating: 3, count: 200))
        var honest = ProtobufMessage()
        honest.append(1, entry.bytes)
        honest.append(1, entry.bytes)
        for _ in 0..<500 {
            var bytes = GRPCMessages.framed(honest.bytes)
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var reader = GRPCMessages()
            for message in reader.feed(bytes) {
                _ = try? WorkloadMessages.jwtEntries(message)
                _ = try? WorkloadMessages.x509Entries(message)
                _ = try? WorkloadMessages.jwtBundles(message)
            }
        }
    }
}
