import AiboxConfig
import AiboxSystem

/// How a sandbox, and nothing else, trusts the authority that opens its inspected tunnels: the image's authorities with this
/// one among them lie in the place of the image's, and variables tell programs that keep a list of their own.
///
/// The authority is made by the gateway at its start; its key never leaves the gateway, and both end with it.
struct SandboxTrust: Sendable {
    var secrets: [SandboxSpec.Secret] = []

    /// The certificate alone.
    static let authorityPath = "/run/aibox/authority.crt"
    /// What Debian's programs trust, and curl, git, Python and Ruby with them.
    static let bundlePath = "/etc/ssl/certs/ca-certificates.crt"
    /// The same as a list of Java's own.
    static let keystorePath = "/run/aibox/authorities.jks"
    static let purposes = ["authority", "authorities", "authorities-java"]

    var environment: [SandboxSpec.Variable] {
        if secrets.isEmpty { return [] }
        let bundle = [
            "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO",
        ]
        return bundle.map { SandboxSpec.Variable($0, Self.bundlePath) }
            // Node adds it to its own list.
            + [SandboxSpec.Variable("NODE_EXTRA_CA_CERTS", Self.authorityPath)]
            // Every Java machine reads it, whoever starts it, and says so.
            + [SandboxSpec.Variable("JAVA_TOOL_OPTIONS", "-Djavax.net.ssl.trustStore=\(Self.keystorePath)")]
    }
}

extension SandboxContext {
    /// Takes back what the sandbox was given to trust, once its container is gone.
    func endTrust(_ name: SandboxName) throws(AiboxError) {
        let folder = try paths.sandboxState(name.text)
        // Files that Docker's containers are shown are kept for one stay only.
        if case .docker(let docker) = try engine(of: name) {
            for file in try docker.requests.fileNames(prefix: name.container + "-") where isSecret(file, of: name) {
                try docker.requests.removeFile(file)
            }
            return
        }
        let markers = SandboxTrust.purposes.map { folder + "/" + SandboxPreparation.marker + $0 }.filter(File.exists)
        var secrets: [String] = []
        for marker in markers { secrets.append(try File.text(marker)) }
        if secrets.isEmpty { return }
        try podman.removeSecrets(secrets)
        for marker in markers { try File.remove(marker) }
    }
}

extension Podman {
    /// A text file of an image; nil if it is not there.
    func file(_ path: String, of image: String) throws(AiboxError) -> String? {
        let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        let result = try run(
            ["run", "--rm", "--network", "none"] + limits + ["--read-only", "--entrypoint", "cat", image, path])
        if result.succeeded { return result.text }
        // That is cat; podman's own failures are 125 and more (podman-run(1)).
        if result.termination == .exited(1) { return nil }
        throw AiboxError(.failed, "cannot read \(path) of the image", why: SafeText.escaped(result.errorText))
    }
}
