import AiboxAudit
import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

@testable import AiboxGateway

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// What the gateway's own log promises: complete, and no action without it unless the organisation says otherwise.
    @Suite("Gateway audit")
    struct AuditTests {
        private func get(_ gateway: LiveGateway, _ url: String) throws -> String {
            try SystemCommandRunner().run(
                gateway.inBox(
                    "curl",
                    ["-sS", "-m", "20", "-o", "/dev/null", "-x", "http://10.200.1.1:3128", "-w", "%{http_code}", url])
            ).text
        }

        @Test(
            "a full disk stops what the sandbox asks for, unless gaps are permitted: then they are marked",
            arguments: [false, true])
        func fullDisk(marksGaps: Bool) throws {
            let origin = try Origin()
            let holder = try TemporaryFolder(prefix: "aibox-disk")
            let disk = try SmallDisk(holder.path + "/audit")
            let gateway = try LiveGateway(plan: Origin.plan()) { settings in
                settings.audit = .init(
                    folder: disk.folder, checkpoints: settings.audit.checkpoints, session: "test", marksGaps: marksGaps)
            }
            try gateway.client.serving()
            let url = "http://allowed.test:\(Origin.http)/"
            let events = { (type: String) throws -> [AuditRecord] in
                var tail = try AuditTail(folder: disk.folder, count: 1_000_000)
                return try tail.next().filter { $0.type == type }
            }
            #expect(try get(gateway, url) == "200")
            #expect(eventually { (try? events("network.end").count) == 1 })

            try disk.fill(gateway.ready.pid)
            // The file's last page may have room for a few events more; twelve requests fill several.
            let statuses = try (0..<12).map { _ in try get(gateway, url) }
            #expect(statuses.filter { $0 == "200" }.count == origin.requests.count - 1, "\(statuses)")
            #expect(statuses.suffix(6).allSatisfy { ($0 == "200") == marksGaps }, "\(statuses)")
            if !marksGaps { #expect(try events("network.allow").count == origin.requests.count, "no audit, no action") }
            // A refusal needs no log to be one.
            #expect(try get(gateway, "http://denied.test/") != "200")

            try disk.free(gateway.ready.pid)
            #expect(eventually { (try? get(gateway, url)) == "200" })
            let gaps = try events("audit.gap")
            #expect(gaps.count == (marksGaps ? 1 : 0))
            if marksGaps {
                // Each request has two events; what is not there is counted.
                let missing = try #require(gaps.first?.json["details"]?["events"]?.wholeNumber)
                let all = origin.requests.count * 2 + 1
                let told = { () throws -> Int in
                    try ["network.allow", "network.end", "network.deny"].reduce(0) { $0 + (try events($1).count) }
                }
                #expect(missing > 8 && eventually { (try? told()) == all - Int(missing) }, "\(missing) of \(all)")
            }
            try gateway.process.stop()
            let finding = try AuditVerifier(folder: disk.folder).run().finding
            #expect(finding == nil)
        }

        @Test(
            "packets that the filter drops are told of, each once, whether doors change meanwhile or the gateway ends")
        func packets() throws {
            let gateway = try LiveGateway(plan: EgressPlan())
            try gateway.client.serving()
            let knock = """
                import socket, sys
                for place, count in (("203.0.113.9", 5), ("10.200.1.1", 3)):
                    for port in range(count):
                        try: socket.create_connection((place, 7000 + port), 2)
                        except OSError: continue
                        sys.exit("let in")
                    for port in range(count):
                        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b"x", (place, 7000 + port))
                """
            let told = { () throws -> [String: Int64] in
                var packets: [String: Int64] = [:]
                for event in try gateway.events("network.deny") {
                    let details = event.json["details"]
                    packets[details?["rule"]?.stringValue ?? "?", default: 0] += details?["packets"]?.wholeNumber ?? 0
                }
                return packets
            }
            let once: [String: Int64] = [
                "pre.foreign-tcp": 5, "pre.foreign-udp": 5, "in.denied-tcp": 3, "in.denied-udp": 3,
            ]
            _ = try gateway.run(gateway.inBox("/usr/bin/python3", ["-c", knock]))
            #expect(eventually { (try? told()) == once }, "\((try? told()) ?? [:])")
            // The filter is replaced right behind the second round.
            _ = try gateway.run(gateway.inBox("/usr/bin/python3", ["-c", knock]))
            try gateway.client.forward(3000, hostPort: gateway.ready.sshPort + 5)
            _ = try gateway.run(gateway.inBox("/usr/bin/python3", ["-c", knock]))
            try gateway.process.stop()
            #expect(try told() == once.mapValues { $0 * 3 })
            #expect(try gateway.events().last?.type == "gateway.stop")
            #expect(try gateway.events("gateway.cutoff").isEmpty, "an end that was asked for is no loss")
        }
    }
}
