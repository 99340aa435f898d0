import AiboxNetwork
import AiboxWire

/// What a request below `/git/`, `/mirror/` or `/custom/` asks for: something at a place that a credential opens.
protocol PlaceRoute: Sendable {
    var kind: PlaceGrant.Kind { get }
    var host: HostName { get }
    var port: UInt16 { get }
    /// In its normal form; what a credential has to cover.
    var path: String { get }
    /// For the audit log: `fetch`, `push`, `read`, ...
    var operation: String { get }
    /// Bytes of a request's body; nil: any number.
    var bodyLimit: Int? { get }

    /// Whether this credential is the one that is meant; where it leads is asked beside it.
    func isFor(_ grant: PlaceGrant) -> Bool
    /// What is wrong with the rest of the head, whoever it is for.
    func check(_ head: HTTPRequestHead) throws(BrokerRefusal)
    /// The request as the server gets it, the credential in its place. The body follows as it came.
    func request(_ access: PlaceAccess, _ head: HTTPRequestHead) -> UpstreamRequest
    /// What is wrong with an answer, by its head.
    func check(_ answer: UpstreamHead, from access: PlaceAccess) throws(BrokerRefusal)
    /// Where a redirect leads, as the client is told; nil if it is told nothing.
    func location(_ text: String, among places: [PlaceAccess]) -> String?
}

extension PlaceRoute {
    var bodyLimit: Int? { nil }

    /// `HOST[:PORT]`
    var authority: String { host.text + (port == 443 ? "" : ":\(port)") }

    func isFor(_ grant: PlaceGrant) -> Bool { grant.kind == kind }

    func refusal(_ reason: String, rule: String, nextSteps: [String] = [], given: Int? = nil) -> BrokerRefusal {
        BrokerRefusal(
            kind: .permission, rule: "\(kind.rawValue).\(rule)", reason: reason, nextSteps: nextSteps, given: given)
    }

    /// A server that does not take the credential.
    func unaccepted(_ status: Int, _ access: PlaceAccess) -> BrokerRefusal {
        refusal(
            "\(access.base.authority) does not accept \(access.grant.name) for this (\(status))", rule: "server",
            nextSteps: ["The person at this machine can replace it: aibox auth add \(access.grant.name)"])
    }
}

enum PlaceRoutes {
    /// nil for a request that is not for any of them.
    static func kind(of head: HTTPRequestHead) -> PlaceGrant.Kind? {
        switch head.target {
        case .origin(let path), .absolute(_, _, _, let path):
            PlaceGrant.Kind.allCases.first { path.starts(with: $0.prefix.utf8) }
        case .authority: nil
        }
    }

    /// `HOST[:PORT]` as a segment of a path: pip escapes the colon.
    static func authority(_ segment: Substring) -> HTTPAuthority? {
        HTTPAuthority(Substring(segment.replacing("%3A", with: ":")))
    }

    /// The path of a request, in its normal form, and what stands in it behind the kind's prefix.
    static func path(
        _ target: [UInt8], of kind: PlaceGrant.Kind, _ what: String
    ) throws(BrokerRefusal) -> (rest: Substring, query: String?) {
        let path: RequestPath
        do throws(RequestPathFailure) { path = try RequestPath(target) } catch { throw refusal(error.reason, kind) }
        guard path.path.hasPrefix(kind.prefix) else { throw refusal("\(path.path) is no path of \(what)", kind) }
        return (path.path.dropFirst(kind.prefix.count), path.query)
    }

    /// `HOST[:PORT]/PATH`, taken apart.
    static func place(_ text: Substring) -> (host: HostName, port: UInt16, path: String)? {
        let authority = text.prefix { $0 != "/" }
        guard let place = Self.authority(authority), let host = try? HostName(place.host) else { return nil }
        let path = String(text.dropFirst(authority.count))
        return (host, place.port ?? 443, path.isEmpty ? "/" : path)
    }

    static func refusal(_ reason: String, _ kind: PlaceGrant.Kind) -> BrokerRefusal {
        BrokerRefusal(kind: .permission, rule: "\(kind.rawValue).path", reason: reason)
    }

    static func decide(
        _ kind: PlaceGrant.Kind, method: String, target: [UInt8]
    ) throws(BrokerRefusal) -> any PlaceRoute {
        switch kind {
        case .git: try GitRoute.decide(method: method, target: target)
        case .mirror: try MirrorRoute.decide(method: method, target: target)
        case .custom: try CustomRoute.decide(method: method, target: target)
        }
    }
}
