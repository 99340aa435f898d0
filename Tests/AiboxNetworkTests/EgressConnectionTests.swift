import AiboxNetwork
import Testing

/// Executes what an `EgressConnection` asks for, against an allow-list and a Squid that is only a record.
struct EgressWorld {
    var connection: EgressConnection
    var list: AllowList
    var unreachable: [String: EgressDenial] = [:]
    var toClient: [UInt8] = []
    var toSquid: [UInt8] = []
    var asked: [EgressRequest] = []
    var denials: [EgressDenial.Code] = []
    var isClientClosed = false
    var isTunnel = false
    var exchanges = 0
    var squidConnections = 0
    var recorded: [EgressRequest] = []
    var finished: [EgressTraffic] = []

    init(_ door: EgressConnection.Door, _ list: AllowList) {
        connection = EgressConnection(door: door, key: "SECRET")
        self.list = list
    }

    mutating func client(_ text: String, chunk: Int = .max) { client(Array(text.utf8), chunk: chunk) }

    mutating func client(_ bytes: [UInt8], chunk: Int = .max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(chunk)
            rest = rest.dropFirst(chunk)
            run(connection.received(Array(part)))
        }
    }

    mutating func squid(_ bytes: [UInt8]) { run(connection.upstreamReceived(bytes)) }
    mutating func squid(_ text: String) { squid(Array(text.utf8)) }

    mutating func run(_ actions: [EgressConnection.Action]) {
        for action in actions {
            switch action {
            case .ask(let request):
                asked.append(request)
                run(connection.decided(list.decide(request)))
            case .resolve(let host): run(connection.resolved(unreachable[host.text]))
            case .record(let request, _):
                recorded.append(request)
                run(connection.recorded(nil))
            case .finished(let traffic): finished.append(traffic)
            case .openUpstream:
                squidConnections += 1
                run(connection.upstreamConnected())
            case .sendUpstream(let bytes): toSquid += bytes
            case .sendClient(let bytes): toClient += bytes
            case .startTunnel: isTunnel = true
            case .startExchange: exchanges += 1
            case .denied(let denial, _): denials.append(denial.code)
            case .closeUpstream: break
            case .closeClient: isClientClosed = true
            }
        }
    }

    var clientText: String { String(decoding: toClient, as: UTF8.self) }
    var squidText: String { String(decoding: toSquid, as: UTF8.self) }
}

@Suite("Egress connections")
struct EgressConnectionTests {
    static func list() throws -> AllowList {
        try AllowList([
            AllowRuleSource(id: "a", hosts: ["allowed.example", "other.example"], ports: [443, 80]),
            AllowRuleSource(id: "up", hosts: ["up.example"], ports: [443, 80], maxUpload: 1000),
        ])
    }

    static let connect = "CONNECT allowed.example:443 HTTP/1.1\r\nHost: allowed.example:443\r\n\r\n"
    static let established = "HTTP/1.1 200 Connection established\r\n\r\n"

    /// What the gateway itself asks Squid for.
    static let asked =
        "CONNECT allowed.example:443 HTTP/1.1\r\nHost: allowed.example:443\r\nX-Aibox-Key: SECRET\r\n\r\n"

    @Test("a tunnel: no byte of it goes to Squid before the ClientHello proved the name", arguments: [1, 5, 100_000])
    func tunnel(chunk: Int) throws {
        var world = EgressWorld(.proxy, try Self.list())
        world.client(Self.connect, chunk: chunk)
        #expect(world.clientText == Self.established && world.squidText == Self.asked && world.recorded.count == 1)
        let hello = HelloBuilder.hello("Allowed.example")
        world.client(hello, chunk: chunk)
        #expect(world.squidText == Self.asked && world.recorded.count == 1)
        world.toSquid = []
        world.squid("HTTP/1.1 200 Connection established\r\n\r\n")
        world.squid("server")
        #expect(world.isTunnel && world.toSquid == hello && world.clientText == Self.established + "server")
        world.client("more")
        #expect(
            world.toSquid == hello + Array("more".utf8) && world.denials.isEmpty && !world.clientText.contains("SECRET")
        )
    }

    @Test(
        "what is refused on the proxy port, and never seen by Squid",
        arguments: [
            (
                "A21: an IPv4 address", "CONNECT 1.2.3.4:443 HTTP/1.1\r\nHost: 1.2.3.4:443\r\n\r\n",
                EgressDenial.Code.addressLiteral
            ),
            ("A21: an IPv6 address", "CONNECT [2606:4700::1111]:443 HTTP/1.1\r\nHost: x\r\n\r\n", .addressLiteral),
            ("a decimal address", "CONNECT 2130706433:443 HTTP/1.1\r\nHost: x\r\n\r\n", .addressLiteral),
            (
                "an unlisted host", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
                .hostNotAllowed
            ),
            (
                "A09: a suffix",
                "CONNECT allowed.example.evil.com:443 HTTP/1.1\r\nHost: allowed.example.evil.com\r\n\r\n",
                .hostNotAllowed
            ),
            (
                "A09: a prefix", "CONNECT evilallowed.example:443 HTTP/1.1\r\nHost: evilallowed.example\r\n\r\n",
                .hostNotAllowed
            ),
            (
                "A09: an empty label", "CONNECT .allowed.example:443 HTTP/1.1\r\nHost: allowed.example\r\n\r\n",
                .invalidName
            ),
            (
                "another port", "CONNECT allowed.example:22 HTTP/1.1\r\nHost: allowed.example:22\r\n\r\n",
                .portNotAllowed
            ),
            (
                "another host in Host", "CONNECT allowed.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n",
                .hostMismatch
            ),
            (
                "A11: an unlisted URI with a listed Host",
                "GET http://evil.example/ HTTP/1.1\r\nHost: allowed.example\r\n\r\n", .hostMismatch
            ),
            (
                "A11: a listed URI with an unlisted Host",
                "GET http://allowed.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", .hostMismatch
            ),
            (
                "https in the clear", "GET https://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\n\r\n",
                .schemeNotAllowed
            ),
            (
                "another scheme", "GET ftp://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\n\r\n",
                .schemeNotAllowed
            ),
            ("origin form at a proxy", "GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n", .malformed),
            (
                "A15: CL.TE",
                "POST http://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                .malformed
            ),
            (
                "A13: an ambiguous path",
                "GET http://allowed.example/a/..%2fb HTTP/1.1\r\nHost: allowed.example\r\n\r\n", .pathAmbiguous
            ),
            (
                "A19: a browser's word for it",
                "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\nUser-Agent: Mozilla/5.0\r\nX-Forwarded-For: 127.0.0.1\r\nX-Aibox-Key: SECRET\r\n\r\n",
                .hostNotAllowed
            ),
            ("SSH", "SSH-2.0-OpenSSH_9.2\r\n", .malformed),
            ("TLS without CONNECT", "\u{16}\u{3}\u{1}", .malformed),
        ])
    func refused(what: String, request: String, code: EgressDenial.Code) throws {
        var world = EgressWorld(.proxy, try Self.list())
        world.client(request)
        #expect(world.denials == [code] && world.isClientClosed && world.squidConnections == 0 && world.toSquid.isEmpty)
        #expect(world.clientText.hasPrefix("HTTP/1.1 4") && world.clientText.contains("\"error\":\"\(code.rawValue)\""))
        #expect(world.clientText.contains("Connection: close"))
        world.client("GET http://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\n\r\n")
        #expect(world.squidConnections == 0, "nothing is read after a refusal")
    }

    @Test("what is refused inside a tunnel", arguments: 0..<7)
    func insideTunnel(index: Int) throws {
        let ech = HelloBuilder(extensions: [HelloBuilder.serverName("allowed.example"), (0xfe0d, [0])]).records()
        let cases: [([UInt8], EgressDenial.Code)] = [
            (HelloBuilder.hello("evil.example"), .sniMismatch), (HelloBuilder.hello("other.example"), .sniMismatch),
            (HelloBuilder().records(), .sniMissing), (Array("SSH-2.0-x\r\n".utf8), .notTLS),
            (Array("GET / HTTP/1.1\r\n".utf8), .notTLS), (ech, .encryptedHello), ([22, 3, 1, 0, 0], .malformed),
        ]
        var world = EgressWorld(.proxy, try Self.list())
        world.client(Self.connect)
        world.client(cases[index].0)
        #expect(world.denials == [cases[index].1] && world.isClientClosed)
        #expect(world.squidText == Self.asked, "nothing of the sandbox's")
        #expect(
            world.recorded.count == 1 && world.finished.map(\.bytesUp) == [0], "that CONNECT was answered is told too")
    }

    @Test("a tunnel waits for Squid and for the record, whichever comes last, and for a Squid that takes over")
    func order() throws {
        let hello = HelloBuilder.hello("allowed.example")
        typealias Event = (inout EgressConnection) -> [EgressConnection.Action]
        let connected: Event = { $0.upstreamConnected() }
        let answered: Event = { $0.upstreamReceived(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)) }
        let spoken: Event = { $0.received(hello) }
        let recorded: Event = { $0.recorded(nil) }
        let lost: Event = { $0.upstreamEnded() }
        let orders: [(what: String, events: [Event])] = [
            ("Squid first", [connected, answered, spoken, recorded]),
            ("Squid while it is written down", [spoken, connected, answered, recorded]),
            ("Squid's answer last", [connected, spoken, recorded, answered]),
            ("Squid last", [spoken, recorded, connected, answered]),
            ("another Squid before the name", [connected, answered, lost, spoken, connected, recorded, answered]),
            ("another Squid before the record", [connected, answered, spoken, lost, recorded, connected, answered]),
            ("no Squid at first", [lost, spoken, connected, recorded, answered]),
            ("the record first", [recorded, connected, answered, spoken]),
            ("the name last", [connected, recorded, answered, spoken]),
            (
                "the record first, another Squid before the name",
                [recorded, connected, answered, lost, spoken, connected, answered]
            ),
        ]
        for (what, events) in orders {
            var connection = EgressConnection(door: .proxy, key: "SECRET")
            var actions = connection.received(Array(Self.connect.utf8))
            actions += connection.decided(.allow(EgressGrant(rule: "r", layer: "org")))
            actions += connection.resolved(nil)
            for event in events {
                #expect(!actions.contains(.sendUpstream(hello)), "\(what)")
                actions += event(&connection)
            }
            #expect(actions.suffix(2) == [.sendUpstream(hello), .startTunnel], "\(what): \(actions)")
            let opened = actions.filter { $0 == .openUpstream }.count
            #expect(opened == (what.contains("another") || what.contains("no Squid") ? 2 : 1), "\(what)")
        }
        // One that is refused, or ends, once everything waits for it.
        for end in [lost, { $0.upstreamReceived(Array("HTTP/1.1 403 Forbidden\r\n\r\n".utf8)) }] {
            var connection = EgressConnection(door: .proxy, key: "SECRET")
            _ = connection.received(Array(Self.connect.utf8))
            _ = connection.decided(.allow(EgressGrant(rule: "r", layer: "org")))
            for event in [{ $0.resolved(nil) }, connected, spoken, recorded] as [Event] { _ = event(&connection) }
            let actions = end(&connection)
            #expect(actions.contains(.closeClient) && !actions.contains(.sendUpstream(hello)))
        }
    }

    @Test("the transparent ports give the same verdicts")
    func transparent() throws {
        var tls = EgressWorld(.tls, try Self.list())
        tls.client(HelloBuilder.hello("allowed.example"), chunk: 3)
        #expect(
            tls.asked.map(\.host.text) == ["allowed.example"] && tls.squidText.hasPrefix("CONNECT allowed.example:443 ")
        )
        tls.toSquid = []
        tls.squid("HTTP/1.1 200 OK\r\n\r\n")
        #expect(tls.isTunnel && tls.toSquid == HelloBuilder.hello("allowed.example") && tls.toClient.isEmpty)

        var evil = EgressWorld(.tls, try Self.list())
        evil.client(HelloBuilder.hello("evil.example"))
        #expect(
            evil.denials == [.hostNotAllowed] && evil.toClient.first == 21 && evil.isClientClosed
                && evil.squidConnections == 0)

        var http = EgressWorld(.http, try Self.list())
        http.client("GET /x HTTP/1.1\r\nHost: allowed.example\r\n\r\n")
        #expect(http.squidText.hasPrefix("GET http://allowed.example/x HTTP/1.1\r\nHost: allowed.example\r\n"))

        var unlisted = EgressWorld(.http, try Self.list())
        unlisted.client("GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        #expect(unlisted.denials == [.hostNotAllowed] && unlisted.clientText.hasPrefix("HTTP/1.1 403"))
    }

    @Test("every request of a kept connection is decided", arguments: [1, 7, 100_000])
    func keepAlive(chunk: Int) throws {
        var world = EgressWorld(.proxy, try Self.list())
        world.client(
            "POST http://allowed.example/1 HTTP/1.1\r\nHost: allowed.example\r\nContent-Length: 3\r\n\r\nabc"
                + "GET http://other.example/a/../2 HTTP/1.1\r\nHost: other.example\r\n\r\n"
                + "GET http://evil.example/3 HTTP/1.1\r\nHost: evil.example\r\n\r\nGET http://allowed.example/4",
            chunk: chunk)
        #expect(world.asked.count == 1 && world.squidText.hasSuffix("\r\n\r\nabc"), "the second waits for the first")
        world.squid("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        world.squid("k")
        #expect(world.asked.count == 2 && world.squidText.contains("GET http://other.example/2 HTTP/1.1\r\n"))
        world.squid("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
        #expect(
            world.asked.count == 3 && world.denials == [.hostNotAllowed] && world.isClientClosed
                && world.squidConnections == 1)
        #expect(world.clientText.contains("HTTP/1.1 403") && !world.squidText.contains("evil.example"))
    }

    @Test(
        "a tunnel on a connection that carried plain requests goes out, over the same Squid or the next",
        arguments: [false, true])
    func tunnelAfterRequest(isSquidGone: Bool) throws {
        var world = EgressWorld(.proxy, try Self.list())
        world.client("GET http://other.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n")
        world.squid("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(world.exchanges == 1 && world.finished.count == 1)
        if isSquidGone { world.run(world.connection.upstreamEnded()) }
        (world.toSquid, world.toClient) = ([], [])
        world.client(Self.connect)
        #expect(world.clientText == Self.established && world.squidText == Self.asked)
        world.squid("HTTP/1.1 200 Connection established\r\n\r\n")
        world.client(HelloBuilder.hello("allowed.example"))
        #expect(world.isTunnel && world.toSquid == Array(Self.asked.utf8) + HelloBuilder.hello("allowed.example"))
        #expect(world.squidConnections == (isSquidGone ? 2 : 1) && world.recorded.count == 2 && world.denials.isEmpty)
    }

    @Test("a client that leaves once its host was looked up is one event, however far it came")
    func abandoned() throws {
        typealias Event = (inout EgressConnection) -> [EgressConnection.Action]
        let allowed: Event = { $0.decided(.allow(EgressGrant(rule: "r", layer: "org"))) }
        let resolved: Event = { $0.resolved(nil) }
        let hello: Event = { $0.received(HelloBuilder.hello("allowed.example")) }
        let part: Event = { $0.received([22, 3, 1]) }
        let recorded: Event = { $0.recorded(nil) }
        let connected: Event = { $0.upstreamConnected() }
        let answered: Event = { $0.upstreamReceived(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)) }
        let ended: Event = { $0.clientEnded() }
        let lost: Event = { $0.clientLost() }
        let get = "GET http://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\n\r\n"
        let rows: [(what: String, head: String, events: [Event])] = [
            ("nothing behind CONNECT", Self.connect, [allowed, resolved, ended, lost]),
            ("gone behind CONNECT", Self.connect, [allowed, resolved, connected, answered, lost]),
            ("a part of a ClientHello", Self.connect, [allowed, resolved, part, ended, lost]),
            ("said all before the answer", Self.connect, [allowed, ended, resolved, lost]),
            ("gone during the look-up", Self.connect, [allowed, lost, resolved]),
            ("a plain request, gone during the look-up", get, [allowed, lost, resolved]),
            ("gone while it is written down", Self.connect, [allowed, resolved, hello, lost, recorded]),
            ("gone before the ClientHello", Self.connect, [allowed, resolved, lost, recorded]),
            ("gone once it is written down", Self.connect, [allowed, resolved, recorded, lost]),
            ("a tunnel", Self.connect, [allowed, resolved, connected, answered, hello, recorded, ended, lost]),
        ]
        for (what, head, events) in rows {
            var connection = EgressConnection(door: .proxy, key: "SECRET")
            var actions = connection.received(Array(head.utf8))
            for event in events { actions += event(&connection) }
            let told = actions.filter { action in
                switch action {
                case .record: true
                case .denied(_, let attempt): attempt.host == "allowed.example"
                default: false
                }
            }
            #expect(told.count == 1 && connection.isClosed, "\(what): \(actions)")
            let ends = actions.filter { if case .finished = $0 { true } else { false } }.count
            #expect(
                ends
                    == (what.contains("written down") || what.contains("tunnel")
                        || what.contains("before the ClientHello") ? 1 : 0),
                "\(what)")
        }
    }

    @Test("fields that concern one connection, or us, do not travel")
    func forwardedFields() throws {
        var world = EgressWorld(.proxy, try Self.list())
        world.client(
            "POST http://allowed.example/%61 HTTP/1.1\r\nHost: allowed.example\r\nProxy-Authorization: Basic x\r\nConnection: X-Gone, Content-Length\r\n"
                + "X-Gone: 1\r\nX-Aibox-Key: forged\r\nUpgrade: h2c\r\nTE: trailers\r\nAccept: */*\r\nContent-Length: 1\r\n\r\nz"
        )
        #expect(
            world.squidText
                == "POST http://allowed.example/a HTTP/1.1\r\nHost: allowed.example\r\nAccept: */*\r\nContent-Length: 1\r\nX-Aibox-Key: SECRET\r\n\r\nz"
        )
    }

    @Test("uploads end at the limit")
    func uploads() throws {
        var announced = EgressWorld(.proxy, try Self.list())
        announced.client("POST http://up.example/ HTTP/1.1\r\nHost: up.example\r\nContent-Length: 1001\r\n\r\n")
        #expect(
            announced.denials == [.uploadTooLarge] && announced.clientText.hasPrefix("HTTP/1.1 413")
                && announced.squidConnections == 0)

        var chunked = EgressWorld(.proxy, try Self.list())
        chunked.client("POST http://up.example/ HTTP/1.1\r\nHost: up.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<11 { chunked.client("64\r\n" + String(repeating: "x", count: 100) + "\r\n") }
        #expect(chunked.denials == [.uploadTooLarge] && chunked.isClientClosed)

        var tunnel = EgressWorld(.tls, try Self.list())
        tunnel.client(HelloBuilder.hello("up.example"))
        tunnel.squid("HTTP/1.1 200 OK\r\n\r\n")
        tunnel.client([UInt8](repeating: 0, count: 2000))
        #expect(tunnel.denials == [.uploadTooLarge] && tunnel.isClientClosed && tunnel.toSquid.count < 1000)
    }

    @Test("a target that is not public is refused in words")
    func privateTarget() throws {
        var world = EgressWorld(.proxy, try Self.list())
        world.unreachable["allowed.example"] = EgressDenial(.privateTarget, reason: "127.0.0.1 is a loopback address")
        world.client(Self.connect)
        #expect(
            world.denials == [.privateTarget] && world.clientText.contains("127.0.0.1") && world.squidConnections == 0)
    }

    @Test("a Squid that is gone, refuses, or talks nonsense ends the connection")
    func squidFails() throws {
        let early = "HTTP/1.1 200 OK\r\n\r\nmore"
        for answer in ["", "HTTP/1.1 403 Forbidden\r\n\r\n", "nonsense\r\n\r\n", early] {
            var world = EgressWorld(.tls, try Self.list())
            world.client(HelloBuilder.hello("allowed.example"))
            if answer.isEmpty { world.run(world.connection.upstreamEnded()) } else { world.squid(answer) }
            #expect(world.denials == [.unavailable] && world.isClientClosed && !world.isTunnel, "\(answer)")
        }
        for answer in ["HTTP/1.1 101 Switching\r\n\r\n", "nonsense\r\n\r\n"] {
            var world = EgressWorld(.http, try Self.list())
            world.client("GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n")
            world.squid(answer)
            #expect(world.isClientClosed, "\(answer)")
        }
        var silent = EgressWorld(.http, try Self.list())
        silent.client("GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n")
        silent.run(silent.connection.upstreamEnded())
        #expect(silent.clientText.hasPrefix("HTTP/1.1 503") && silent.isClientClosed)
    }

    @Test("an open tunnel ends when the policy takes back what it allowed")
    func tightening() throws {
        var world = EgressWorld(.tls, try Self.list())
        world.client(HelloBuilder.hello("allowed.example"))
        world.squid("HTTP/1.1 200 OK\r\n\r\n")
        let request = try #require(world.connection.authorised?.request)
        #expect(AllowList.empty.decide(request).isAllowed == false)
        world.run(world.connection.abort(EgressDenial(.generationChanged, reason: "the policy was tightened")))
        #expect(world.isClientClosed && world.denials == [.generationChanged])
    }

    @Test("random bytes never reach Squid, however they are cut")
    func random() throws {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "CONNECT ", "GET ", "http://", "allowed.example", "evil.example", ":443", " HTTP/1.1\r\n", "Host: ", "\r\n",
            "\r\n\r\n",
            "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "\0", " ", "/", "X: y\r\n",
        ]
        let list = try Self.list()
        for _ in 0..<5000 {
            for door in [EgressConnection.Door.proxy, .http, .tls] {
                var world = EgressWorld(door, list)
                let text = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                    pieces.randomElement(using: &generator) ?? ""
                }.joined()
                world.client(text, chunk: Int.random(in: 1...9, using: &generator))
                if world.squidConnections > 0 { #expect(world.asked.allSatisfy { list.decide($0).isAllowed }) }
                #expect(!world.squidText.contains("evil"), "\(text)")
            }
        }
    }
}

@Suite("Limits of a destination")
struct EgressLimitsTests {
    @Test("requests in a minute refill evenly, connections are given back")
    func limits() {
        let start = ContinuousClock.now
        let grant = EgressGrant(rule: "r", layer: "org", rateLimit: .init(requestsPerMinute: 2, connections: 2))
        var limits = EgressLimits()
        #expect(limits.begin(grant, now: start) == nil)
        #expect(limits.begin(grant, now: start) == nil)
        #expect(limits.begin(grant, now: start)?.code == .tooManyConnections)
        limits.ended(grant)
        #expect(limits.begin(grant, now: start)?.code == .rateLimited)
        #expect(limits.begin(grant, now: start + .seconds(29))?.code == .rateLimited)
        #expect(limits.begin(grant, now: start + .seconds(31)) == nil)
        let free = EgressGrant(rule: "free", layer: "org")
        for _ in 0..<1000 { #expect(limits.begin(free, now: start) == nil) }
    }
}
