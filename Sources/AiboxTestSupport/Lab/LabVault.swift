public import AiboxSystem

/// A server on loopback that follows Vault's public API documents, dynamic secrets and leases included (Tests/lab/vault_server.py).
public final class LabVault: Sendable {
    /// Also holds what logins need: `token` (t-1), `secret-id` (s-1) and `jwt` (j-1), one a file.
    public let folder: TemporaryFolder
    public let port: String
    private let server: LabProcess

    /// - Parameter state: what the server's head describes.
    public init(_ state: String) throws(AiboxError) {
        folder = try TemporaryFolder(prefix: "aibox-vault")
        let base = folder.path + "/lab"
        try SystemCommandRunner().require(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", base + ".key",
                    "-out", base + ".crt",
                ]), "openssl makes no certificate")
        try File.replace(base + ".pem", with: try File.text(base + ".crt") + File.text(base + ".key"))
        try File.replace(folder.path + "/state.json", with: state)
        for (name, text) in [("token", "t-1\n"), ("secret-id", "s-1\n"), ("jwt", "j-1")] {
            try File.replace(folder.path + "/" + name, with: text)
        }
        server = try LabProcess(
            Command("python3", [Lab.programs + "/vault_server.py", base + ".pem", folder.path]), ready: "ready")
        port = try File.text(folder.path + "/port")
    }

    public var address: String { "https://localhost:" + port }
    /// PEM of its certificate.
    public var certificate: String { folder.path + "/lab.crt" }

    public func set(_ state: String) throws(AiboxError) { try File.replace(folder.path + "/state.json", with: state) }

    /// A line of JSON each: method, path, namespace, whether a token of its own was given.
    public var requests: [String] {
        get throws(AiboxError) {
            let path = folder.path + "/requests.jsonl"
            if !File.exists(path) { return [] }
            return try File.text(path).split(separator: "\n").map(String.init)
        }
    }

    /// How many leases are in that state: `live` or `revoked`.
    public func leases(_ state: String) -> Int {
        let text = (try? File.text(folder.path + "/leases.json")) ?? ""
        return text.split(separator: "\"state\": \"\(state)\"", omittingEmptySubsequences: false).count - 1
    }
}
