import AiboxNetwork
import AiboxWire

/// The request as the provider gets it.
enum ForwardedRequest {
    /// With the real key in its place and no other.
    ///
    /// - Parameter identity: who asks; for a gateway that is told so.
    static func request(
        _ route: LLMRoute, method: String, _ grant: BrokerPlan.Grant, _ base: UpstreamBase,
        fields: [HTTPRequestHead.Field], identity: [HTTPRequestHead.Field], bodyLength: Int?
    ) -> UpstreamRequest {
        var all = CallerFields.forwarded(fields)
        // What is encoded could not be read for the key or the cost.
        all.append(HTTPRequestHead.Field(name: "Accept-Encoding", value: Array("identity".utf8)))
        if grant.tellsWho { all += identity }
        let header = grant.header ?? (grant.api == .anthropic ? "x-api-key" : "Authorization")
        let isBearer = header.lowercased() == "authorization"
        all.append(
            HTTPRequestHead.Field(
                name: isBearer ? "Authorization" : header,
                value: Array(((isBearer ? "Bearer " : "") + grant.secret).utf8)))
        return UpstreamRequest(
            base: base, method: method, target: "\(base.prefix)\(route.path)\(route.query)", fields: all,
            body: bodyLength.map { .length(Int64($0)) } ?? .none)
    }
}
