import AiboxCrypto
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxNetwork

@Suite("What stands for credentials, in heads of requests")
struct SurrogateScreenTests {
    static let own = "sk-ant-aibox-" + String(repeating: "0123456789abcdef", count: 4)
    static let other = "sk-aibox-" + String(repeating: "fedcba9876543210", count: 4)
    static let screen = SurrogateScreen(
        [.init(name: "llm-api-key:anthropic", api: .anthropic, surrogate: own, secret: "real")],
        brokers: ["10.200.1.1"])

    private static func basic(_ text: String, padded: Bool = true) -> String {
        let text = Base64.encode(Array(text.utf8))
        return padded ? text : text.filter { $0 != "=" }
    }

    static let escaped = own.utf8.map { "%" + Hex.encode([$0]) }.joined()

    /// nil: nothing is found; "": another's.
    static let heads: [(what: String, target: String, field: String, finds: String?)] = [
        ("nothing", "/v1/x?y=z", "Authorization: Bearer sk-ant-real-key", nil),
        ("its own as a bearer's", "/", "Authorization: Bearer \(own)", "llm-api-key:anthropic"),
        ("in any field", "/", "X-Whatever: a,\(own);b", "llm-api-key:anthropic"),
        ("alone in a field", "/", "x-api-key: \(own)", "llm-api-key:anthropic"),
        ("another's", "/", "x-api-key: \(other)", ""),
        ("in the path", "/put/\(own)/x", "A: b", "llm-api-key:anthropic"),
        ("in the query", "/?key=\(other)", "A: b", ""),
        ("in the query, percent-encoded", "/?key=\(escaped)", "A: b", "llm-api-key:anthropic"),
        ("partly percent-encoded", "/%73k-aibox-\(other.dropFirst(9))%", "A: b", ""),
        ("a password", "/", "Authorization: Basic \(basic("user:\(own)"))", "llm-api-key:anthropic"),
        (
            "a password, not padded", "/", "authorization: bASIC  \(basic("u:\(own)", padded: false))",
            "llm-api-key:anthropic"
        ),
        (
            "a password between what is no Base64", "/", "Authorization: Basic\t.\(basic("user:\(own)"))",
            "llm-api-key:anthropic"
        ),
        ("a field's name", "/", "\(own): 1", "llm-api-key:anthropic"),
        ("a user", "/", "Proxy-Authorization: Basic \(basic("\(other):"))", ""),
        ("another password", "/", "Authorization: Basic \(basic("user:sk-ant-real"))", nil),
        ("no Base64", "/", "Authorization: Basic ****", nil),
        ("the prefix in words", "/docs/sk-aibox-keys", "Referer: http://x.example/sk-ant-aibox-", nil),
        ("fewer digits than it could have", "/sk-aibox-0123456789abcde", "A: b", nil),
        ("cut off", "/sk-aibox-0123456789abcdef", "A: b", ""),
        ("what begins like it, before it", "/sk-sk-sk-ant-sk-\(own)", "A: b", "llm-api-key:anthropic"),
    ]

    @Test(
        "are found in targets and fields, as they are, percent-encoded and in Basic; the value is kept nowhere",
        arguments: heads)
    func finds(what: String, target: String, field: String, finds: String?) throws {
        let text = "GET \(target) HTTP/1.1\r\nHost: a.example\r\n\(field)\r\n\r\n"
        let inLines = Self.screen.find(lines: Array(text.utf8))
        #expect(inLines.map { $0.credential ?? "" } == finds)
        if what == "partly percent-encoded" { return }
        for form in [text, text.replacing("GET /", with: "GET http://a.example/")] {
            var parser = HTTPRequestHeadParser()
            guard case .head(let head, _) = parser.feed(Array(form.utf8)[...]) else {
                Issue.record("no head: \(form)")
                continue
            }
            #expect(Self.screen.find(in: head) == inLines)
        }
        for value in [Self.own, Self.other] { #expect(!"\(String(describing: inLines))".contains(value)) }
    }

    @Test("its digest is the one that the log has of its issue")
    func digest() throws {
        let found = Self.screen.find(in: Array("a \(Self.own) b".utf8))
        #expect(try found?.digest == String(SHA256.digest(Self.own).hex.prefix(8)))
    }

    @Test("without anything lent, what has the form is found all the same")
    func nothingLent() {
        let found = SurrogateScreen().find(in: Array(Self.own.utf8))
        #expect(found?.credential == nil && found != nil)
    }

    @Test("any bytes are read to their end, and a surrogate is found wherever it stands among them")
    func anywhere() {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<200 {
            let noise = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random)
                    : Array("sk-aibox-%\n: basic ".utf8).randomElement(using: &random) ?? 0
            }
            _ = Self.screen.find(lines: noise)
            let at = Int.random(in: 0...noise.count, using: &random)
            let text = Array(noise[..<at]) + Array(Self.own.utf8) + Array(noise[at...])
            #expect(Self.screen.find(lines: text) != nil)
        }
    }

    /// Through the machine: what the sandbox is answered, and that nobody outside is asked.
    @Test(
        "a request with one is refused with 403 before anybody is asked, listed or not",
        arguments: ["allowed.example", "denied.example"])
    func refused(host: String) throws {
        for (door, head) in [
            (EgressConnection.Door.proxy, "GET http://\(host)/\(Self.own) HTTP/1.1\r\nHost: \(host)\r\n\r\n"),
            (.proxy, "CONNECT \(host):443 HTTP/1.1\r\nHost: \(host):443\r\nX: \(Self.other)\r\n\r\n"),
            (.http, "POST / HTTP/1.1\r\nHost: \(host)\r\nx-api-key: \(Self.own)\r\nContent-Length: 1\r\n\r\na"),
        ] {
            var world = EgressWorld(door, try EgressConnectionTests.list())
            world.connection = EgressConnection(door: door, key: "SECRET", screen: Self.screen)
            world.client(head)
            #expect(world.clientText.hasPrefix("HTTP/1.1 403 ") && world.clientText.contains("credential.elsewhere"))
            #expect(!world.clientText.contains(Self.own) && !world.clientText.contains(Self.other))
            #expect(world.denials == [.credentialElsewhere] && world.isClientClosed)
            #expect(world.asked.isEmpty && world.recorded.isEmpty && world.toSquid.isEmpty)
        }
    }

    @Test("the second request of a connection is looked at as the first, and the attempt holds no part of it")
    func second() throws {
        var connection = EgressConnection(door: .proxy, key: "SECRET", screen: Self.screen)
        let actions = connection.received(
            Array("GET http://\(Self.other).example/x/\(Self.own) HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8))
        guard case .denied(let denial, let attempt)? = actions.first else {
            Issue.record("not refused: \(actions)")
            return
        }
        #expect(denial.status == 403 && attempt == EgressAttempt(host: nil, port: 80, method: "GET"))
        var world = EgressWorld(.proxy, try EgressConnectionTests.list())
        world.connection = EgressConnection(door: .proxy, key: "SECRET", screen: Self.screen)
        world.client("GET http://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\n\r\n")
        world.squid("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(world.recorded.count == 1)
        world.client("GET http://allowed.example/?\(Self.own) HTTP/1.1\r\nHost: allowed.example\r\n\r\n")
        #expect(world.denials == [.credentialElsewhere] && world.recorded.count == 1)
    }

    @Test("to the broker itself it is no finding, whatever becomes of the request")
    func broker() throws {
        var world = EgressWorld(.proxy, try EgressConnectionTests.list())
        world.connection = EgressConnection(door: .proxy, key: "SECRET", screen: Self.screen)
        world.client("GET http://10.200.1.1:8443/ HTTP/1.1\r\nHost: 10.200.1.1:8443\r\nx-api-key: \(Self.own)\r\n\r\n")
        #expect(world.denials == [.addressLiteral])
    }
}
