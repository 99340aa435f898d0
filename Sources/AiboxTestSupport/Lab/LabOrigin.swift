public import AiboxSystem

/// A web server of the lab on a loopback address of the host, for sandboxes whose organisation's policy opens that address.
///
/// No packet leaves the machine. Ordinary users can run it: its ports are high.
public final class LabOrigin: Sendable {
    public let address: String
    public let http: UInt16
    public let https: UInt16
    public let folder: TemporaryFolder
    private let process: LabProcess

    /// Names that its certificate has and that a policy pins to its address.
    public static let names = ["allowed.test", "other.test", "denied.test", "paths.test"]

    /// - Parameters:
    ///   - number: tells origins that run at the same time apart: 1 to 200.
    ///   - https: nil: a port of its own.
    public init(_ number: Int, https: UInt16? = nil) throws(AiboxError) {
        address = "127.0.1.\(number)"
        let base = UInt16(19_000 + number * 10)
        (http, self.https) = (base, https ?? base + 1)
        folder = try TemporaryFolder(prefix: "aibox-origin")
        let place = folder.path
        try SystemCommandRunner().require(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj",
                    "/CN=lab origin", "-keyout", place + "/key", "-out", place + "/ca.crt", "-addext",
                    "subjectAltName=" + Self.names.map { "DNS:" + $0 }.joined(separator: ","),
                ]), "openssl makes no certificate")
        try folder.write("cert.pem", try File.text(place + "/ca.crt") + File.text(place + "/key"))
        let settings = try folder.write(
            "origin.json",
            JSONText.object([
                ("addresses", .list([.text(address)])), ("http", .list([.number(Int(http))])),
                ("https", .list([.number(Int(self.https))])), ("udp", .list([])),
                ("tls", .object(Self.names.map { ($0, .text(place + "/cert.pem")) })),
                ("files", .text(place + "/files")), ("log", .text(place + "/requests.jsonl")),
            ]).description)
        process = try LabProcess(Command("python3", [Lab.programs + "/origin.py", settings]), ready: "ready")
    }

    /// The certificate that signs its own.
    public var authority: String { folder.path + "/ca.crt" }

    /// What it was asked, a JSON object a line.
    public var log: String { (try? File.text(folder.path + "/requests.jsonl")) ?? "" }

    /// An organisation's policy that lists `allowed.test` (and `paths.test` below /public/) and opens this origin's address.
    ///
    /// - Parameter more: further entries of the allow-list, a line each.
    public func policy(hosts: [String] = ["allowed.test"], runtime: String = "gvisor", more: [String] = []) -> String {
        let names = Self.names.map { "    - {name: \($0), addresses: [\(address)]}" }.joined(separator: "\n")
        let ports = Set([80, 443, http, https]).sorted().map { "\($0)" }.joined(separator: ", ")
        return """
            version: 1
            runtime: {engine: gvisor, fallback: [\(runtime == "gvisor" ? "" : runtime)]}
            network:
              allow:
                - {id: lab, hosts: [\(hosts.joined(separator: ", "))], ports: [\(ports)], schemes: [http, https]}
                - {id: paths, hosts: [paths.test], ports: [\(http)], schemes: [http], methods: [GET], paths: ["/public/**"]}
            \(more.map { "    - " + $0 }.joined(separator: "\n"))
              targets: [\(address)/32]
              names:
            \(names)
              authorities: [\(authority)]

            """
    }
}
