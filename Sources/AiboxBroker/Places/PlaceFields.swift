import AiboxNetwork
import AiboxWire

/// The header fields of a request to a place: what is refused, and what the server gets.
enum PlaceFields {
    /// Fields that could say who asks: the broker says so, and nobody else.
    private static let credentials: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "cookie2", "private-token", "job-token", "deploy-token",
        "x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token", "x-jfrog-art-api", "x-nuget-apikey",
        "x-gitlab-token", "x-vault-token", "x-goog-api-key", "x-amz-security-token", "npm-otp",
    ]

    /// - Parameter header: the one that carries the credential.
    static func refuseCredentials(
        _ head: HTTPRequestHead, _ kind: PlaceGrant.Kind, header: String? = nil
    ) throws(BrokerRefusal) {
        for field in head.fields {
            // Some servers read `_` in a name as `-`.
            let name = field.name.lowercased().replacing("_", with: "-")
            guard credentials.contains(name) || name == header?.lowercased() else { continue }
            throw BrokerRefusal(
                kind: .permission, rule: "\(kind.rawValue).credential",
                reason: "the request brings a credential (\(name)); the broker adds the one that there is",
                nextSteps: ["Take user, password and token out of the URL and of the program's settings."])
        }
    }

    /// Without the offer to go on in HTTP/2, which curl and cargo make with every request in the clear and which a server may
    /// leave (RFC 9110 section 7.8).
    static func withoutOffers(_ head: HTTPRequestHead, _ kind: PlaceGrant.Kind) -> HTTPRequestHead {
        if kind == .git { return head }
        var head = head
        head.fields.removeAll { $0.is("upgrade") && $0.text.lowercased() == "h2c" }
        return head
    }

    /// The request for the server, the credential among its fields.
    static func request(
        _ target: String, _ access: PlaceAccess, _ request: HTTPRequestHead, more: [(name: String, value: String)] = [],
        passes: (_ name: String) -> Bool
    ) -> UpstreamRequest {
        var fields = request.fields.filter { passes($0.name.lowercased()) }
        // What is encoded could not be read for the credential.
        let own = [("Accept-Encoding", "identity"), (access.grant.header, access.grant.value)]
        fields += (more + own).map { HTTPRequestHead.Field(name: $0.0, value: Array($0.1.utf8)) }
        let isEmpty = request.body == .none && ["POST", "PUT", "PATCH"].contains(request.method)
        return UpstreamRequest(
            base: access.base, method: request.method, target: target, fields: fields,
            body: isEmpty ? .length(0) : request.body)
    }
}
