extension EgressDenial {
    /// The whole answer to an HTTP request.
    public var response: [UInt8] {
        let phrases = [
            400: "Bad Request", 413: "Content Too Large", 429: "Too Many Requests", 503: "Service Unavailable",
        ]
        let body = Array(json.utf8)
        let head =
            "HTTP/1.1 \(status) \(phrases[status] ?? "Forbidden")\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.count)\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        return Array(head.utf8) + body
    }

    init(_ refusal: HTTPRefusal) {
        self.init(
            .malformed, rule: "http-syntax", reason: refusal.reason,
            nextSteps: ["Send a plain HTTP/1.1 request (RFC 9112)."])
    }

    static func otherScheme(_ scheme: String) -> EgressDenial {
        EgressDenial(
            .schemeNotAllowed, rule: "http-syntax",
            reason: "\(scheme) cannot be asked for in the clear; https goes through CONNECT",
            nextSteps: ["Use CONNECT for https."])
    }

    static func hostMismatch(_ written: String, _ name: HostName) -> EgressDenial {
        EgressDenial(
            .hostMismatch, rule: "one-identity", reason: "the Host field names another host than \(name)",
            nextSteps: ["Send a Host field that matches the request target."])
    }

    static func sniMismatch(_ name: HostName, _ expected: HostName) -> EgressDenial {
        EgressDenial(
            .sniMismatch, rule: "one-identity", reason: "TLS asks for \(name) in a tunnel to \(expected)",
            nextSteps: ["Use the same name for the connection and for TLS."])
    }

    static let sniMissing = EgressDenial(
        .sniMissing, rule: "one-identity", reason: "TLS names no host (no SNI)",
        nextSteps: ["Connect by name, with a client that sends SNI."])

    static let encryptedHello = EgressDenial(
        .encryptedHello, rule: "one-identity", reason: "the ClientHello is encrypted, so its host cannot be checked",
        nextSteps: ["Switch Encrypted ClientHello (ECH, GREASE included) off in the client."])

    static let notTLS = EgressDenial(
        .notTLS, rule: "tls-only", reason: "something other than TLS was sent in a tunnel",
        nextSteps: ["Use https."])

    static let brokenHello = EgressDenial(
        .malformed, rule: "tls-only", reason: "the ClientHello cannot be read",
        nextSteps: ["Use a standard TLS client."])
}
