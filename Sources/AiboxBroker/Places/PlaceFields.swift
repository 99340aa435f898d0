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

    /// The head for the server: its fields, the credential among them, and how long the body is.
    static func head(
        _ target: String, _ access: PlaceAccess, _ request: HTTPRequestHead, more: [String] = [],
        passes: (_ name: String) -> Bool
    ) -> [UInt8] {
        var head = Array("\(request.method) \(target) HTTP/1.1\r\nHost: \(access.base.authority)\r\n".utf8)
        for field in request.fields where passes(field.name.lowercased()) {
            head += "\(field.name): ".utf8
            head += field.value
            head += "\r\n".utf8
        }
        for line in more { head += "\(line)\r\n".utf8 }
        // What is encoded could not be read for the credential.
        head += "Accept-Encoding: identity\r\n\(access.grant.header): \(access.grant.value)\r\n".utf8
        switch request.body {
        case .none:
            if ["POST", "PUT", "PATCH"].contains(request.method) { head += "Content-Length: 0\r\n".utf8 }
        case .length(let size): head += "Content-Length: \(size)\r\n".utf8
        case .chunked: head += "Transfer-Encoding: chunked\r\n".utf8
        }
        return head + "\r\n".utf8
    }
}
