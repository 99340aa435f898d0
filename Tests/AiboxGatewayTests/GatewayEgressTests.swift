import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

/// The way out as a process in the sandbox's namespace sees it.
@Suite("Gateway egress", .serialized)
struct GatewayEgressTests {
    private struct Answer {
        var exit: Int32
        var status: String
        var body: String
        var errors: String
    }

    private func curl(_ gateway: LiveGateway, _ origin: Origin, _ url: String, _ more: [String] = []) throws -> Answer {
        let arguments =
            ["-sS", "-m", "20", "--cacert", origin.authority, "-x", "http://10.200.1.1:3128", "-w", "\n%{http_code}"]
            + more + [url]
        let result = try SystemCommandRunner().run(gateway.inBox("curl", arguments))
        let lines = result.text.split(separator: "\n", omittingEmptySubsequences: false)
        return Answer(
            exit: result.termination.status, status: String(lines.last ?? ""),
            body: lines.dropLast().joined(separator: "\n"), errors: result.errorText)
    }

    private func serving(_ plan: EgressPlan) throws -> (LiveGateway, Origin) {
        let origin = try Origin()
        let gateway = try LiveGateway(plan: plan)
        try gateway.client.serving()
        return (gateway, origin)
    }

    static let http = "http://allowed.test:\(Origin.http)"
    static let https = "https://allowed.test:\(Origin.https)"

    @Test("what is listed passes, in the clear and spliced, and each request is one event")
    func allowed() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let plain = try curl(gateway, origin, Self.http + "/headers")
        #expect(plain.status == "200" && !plain.body.lowercased().contains("x-aibox"), "\(plain)")
        let spliced = try curl(gateway, origin, Self.https + "/")
        #expect(spliced.status == "200" && spliced.body.contains("origin"), "\(spliced)")
        #expect(origin.requests.count == 2)
        let events = try gateway.events("network.allow")
        #expect(events.map(\.subject) == ["allowed.test:18080", "allowed.test:18443"])
        #expect(events.allSatisfy { $0.json["details"]?["rule"]?.stringValue == "origin" })
        #expect(eventually { (try? gateway.events("network.end").count) == 2 })
        let ended = try gateway.events("network.end")
        #expect(ended.map { $0.json["details"]?["allow"]?.stringValue } == events.map(\.id))
        #expect(ended.allSatisfy { ($0.json["details"]?["bytes_in"]?.wholeNumber ?? 0) > 10 })
        #expect(try gateway.events("network.deny").isEmpty)
    }

    static let refused: [(what: String, url: String, more: [String], status: String, code: String)] = [
        ("an unlisted host", "http://denied.test:18080/", [], "403", "host_not_allowed"),
        ("an unlisted port", "http://allowed.test:18081/", [], "403", "port_not_allowed"),
        ("an address", "http://\(Origin.address):18080/", [], "403", "address_literal"),
        ("another host in Host", "http://allowed.test:18080/", ["-H", "Host: other.test"], "403", "host_mismatch"),
        ("https to an unlisted host", "https://denied.test:18443/", ["-D", "-"], "000", "host_not_allowed"),
    ]

    @Test("what is not listed is refused in JSON, and each refusal is one event")
    func refusals() throws {
        let (gateway, origin) = try serving(Origin.plan())
        for (index, entry) in Self.refused.enumerated() {
            let answer = try curl(gateway, origin, entry.url, entry.more)
            #expect(answer.status == entry.status, "\(entry.what): \(answer)")
            if entry.status == "403" { #expect(answer.body.contains("\"error\":\"\(entry.code)\""), "\(answer.body)") }
            let events = try gateway.events("network.deny")
            #expect(events.count == index + 1, "\(entry.what)")
            #expect(events.last?.json["details"]?["code"]?.stringValue == entry.code, "\(entry.what)")
            #expect(events.last?.outcome == "denied")
        }
        #expect(origin.requests.isEmpty)
        #expect(try gateway.events("network.allow").isEmpty)
        // The denial of a CONNECT is readable too.
        let answer = try curl(gateway, origin, "https://denied.test:18443/", ["-v"])
        #expect(answer.errors.contains("403 Forbidden"))
    }

    @Test("another name in TLS than in CONNECT goes nowhere")
    func fronting() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let answer = try curl(
            gateway, origin, "https://other.test:18443/", ["--connect-to", "other.test:18443:allowed.test:18443"])
        #expect(answer.exit != 0 && origin.requests.isEmpty)
        #expect(try gateway.events("network.deny").map { $0.json["details"]?["code"]?.stringValue } == ["sni_mismatch"])
        #expect(try gateway.events("network.allow").isEmpty, "one event a request")
    }

    @Test("a listed name that leads to an address nobody opened is refused in words")
    func privateTarget() throws {
        let (gateway, origin) = try serving(Origin.plan(opened: false))
        let answer = try curl(gateway, origin, Self.http + "/")
        #expect(answer.status == "403" && answer.body.contains("\"error\":\"private_target\""), "\(answer)")
        #expect(origin.requests.isEmpty)
    }

    @Test("with nothing on the list every request gets a 403, and no Squid runs")
    func nothing() throws {
        let (gateway, origin) = try serving(EgressPlan())
        let answer = try curl(gateway, origin, Self.http + "/")
        #expect(answer.status == "403" && answer.body.contains("not on the allow-list"), "\(answer)")
        #expect(!gateway.log.contains("squid serves"))
    }

    @Test("without a plan there is no door at all")
    func disabled() throws {
        let origin = try Origin()
        let gateway = try LiveGateway()
        try gateway.client.serving()
        let answer = try curl(gateway, origin, Self.http + "/")
        #expect(answer.status == "000" && answer.errors.contains("Failed to connect"), "\(answer)")
    }

    @Test("clients that know no proxy get the same verdict on ports 80 and 443")
    func transparent() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let direct = { (url: String, name: String) throws -> Answer in
            try self.curl(gateway, origin, url, ["--noproxy", "*", "--resolve", "\(name):10.200.1.1", "-k"])
        }
        let refused = try direct("http://denied.test/", "denied.test:80")
        #expect(refused.status == "403" && refused.body.contains("host_not_allowed"), "\(refused)")
        let closed = try direct("https://denied.test/", "denied.test:443")
        #expect(closed.exit != 0 && closed.status == "000")
        #expect(try gateway.events("network.deny").count == 2)
        // Allowed: nobody serves the origin's port 80, so Squid says that it cannot connect.
        let passed = try direct("http://allowed.test/", "allowed.test:80")
        #expect(passed.status == "503" && passed.body.contains("ERR_CONNECT_FAIL"), "\(passed.status)")
        _ = try direct("https://allowed.test/", "allowed.test:443")
        #expect(try gateway.events("network.allow").map(\.subject) == ["allowed.test:80", "allowed.test:443"])
    }

    @Test("Squid killed: nothing passes, in words; it comes back by itself, and both are told")
    func squidKilled() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let pid = try #require(Self.squid(gateway))
        // While it is stopped, what is on its way waits; killed, it ends.
        kill(pid, SIGKILL)
        #expect(eventually { (try? gateway.events("gateway.cutoff").count) == 1 })
        var statuses: [String] = []
        #expect(
            eventually {
                let status = (try? curl(gateway, origin, Self.http + "/").status) ?? ""
                statuses.append(status)
                return status == "200"
            }, "\(statuses)")
        #expect(statuses.dropLast().allSatisfy { $0 == "503" })
        #expect(try #require(Self.squid(gateway)) != pid)
    }

    @Test("the end leaves no process, no file and no shared memory")
    func remains() throws {
        let before = Set(Self.sharedMemory())
        let (gateway, _) = try serving(Origin.plan())
        let pid = try #require(Self.squid(gateway))
        #expect(Set(Self.sharedMemory()) == before, "it needs none while it runs")
        let folder = geteuid() == 0 ? SquidPlace.rootful(runFolder: gateway.runFolder) : gateway.runFolder + "/squid"
        #expect(File.exists(folder + "/1/squid.conf"))
        try gateway.process.stop()
        #expect(!ProcessTable.isAlive(pid) && !File.exists(folder))
        #expect(Set(Self.sharedMemory()) == before)
    }

    @Test("a gateway that is killed takes Squid along")
    func gatewayKilled() throws {
        let (gateway, _) = try serving(Origin.plan())
        let pid = try #require(Self.squid(gateway))
        kill(gateway.ready.pid, SIGKILL)
        #expect(eventually { !ProcessTable.isAlive(pid) })
        #expect(eventually { (try? GatewayRemains.clear(gateway.runFolder)) == .absent })
        #expect(!File.exists(SquidPlace.rootful(runFolder: gateway.runFolder)))
    }

    @Test("ten megabytes go up and down unchanged in size, many at once")
    func volume() throws {
        let (gateway, origin) = try serving(Origin.plan())
        let file = origin.folder.path + "/upload"
        try File.replace(file, with: [UInt8](repeating: 7, count: 10 << 20))
        for base in [Self.http, Self.https] {
            let down = try curl(gateway, origin, base + "/big/10485760", ["-o", "/dev/null", "-w", "%{size_download}"])
            #expect(down.status.hasSuffix("10485760"), "\(down)")
            let up = try curl(gateway, origin, base + "/", ["--data-binary", "@" + file])
            #expect(up.body.contains("10485760"), "\(up)")
        }
        let urls = (0..<50).flatMap { _ in ["-o", "/dev/null", Self.https + "/big/100000"] }
        let many = try curl(gateway, origin, Self.https + "/", ["-Z", "--parallel-max", "50"] + urls)
        #expect(many.exit == 0, "\(many.errors)")
        #expect(try gateway.events("network.allow").count > 10, "some share a connection")
    }

    @Test("limits of a rule: bytes sent, requests a minute, connections at a time")
    func limits() throws {
        let rules = [
            AllowRuleSource(
                id: "small", hosts: ["slow.test"], ports: [Int(Origin.http), Int(Origin.https)],
                schemes: ["http", "https"], maxUpload: 1000),
            AllowRuleSource(
                id: "few", hosts: ["api.allowed.test"], ports: [Int(Origin.http)], schemes: ["http"],
                requestsPerMinute: 3),
        ]
        let (gateway, origin) = try serving(Origin.plan(rules))
        let data = ["--data-binary", String(repeating: "x", count: 5000)]
        let announced = try curl(gateway, origin, "http://slow.test:18080/", data)
        #expect(announced.status == "413" && announced.body.contains("upload_too_large"), "\(announced)")
        let chunked = try curl(gateway, origin, "http://slow.test:18080/", data + ["-H", "Transfer-Encoding: chunked"])
        #expect(chunked.status == "413" || chunked.exit != 0, "\(chunked)")
        let tunnelled = try curl(gateway, origin, "https://slow.test:18443/", data)
        #expect(tunnelled.exit != 0, "\(tunnelled)")
        let statuses = try (0..<5).map { _ in try curl(gateway, origin, "http://api.allowed.test:18080/").status }
        #expect(statuses == ["200", "200", "200", "429", "429"])
    }

    private static func squid(_ gateway: LiveGateway) -> Int32? {
        gateway.log.split(separator: "\n").last { $0.contains("squid serves") }?
            .split(separator: " ").first { $0.hasPrefix("pid=") }
            .flatMap { Int32($0.dropFirst(4)) }
    }

    private static func sharedMemory() -> [String] {
        ((try? Folder.names("/dev/shm")) ?? []).filter { $0.hasPrefix("aibox") && !$0.hasPrefix("aiboxtest") }
    }
}
