import AiboxNetwork
import AiboxWire

/// What is wrong with a head before anybody looks at its path: where it goes, what it asks of the connection.
struct RequestHeadRules: Sendable {
    /// `host:port` in lower case, as clients may call this proxy.
    var authorities: Set<String>
    /// Bytes of a body.
    var bodyLimit: Int

    /// Path and query of the target.
    func target(_ head: HTTPRequestHead) throws(BrokerRefusal) -> [UInt8] {
        if let host = head.host, !isOurs(host.host, host.port ?? 80) {
            throw .framing("the Host field names another server; this is the credential broker and leads nowhere else")
        }
        switch head.target {
        case .origin(let path): return path
        case .absolute(let scheme, let host, let port, let path):
            guard scheme == "http", isOurs(host, port),
                head.host.map({ $0.host == host && ($0.port ?? 80) == port }) ?? true
            else {
                throw .framing("the target is another server; this is the credential broker and leads nowhere else")
            }
            return path
        case .authority: throw .framing("this is no proxy for CONNECT")
        }
    }

    private func isOurs(_ host: String, _ port: UInt16) -> Bool { authorities.contains("\(host.lowercased()):\(port)") }

    /// What is asked of the connection itself.
    func checkConnection(_ head: HTTPRequestHead) throws(BrokerRefusal) {
        if head.fields.contains(where: { $0.is("upgrade") }) {
            throw BrokerRefusal(
                kind: .permission, rule: "http.upgrade", reason: "the proxy speaks HTTP alone, no WebSocket",
                closes: true)
        }
        if head.fields.contains(where: { $0.is("expect") && $0.text.lowercased() != "100-continue" }) {
            throw BrokerRefusal(
                kind: .invalid, rule: "http.framing", reason: "the Expect field is not 100-continue", closes: true,
                given: 417)
        }
    }

    /// For bodies that are read before they go on.
    func checkBody(_ head: HTTPRequestHead) throws(BrokerRefusal) {
        for field in head.fields where field.is("content-encoding") && field.text.lowercased() != "identity" {
            throw BrokerRefusal(
                kind: .invalid, rule: "llm.encoding",
                reason: "the body is compressed, so its model cannot be seen",
                nextSteps: ["Send the body as it is, without Content-Encoding."], closes: true, given: 415)
        }
        if case .length(let size) = head.body, size > bodyLimit { throw tooLarge }
    }

    var tooLarge: BrokerRefusal {
        BrokerRefusal(
            kind: .tooLarge, rule: "llm.size", reason: "the body is larger than \(bodyLimit) bytes", closes: true)
    }
}
