import AiboxNetwork
import AiboxWire

/// The request as the provider gets it.
enum ForwardedRequest {
    /// The head, with the real key in its place and no other.
    static func head(
        _ route: LLMRoute, method: String, _ grant: BrokerPlan.Grant, _ base: UpstreamBase,
        fields: [HTTPRequestHead.Field], bodyLength: Int?
    ) -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(1024)
        head += "\(method) \(base.prefix)\(route.path)\(route.query) HTTP/1.1\r\nHost: \(base.authority)\r\n".utf8
        CallerFields.forwarded(fields, into: &head)
        // What is encoded could not be read for the key or the cost.
        head += "Accept-Encoding: identity\r\n".utf8
        switch (grant.header ?? standardHeader(grant.api)).lowercased() {
        case "authorization": head += "Authorization: Bearer \(grant.secret)\r\n".utf8
        default: head += "\(grant.header ?? standardHeader(grant.api)): \(grant.secret)\r\n".utf8
        }
        if let bodyLength { head += "Content-Length: \(bodyLength)\r\n".utf8 }
        head += "\r\n".utf8
        return head
    }

    static func standardHeader(_ api: BrokerPlan.API) -> String { api == .anthropic ? "x-api-key" : "Authorization" }
}
