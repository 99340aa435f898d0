import AiboxNetwork
import AiboxWire

extension GitRoute {
    private static let passed: Set<String> = ["accept-language", "content-encoding", "git-protocol", "user-agent"]

    func check(_ head: HTTPRequestHead) throws(BrokerRefusal) {
        for field in head.fields {
            let name = field.name.lowercased()
            if name == "content-type", isDiscovery || field.text.lowercased() != requestType {
                throw refusal("this is no request of git's: it is \(field.text)", rule: "type")
            }
            if name == "content-encoding", !["identity", "gzip"].contains(field.text.lowercased()) {
                throw .framing("git's requests are compressed with gzip or not at all")
            }
        }
        switch head.body {
        case .none, .length(0): break
        case .length, .chunked: if isDiscovery { throw .framing("\(head.method) has no body here") }
        }
    }

    func request(_ access: PlaceAccess, _ head: HTTPRequestHead) -> UpstreamRequest {
        let types = [("Accept", answerType)] + (isDiscovery ? [] : [("Content-Type", requestType)])
        return PlaceFields.request(target, access, head, more: types) { Self.passed.contains($0) }
    }

    func check(_ answer: UpstreamHead, from access: PlaceAccess) throws(BrokerRefusal) {
        let type = (answer.value("content-type") ?? "").prefix { $0 != ";" }.lowercased()
        switch answer.status {
        case 200..<300 where type != answerType:
            throw BrokerRefusal(
                kind: .upstream, rule: "git.upstream",
                reason: "\(access.base.host) answers with something that is not git's")
        // What the server says to the broker is not for git to answer: it would ask for a password.
        case 401, 403: throw unaccepted(answer.status, access)
        default: break
        }
    }

    func location(_ text: String, among places: [PlaceAccess]) -> String? {
        guard let access = places.first(where: { isFor($0.grant) && $0.covers(host, port, path) }) else { return nil }
        return Self.redirect(text, from: access)
    }

    /// Where a redirect leads, as a path of the broker's in its normal form; nil if it leaves the server.
    static func redirect(_ location: String, from access: PlaceAccess) -> String? {
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
        return "\(prefix)\(access.grant.authority)\(path)"
    }
}
