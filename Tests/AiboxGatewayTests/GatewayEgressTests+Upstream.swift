import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    @Suite("Gateway behind a company's proxy")
    struct UpstreamTests {
        private static let port: UInt16 = 18_128
        /// Where the proxy's own connections come from: the origin tells.
        private static let source = "127.99.7.7"

        @Test("everything goes through it: plain, spliced and inspected; what is refused does not even reach it")
        func through() throws {
            let origin = try Origin()
            chmod(origin.folder.path, 0o755)
            let book = origin.folder.path + "/proxy.jsonl"
            let proxy = try LabProcess(
                Command(
                    "python3",
                    [
                        Lab.programs + "/proxy.py", Origin.address, "\(Self.port)", "robot:pass word", Self.source,
                        Origin.address, book,
                    ]), ready: "ready")
            defer { proxy.stop() }
            var plan = Origin.plan([
                AllowRuleSource(
                    id: "api", hosts: ["api.allowed.test"], ports: [Int(Origin.https)], methods: ["GET"],
                    paths: ["/v1/**", "/headers"])
            ])
            plan.upstream = .init(host: Origin.address, port: Self.port, login: "robot:pass%20word")
            plan.originAuthorities = [origin.authority]
            let gateway = try LiveGateway(plan: plan)
            try gateway.client.serving()
            let trusted = try origin.folder.write(
                "both.crt", try #require(gateway.ready.authority) + File.text(origin.authority))
            let ask = { (url: String, more: [String]) throws -> String in
                let arguments = ["-sS", "-m", "20", "--cacert", trusted, "-x", "http://10.200.1.1:3128"]
                return try SystemCommandRunner().run(
                    gateway.inBox("curl", arguments + ["-w", " %{http_code}"] + more + [url])
                ).text
            }
            let api = "https://api.allowed.test:\(Origin.https)"
            let rows: [(what: String, url: String, asked: String)] = [
                ("plain", GatewayEgressTests.http + "/", "GET \(GatewayEgressTests.http)/"),
                ("spliced", GatewayEgressTests.https + "/", "CONNECT allowed.test:\(Origin.https)"),
                ("inspected", api + "/v1/x", "CONNECT api.allowed.test:\(Origin.https)"),
            ]
            for (index, row) in rows.enumerated() {
                let answer = try ask(row.url, [])
                #expect(answer.hasSuffix(" 200") && answer.contains("from \(Self.source)"), "\(row.what): \(answer)")
                let lines = try File.text(book).split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
                let asked = lines.map { "\($0["method"]?.stringValue ?? "") \($0["target"]?.stringValue ?? "")" }
                #expect(asked.count == index + 1 && asked.last == row.asked, "\(row.what): \(asked)")
                #expect(lines.allSatisfy { $0["known"]?.truth == true }, "\(row.what): the login")
            }
            // What the sandbox writes inside an opened tunnel is refused before the proxy hears of it, as are other names.
            let seen = try File.text(book)
            #expect(try ask(api + "/other", []).contains("request_not_allowed"))
            #expect(try ask("http://denied.test:\(Origin.http)/", []).hasSuffix(" 403"))
            #expect(try ask("https://denied.test:\(Origin.https)/", []).hasSuffix(" 000"))
            #expect(try File.text(book) == seen)
            // The login is the host's: neither the origin nor the sandbox gets to see it.
            for url in [GatewayEgressTests.http + "/headers", api + "/headers"] {
                for more in [["-v"], ["-H", "Proxy-Authorization: Basic cm9vdDpyb290"]] {
                    let told = try ask(url, more)
                    #expect(
                        told.contains("\"method\": \"GET\"") && !told.lowercased().contains("proxy-auth"), "\(told)")
                }
            }
            // Without the proxy there is no way at all.
            proxy.stop()
            for row in rows { #expect(try !ask(row.url, []).contains("origin "), "\(row.what)") }
        }
    }
}
