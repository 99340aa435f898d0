import AiboxNetwork
import AiboxWire

/// A request of git as the server gets it.
enum GitRequest {
    private static let passed: Set<String> = ["accept-language", "content-encoding", "git-protocol", "user-agent"]

    /// Fields that could say who asks: the broker says so, and nobody else.
    private static let credentials: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "private-token", "job-token", "deploy-token", "x-api-key",
        "x-auth-token",
    ]

    static func check(_ head: HTTPRequestHead, _ route: GitRoute) throws(BrokerRefusal) {
        for field in head.fields {
            let name = field.name.lowercased()
            if credentials.contains(name) {
                throw BrokerRefusal(
                    kind: .permission, rule: "git.credential",
                    reason: "the request brings a credential (\(name)); the broker adds the one that there is",
                    nextSteps: ["Take user and password out of the remote's URL."])
            }
            if name == "content-type", route.isDiscovery || field.text.lowercased() != route.requestType {
                throw BrokerRefusal(
                    kind: .permission, rule: "git.type", reason: "this is no request of git's: it is \(field.text)")
            }
            if name == "content-encoding", !["identity", "gzip"].contains(field.text.lowercased()) {
                throw .framing("git's requests are compressed with gzip or not at all")
            }
        }
        switch head.body {
        case .none, .length(0): break
        case .length, .chunked: if route.isDiscovery { throw .framing("\(head.method) has no body here") }
        }
    }

    /// The head, with the credential in its place. Its body follows as it came: with a length, or in chunks.
    static func head(_ route: GitRoute, _ access: GitAccess, _ request: HTTPRequestHead) -> [UInt8] {
        var head = Array("\(request.method) \(route.target) HTTP/1.1\r\nHost: \(access.base.authority)\r\n".utf8)
        for field in request.fields where passed.contains(field.name.lowercased()) {
            head += "\(field.name): ".utf8
            head += field.value
            head += "\r\n".utf8
        }
        head += "Accept: \(route.answerType)\r\n".utf8
        if !route.isDiscovery { head += "Content-Type: \(route.requestType)\r\n".utf8 }
        // What is encoded could not be read for the credential.
        head += "Accept-Encoding: identity\r\n\(access.grant.header): \(access.grant.value)\r\n".utf8
        switch request.body {
        case .none: if request.method == "POST" { head += "Content-Length: 0\r\n".utf8 }
        case .length(let size): head += "Content-Length: \(size)\r\n".utf8
        case .chunked: head += "Transfer-Encoding: chunked\r\n".utf8
        }
        return head + "\r\n".utf8
    }

    /// Where a redirect leads, as a path of the broker's in its normal form; nil if it leaves the server.
    static func redirect(_ location: String, from access: GitAccess) -> String? {
        var rest = location[...]
        if location.hasPrefix("https://") {
            rest = location.dropFirst(8)
            let authority = rest.prefix { $0 != "/" }
            guard let place = HTTPAuthority(authority), let host = try? HostName(place.host), host == access.host,
                (place.port ?? 443) == access.grant.port
            else { return nil }
            rest = rest.dropFirst(authority.count)
        }
        guard rest.hasPrefix("/"), !rest.hasPrefix("//"), let path = try? RequestPath(String(rest)) else { return nil }
        return "\(GitRoute.prefix)\(access.grant.authority)\(path)"
    }
}

extension BrokerRefusal {
    /// The whole answer, as git shows it to people: text after "remote:" (git's remote-curl prints text/plain alone).
    func gitResponse(keepsAlive: Bool) -> [UInt8] {
        let isLFS = rule == "git.lfs"
        let words = "aibox: \(reason)" + nextSteps.map { "\n\($0)" }.joined()
        let body = isLFS ? JSONValue.object(["message": .string(words)]).bytes : Array((words + "\n").utf8)
        var head = "HTTP/1.1 \(status) \(HTTPStatus.phrase(status))\r\n"
        head += "Content-Type: \(isLFS ? "application/vnd.git-lfs+json" : "text/plain; charset=utf-8")\r\n"
        head += "Content-Length: \(body.count)\r\nX-Aibox-Rule: \(rule)\r\nCache-Control: no-cache\r\n"
        head += keepsAlive && !closes ? "\r\n" : "Connection: close\r\n\r\n"
        return Array(head.utf8) + body
    }
}
