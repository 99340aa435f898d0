public import AiboxSystem

/// A small internet in a network namespace of its own: origins with certificates of the lab's own
/// authority, a name server that writes down every question, UDP echo. No packet leaves it.
///
/// All addresses lie on the loopback interface of the namespace, so whatever runs inside (a Squid, say)
/// reaches them. They are of TEST-NET-2 and 3 (RFC 5737): a `TargetPolicy` has to name them.
public final class Lab: Sendable {
    public let network: NetworkNamespace
    public let folder: TemporaryFolder
    private let processes: [LabProcess]

    /// Where the names of `names` lead.
    public static let origin = "198.51.100.10"
    public static let otherOrigin = "198.51.100.20"
    public static let nameServer = "198.51.100.53"
    public static let originIPv6 = "2001:db8:1::10"
    /// The block that all of them lie in.
    public static let block = "198.51.100.0/24"

    /// Answers a question: a list of turns, each a list of addresses.
    public typealias Answers = [String: [[String]]]

    public static let names: Answers = [
        "allowed.test": [[origin]], "other.test": [[origin]], "denied.test": [[otherOrigin]],
        "api.allowed.test": [[origin]], "private.test": [["127.0.0.1"]], "linklocal.test": [["169.254.169.254"]],
        "mixed.test": [[origin, "10.1.2.3"]], "rebind.test": [[origin], ["127.0.0.1"]],
    ]

    /// - Parameter names: more or other names than `Lab.names`.
    public init(names: Answers = [:]) throws(AiboxError) {
        folder = try TemporaryFolder(prefix: "aibox-lab")
        network = try NetworkNamespace()
        for address in [Self.origin, Self.otherOrigin, Self.nameServer] {
            try network.run("ip", ["addr", "add", address + "/32", "dev", "lo"])
        }
        try network.run("ip", ["addr", "add", Self.originIPv6 + "/128", "dev", "lo", "nodad"])
        let table = Self.names.merging(names) { $1 }
        let authority = try LabAuthority(folder: folder.path)
        let certificates = try authority.issue(table.keys.sorted())
        let origins = try folder.write(
            "origin.json",
            JSONText.object([
                (
                    "addresses",
                    .list([.text(Self.origin), .text(Self.otherOrigin), .text(Self.originIPv6), .text("127.0.0.1")])
                ),
                ("http", .list([.number(80)])), ("https", .list([.number(443)])), ("udp", .list([.number(443)])),
                ("tls", .object(certificates.map { ($0.name, .text($0.path)) })),
                ("log", .text(folder.path + "/requests.jsonl")),
            ]).description)
        let answers = JSONText.object(
            table.sorted { $0.key < $1.key }.map { name, turns in
                (name, .list(turns.map { .list($0.map { .text($0) }) }))
            })
        let server = try folder.write(
            "nameserver.json",
            JSONText.object([
                ("addresses", .list([.text(Self.nameServer)])), ("port", .number(53)), ("ttl", .number(0)),
                ("names", answers), ("log", .text(folder.path + "/queries.jsonl")),
            ]).description)
        processes = [
            try LabProcess(network.command(Command("python3", [Self.program("origin.py"), origins])), ready: "ready"),
            try LabProcess(
                network.command(Command("python3", [Self.program("nameserver.py"), server])), ready: "ready"),
        ]
    }

    /// The certificate that all origins' certificates are signed with.
    public var authorityFile: String { folder.path + "/authority.crt" }

    /// What the origins were asked, a JSON object a line.
    public var requests: [String] { lines("requests.jsonl") }
    /// What the name server was asked, a JSON object a line.
    public var queries: [String] { lines("queries.jsonl") }

    private func lines(_ name: String) -> [String] {
        ((try? File.text(folder.path + "/" + name)) ?? "").split(separator: "\n").map(String.init)
    }

    /// curl inside the lab's namespace.
    public func curl(_ arguments: [String]) throws(AiboxError) -> CommandResult {
        try SystemCommandRunner().run(
            network.command(Command("curl", ["-sS", "-m", "10", "--cacert", authorityFile] + arguments)))
    }

    /// Where its programs are: beside the tests that were copied for another user, else in the package, four steps above
    /// Sources/AiboxTestSupport/Lab/Lab.swift.
    public static let programs: String = {
        let beside = Path.real("/proc/self/exe").map { Path.parent($0) + "/lab" }
        if let beside, File.isDirectory(beside) { return beside }
        return (0..<4).reduce(#filePath) { path, _ in Path.parent(path) } + "/Tests/lab"
    }()

    private static func program(_ name: String) -> String { programs + "/" + name }
}
