import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// The attacks of Tests/lab/attack.py, which real sandboxes make once, from a process that no sandbox holds.
    @Suite("Gateway attacked again and again")
    struct RedTeamTests {
        private static let times = 20

        @Test("twenty times each, none gets through, and each refusal is one record")
        func attacks() throws {
            let origin = try Origin()
            chmod(origin.folder.path, 0o755)
            var plan = Origin.plan(
                [
                    AllowRuleSource(
                        id: "paths", hosts: ["paths.test"], ports: [Int(Origin.http)], schemes: ["http"],
                        methods: ["GET"], paths: ["/public/**"]),
                    AllowRuleSource(
                        id: "opened", hosts: ["paths.test"], ports: [Int(Origin.https)], methods: ["GET"],
                        paths: ["/public/**"]),
                ], hosts: ["allowed.test"])
            plan.originAuthorities = [origin.authority]
            let gateway = try LiveGateway(plan: plan)
            try gateway.client.serving()
            let text = try gateway.run(
                gateway.inBox(
                    "/usr/bin/python3",
                    [Lab.programs + "/attack.py", "\(Origin.http)", "\(Origin.https)", Origin.address, "\(Self.times)"]),
                timeout: .seconds(300))
            let found = text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
            let requests = origin.requests
            var attacks = 0
            for row in found {
                let arrived = requests.contains {
                    $0.contains("canary-\(row[0])\"") || $0.contains("canary-\(row[0]) ")
                }
                if !row[0].hasPrefix("A") {
                    #expect(row[1] == "200" && arrived, "the control: \(row)")
                } else {
                    attacks += 1
                    #expect(!arrived && row[1] != "200" && !row[1].hasPrefix("error"), "\(row)")
                }
            }
            #expect(attacks >= 88)
            #expect(!requests.contains { $0.contains("secret") || $0.contains("denied.test") })
            // What Squid refuses is told a moment later.
            let expected = attacks * Self.times
            _ = eventually { (try? gateway.events("network.deny").count) == expected }
            #expect(try gateway.events("network.deny").count == expected)
            // A05: a listed name that the client itself takes to be elsewhere.
            let elsewhere = ["-sS", "-m", "10", "--noproxy", "*", "--resolve", "allowed.test:80:203.0.113.7"]
            let answer = try SystemCommandRunner().run(
                gateway.inBox("curl", elsewhere + ["http://allowed.test/canary"]))
            #expect(!answer.succeeded && answer.text.isEmpty, "\(answer.text)")
            #expect(!origin.requests.contains { $0.contains("/canary\"") })
            #expect(
                eventually {
                    (try? gateway.events("network.deny").contains {
                        $0.json["details"]?["rule"]?.stringValue == "pre.foreign-tcp"
                    }) == true
                })
        }
    }
}
