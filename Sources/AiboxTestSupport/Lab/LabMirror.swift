public import AiboxSystem

/// A mirror of packages on loopback, over TLS, that lets one user in (Tests/lab/mirror_server.py), and has what
/// `publish` puts there (Tests/lab/packages.py).
public final class LabMirror: Sendable {
    /// Random, so that it is in nothing by chance.
    public let secret = "canary-\(UInt64.random(in: .min ... .max))"
    public let user = "aibox"
    public let port: UInt16
    /// PEM of who issued its certificate.
    public let authority: String
    /// The name that its certificate is for; no name of this machine's.
    public static let name = "mirror.lab.example"
    private let folder: TemporaryFolder
    private let server: LabProcess

    public init() throws(AiboxError) {
        folder = try TemporaryFolder(prefix: "aibox-mirror")
        let root = folder.path
        try Folder.make(root + "/files")
        let issued = try LabAuthority(folder: root).issue([Self.name])
        authority = root + "/authority.crt"
        try File.replace(root + "/password", with: "\(user):\(secret)")
        server = try LabProcess(
            Command("python3", [Lab.programs + "/mirror_server.py", issued[0].path, root]), ready: "ready")
        guard let port = UInt16(try File.text(root + "/port")) else {
            throw AiboxError(.failed, "the lab's mirror did not start")
        }
        self.port = port
    }

    /// Puts one package for each package manager there.
    public func publish() throws(AiboxError) {
        try SystemCommandRunner().require(
            Command(
                "python3", [Lab.programs + "/packages.py", folder.path + "/files", "https://\(Self.name):\(port)"]),
            "cannot publish the lab's packages")
    }

    /// Lets these passwords in from now on, each told by its number in `requests` (`which`).
    public func accept(_ secrets: [String]) throws(AiboxError) {
        try File.replace(folder.path + "/password", with: secrets.map { "\(user):\($0)" }.joined(separator: "\n"))
    }

    /// `host:port`
    public var place: String { "\(Self.name):\(port)" }

    public func file(_ path: String) throws(AiboxError) -> [UInt8] { try File.read(folder.path + "/files/" + path) }

    /// A line of JSON each: method, path, whether the credential came with it, names of the fields, bytes of the body.
    public var requests: [String] {
        ((try? File.text(folder.path + "/requests.jsonl")) ?? "").split(separator: "\n").map(String.init)
    }
}
