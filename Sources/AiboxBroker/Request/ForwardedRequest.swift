import AiboxNetwork
import AiboxSystem
import AiboxWire
import NIOCore

/// The request as the provider gets it.
enum ForwardedRequest {
    /// With the real key in its place and no other.
    ///
    /// - Parameters:
    ///   - identity: who asks; for a gateway that is told so.
    ///   - body: nil where there is none.
    static func request(
        _ route: LLMRoute, method: String, _ grant: BrokerPlan.Grant, _ base: UpstreamBase,
        fields: [HTTPRequestHead.Field], identity: [HTTPRequestHead.Field], body: ByteBuffer?
    ) throws(AiboxError) -> UpstreamRequest {
        var all = CallerFields.forwarded(fields)
        // What is encoded could not be read for the key or the cost.
        all.append(HTTPRequestHead.Field(name: "Accept-Encoding", value: Array("identity".utf8)))
        if grant.tellsWho { all += identity }
        let target = "\(base.prefix)\(route.sent)"
        if let signer = signer(grant, base) {
            all += try signed(signer, method: method, base, target, body ?? ByteBuffer())
        } else {
            let header = header(grant)
            let isBearer = header.lowercased() == "authorization"
            all.append(
                HTTPRequestHead.Field(
                    name: isBearer ? "Authorization" : header,
                    value: Array(((isBearer ? "Bearer " : "") + grant.secret).utf8)))
        }
        return UpstreamRequest(
            base: base, method: method, target: target + route.query, fields: all,
            body: body.map { .length(Int64($0.readableBytes)) } ?? .none)
    }

    /// Bedrock and Vertex AI take a key as Bearer alone, whatever its place was said to be.
    private static func header(_ grant: BrokerPlan.Grant) -> String {
        switch LLMStyle.of(grant.base) {
        case .bedrock, .vertex: "Authorization"
        case .azure: grant.header ?? "api-key"
        case nil: grant.header ?? (grant.api == .anthropic ? "x-api-key" : "Authorization")
        }
    }

    /// How requests of a key of AWS's are signed; nil for all other keys.
    private static func signer(_ grant: BrokerPlan.Grant, _ base: UpstreamBase) -> AWSSignature? {
        guard LLMStyle.of(grant.base) == .bedrock, let key = AWSKey(grant.secret),
            let region = LLMStyle.region(base.host)
        else { return nil }
        return AWSSignature(key: key, region: region, service: "bedrock")
    }

    /// What goes on has no query: none passes there.
    private static func signed(
        _ signer: AWSSignature, method: String, _ base: UpstreamBase, _ path: String, _ body: ByteBuffer
    ) throws(AiboxError) -> [HTTPRequestHead.Field] {
        let result = body.withUnsafeReadableBytes { bytes in
            Result { () throws(AiboxError) in
                try signer.fields(
                    method: method, host: base.authority, path: path, body: bytes, second: Timestamp.now.seconds)
            }
        }
        return try result.get().map { HTTPRequestHead.Field(name: $0.name, value: Array($0.value.utf8)) }
    }
}
