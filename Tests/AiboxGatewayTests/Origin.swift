import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import Glibc

/// A web server on a loopback address of the host, with a certificate of its own authority. No packet leaves the machine.
final class Origin {
    /// Other runs of these tests may go on beside this one.
    static let address = "127.\(100 + getpid() >> 16 % 100).\(getpid() >> 8 % 256).\(getpid() % 256)"
    static let http: UInt16 = 18_080
    static let https: UInt16 = 18_443

    let folder: TemporaryFolder
    private let process: LabProcess

    /// Names that lead to it.
    static let names = ["allowed.test", "other.test", "denied.test", "slow.test", "api.allowed.test", "paths.test"]

    init() throws {
        folder = try TemporaryFolder(prefix: "aibox-origin")
        let run = { (arguments: [String]) throws in
            _ = try SystemCommandRunner().require(Command("openssl", arguments), "openssl makes no certificate")
        }
        let base = folder.path
        let new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try run(
            ["req", "-x509"] + new + [
                "-days", "2", "-subj", "/CN=origin", "-keyout", base + "/key", "-out", base + "/ca.crt", "-addext",
                "subjectAltName=" + Self.names.map { "DNS:" + $0 }.joined(separator: ","),
            ])
        try folder.write("cert.pem", try File.text(base + "/ca.crt") + File.text(base + "/key"))
        let tls = Self.names.map { "\"\($0)\":\"\(base)/cert.pem\"" }.joined(separator: ",")
        let settings = try folder.write(
            "origin.json",
            """
            {"addresses": ["\(Self.address)"], "http": [\(Self.http)], "https": [\(Self.https)], "udp": [],
             "tls": {\(tls)}, "log": "\(base)/requests.jsonl"}
            """)
        process = try LabProcess(Command("python3", [Lab.programs + "/origin.py", settings]), ready: "ready")
    }

    var authority: String { folder.path + "/ca.crt" }

    /// What it was asked, a JSON object a line.
    var requests: [String] {
        ((try? File.text(folder.path + "/requests.jsonl")) ?? "").split(separator: "\n").map(String.init)
            .filter { $0.contains("\"method\"") }
    }

    /// A plan that lists the first names, with the origin's address opened.
    static func plan(
        _ more: [AllowRuleSource] = [], hosts: [String] = ["allowed.test", "other.test"], opened: Bool = true
    ) -> EgressPlan {
        EgressPlan(
            allow: [
                AllowRuleSource(
                    id: "origin", hosts: hosts, ports: [Int(http), Int(https), 80, 443], schemes: ["http", "https"])
            ] + more,
            targets: opened ? [AddressRange(address + "/32")].compactMap(\.self) : [],
            names: names.compactMap { name in
                guard let host = try? HostName(name), let address = IPAddress(address) else { return nil }
                return EgressPlan.PinnedName(name: host, addresses: [address])
            })
    }
}
