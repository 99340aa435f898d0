public import AiboxSystem
import Glibc

/// Servers of HTTP/2 over TLS on loopback, of which aibox shares no code.
public final class LabHTTP2: Sendable {
    public let port: UInt16
    /// PEM of who issued its certificate.
    public let authority: String
    /// The name that its certificate is for; no name of this machine's.
    public static let name = "h2.lab.example"
    private let folder: TemporaryFolder
    private let server: LabProcess

    /// One that does what the first segment of a path says (Tests/lab/http2_server.py).
    ///
    /// - Parameter streams: what it takes at once.
    public init(streams: Int = 100) throws(AiboxError) {
        folder = try TemporaryFolder(prefix: "aibox-http2")
        let issued = try LabAuthority(folder: folder.path).issue([Self.name])
        authority = folder.path + "/authority.crt"
        server = try LabProcess(
            // The system's own: the package python3-h2 is for that one.
            Command(
                "/usr/bin/python3", [Lab.programs + "/http2_server.py", issued[0].path, folder.path, String(streams)]),
            ready: "ready")
        guard let port = UInt16(server.answer) else {
            throw AiboxError(.failed, "the lab's HTTP/2 server did not start")
        }
        self.port = port
    }

    /// nginx before a server of HTTP/1.1 on loopback.
    ///
    /// - Parameters:
    ///   - upstream: its port.
    ///   - rules: of nginx's block `server`.
    public init(before upstream: UInt16, rules: String = "") throws(AiboxError) {
        folder = try TemporaryFolder(prefix: "aibox-nginx")
        let root = folder.path
        let issued = try LabAuthority(folder: root).issue([Self.name])
        authority = root + "/authority.crt"
        let port = try Lab.freePort()
        self.port = port
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(root)/\($0);" }
        try File.replace(
            root + "/nginx.conf",
            with: """
                daemon off; master_process off; worker_processes 1; pid \(root)/pid; error_log \(root)/log;
                events { worker_connections 1024; }
                http {
                  access_log off; \(paths.joined(separator: " "))
                  server {
                    listen 127.0.0.1:\(port) ssl http2; client_max_body_size 0;
                    ssl_certificate \(issued[0].path); ssl_certificate_key \(issued[0].path);
                    \(rules)
                    location / {
                      proxy_pass http://127.0.0.1:\(upstream); proxy_http_version 1.1; proxy_set_header Connection "";
                      proxy_buffering off; proxy_request_buffering off;
                    }
                  }
                }
                """)
        server = try LabProcess(
            Command("nginx", ["-c", root + "/nginx.conf", "-p", root, "-e", root + "/log"]), ready: nil)
        let deadline = ContinuousClock.now + .seconds(20)
        while !File.exists(root + "/pid") {
            if ContinuousClock.now > deadline { throw AiboxError(.failed, "nginx did not start") }
            usleep(10_000)
        }
    }

    /// A line of JSON each; see the program.
    public var requests: [String] {
        ((try? File.text(folder.path + "/requests.jsonl")) ?? "").split(separator: "\n").map(String.init)
    }

    /// Bytes of bodies that it has sent.
    public var sent: Int { Int((try? File.text(folder.path + "/sent")) ?? "") ?? 0 }
}
