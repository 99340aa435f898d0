public import AiboxConfig
import AiboxCrypto
public import AiboxSystem
import AiboxWire
import Glibc

/// Where questions are told over the network: a POST of JSON, signed where there is a secret.
///
/// `Aibox-Signature: t=SECONDS,v1=HEX` has HMAC-SHA256 (RFC 2104), with the file's secret as key, over the seconds, a point
/// and the body. Only a 2xx answer takes the message; what else it says is not looked at.
public struct ApprovalWebhook: Sendable {
    public let url: String
    private let exchange: HTTPSExchange
    private let path: String
    private let secretPath: String?

    /// - Returns: nil where none is set.
    /// - Throws: `failed` if the URL is none that is used.
    public init?(_ settings: Configuration.Approvals, paths: Paths) throws(AiboxError) {
        if settings.webhook.isEmpty { return nil }
        url = settings.webhook
        let isPlain = url.hasPrefix("http://")
        let rest = url.dropFirst(isPlain ? 7 : 8)
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":", maxSplits: 1)
        guard isPlain || url.hasPrefix("https://"), let host = parts.first,
            let port = parts.count > 1 ? UInt16(parts[1]) : isPlain ? 80 : 443
        else { throw AiboxError(.failed, "cannot use approvals.webhook", why: "it is no URL") }
        var exchange = HTTPSExchange(host: String(host), port: port, timeout: .seconds(5), largestAnswer: 65_536)
        exchange.isPlain = isPlain
        self.exchange = exchange
        path = rest.count == authority.count ? "/" : String(rest.dropFirst(authority.count))
        secretPath = settings.webhookSecretPath.isEmpty ? nil : paths.absolute(settings.webhookSecretPath, base: "/")
    }

    /// - Throws: unless it is taken. It may be taken all the same: who hangs up has maybe read it.
    public func send(_ message: ApprovalMessage, now: Timestamp) throws(AiboxError) {
        let body = message.json.bytes
        var headers = [
            ("User-Agent", "aibox-approvals"), ("Content-Type", "application/json"),
            ("Aibox-Event", "approval.request"), ("Aibox-Delivery", message.delivery),
        ]
        if let key = try secret() {
            let signed = Array("\(now.seconds).".utf8) + body
            let mac = try HMACSHA256.authenticate(signed, key: key).hex
            headers.append(("Aibox-Signature", "t=\(now.seconds),v1=\(mac)"))
        }
        var exchange = exchange
        exchange.deadline = .now + .seconds(10)
        let answer = try exchange.send("POST", path, headers: headers, body: body)
        if (200..<300).contains(answer.status) { return }
        throw AiboxError(.failed, "the webhook does not take it", why: "it answers with status \(answer.status)")
    }

    private func secret() throws(AiboxError) -> [UInt8]? {
        guard let secretPath else { return nil }
        func unusable(_ why: String) -> AiboxError {
            AiboxError(.failed, "cannot use approvals.webhook_secret_path", why: why)
        }
        var status = stat()
        guard stat(secretPath, &status) == 0 else { throw unusable("there is no \(SafeText.escaped(secretPath))") }
        if status.st_mode & 0o077 != 0 {
            throw unusable("others may read it; chmod 600 \(SafeText.escaped(secretPath))")
        }
        let key = Array(try File.text(secretPath, limit: 4096).filter { !$0.isWhitespace }.utf8)
        if key.count < 16 { throw unusable("it has less than 16 bytes") }
        return key
    }
}
