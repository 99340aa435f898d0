public import AiboxSystem

/// A git server over smart HTTP on loopback that lets one user in: TLS, and once more without (Tests/lab/git_server.py).
/// It has one empty repository, `team/x.git`.
public final class LabGitServer: Sendable {
    /// Random, so that it is in nothing by chance.
    public let secret = "canary-\(UInt64.random(in: .min ... .max))"
    public let user: String
    /// Over TLS, and without.
    public let port: UInt16
    public let plainPort: UInt16
    /// PEM; it is for `localhost` and for `name`.
    public let certificate: String
    /// git as a stranger's: it asks nobody, reads no settings of this machine, and goes through no proxy of its own.
    public static let clientEnvironment: [String: String?] = [
        "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ASKPASS": "/bin/false", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.example",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.example", "http_proxy": nil, "https_proxy": nil,
        "HTTPS_PROXY": nil, "HTTP_PROXY": nil, "ALL_PROXY": nil,
    ]
    /// A name that is no name of this machine's.
    public static let name = "git.lab.example"
    private let folder: TemporaryFolder
    private let server: LabProcess

    public init(user: String = "x-access-token") throws(AiboxError) {
        self.user = user
        folder = try TemporaryFolder(prefix: "aibox-git")
        let root = folder.path
        try Folder.make(root + "/team")
        let runner = SystemCommandRunner()
        let lab = root + "/lab"
        try runner.require(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:\(Self.name)",
                    "-keyout", lab + ".key", "-out", lab + ".crt",
                ]), "openssl makes no certificate")
        certificate = lab + ".crt"
        try File.replace(lab + ".pem", with: try File.text(lab + ".crt") + File.text(lab + ".key"))
        try File.replace(root + "/password", with: user + ":" + secret)
        let repository = root + "/team/x.git"
        try runner.require(
            Command("git", ["init", "-q", "--bare", "-b", "main", repository]), "git makes no repository")
        // Else the server does not take a push (git-scm.com/docs/git-http-backend).
        try runner.require(
            Command("git", ["--git-dir", repository, "config", "http.receivepack", "true"]), "git sets nothing")
        server = try LabProcess(
            Command("python3", [Lab.programs + "/git_server.py", lab + ".pem", root]), ready: "ready")
        let ports = try File.text(root + "/ports").split(separator: " ").map { UInt16($0) }
        guard ports.count == 2, let port = ports[0], let plainPort = ports[1] else {
            throw AiboxError(.failed, "the lab's git server did not start")
        }
        self.port = port
        self.plainPort = plainPort
    }

    /// A line of JSON each: scheme, path, whether a credential was given, and whose.
    public var requests: [String] {
        ((try? File.text(folder.path + "/requests.jsonl")) ?? "").split(separator: "\n").map(String.init)
    }

    /// What a branch of its repository points to.
    public func head(_ branch: String = "main") throws(AiboxError) -> String {
        let result = try SystemCommandRunner().run(
            Command("git", ["--git-dir", folder.path + "/team/x.git", "rev-parse", "--verify", "-q", branch]))
        return result.text
    }
}
