import AiboxNetwork
import AiboxWire

/// What a request to `/mirror/HOST[:PORT]/PATH` asks for: something to read of a mirror of packages.
struct MirrorRoute: PlaceRoute, Equatable {
    let kind = PlaceGrant.Kind.mirror
    var host: HostName
    var port: UInt16
    var path: String
    var query: String?
    let operation = "read"

    /// What programs say of the answer that they would like, and of the one that they have.
    ///
    /// Not `Range`: asked for in pieces, a credential that the server sends back would be in none of them.
    private static let passed: Set<String> = [
        "accept", "accept-language", "cache-control", "cargo-protocol", "if-modified-since", "if-none-match", "pragma",
        "user-agent",
    ]

    static func decide(method: String, target: [UInt8]) throws(BrokerRefusal) -> MirrorRoute {
        let (rest, query) = try PlaceRoutes.path(target, of: .mirror, "a mirror")
        guard let place = PlaceRoutes.place(rest) else {
            throw PlaceRoutes.refusal("the path does not begin with the name of a mirror", .mirror)
        }
        guard ["GET", "HEAD"].contains(method) else {
            throw BrokerRefusal(
                kind: .permission, rule: "mirror.method",
                reason: place.path.contains("/-/npm/v1/security/")
                    ? "npm's audit sends a list of what is installed, and mirrors are only read here"
                    : "mirrors are only read here (GET, HEAD): publishing and other changes are not passed on",
                given: 405)
        }
        return MirrorRoute(host: place.host, port: place.port, path: place.path, query: query)
    }

    func check(_ head: HTTPRequestHead) throws(BrokerRefusal) {
        switch head.body {
        case .none, .length(0): break
        case .length, .chunked: throw .framing("\(head.method) has no body here")
        }
    }

    func request(_ access: PlaceAccess, _ head: HTTPRequestHead) -> UpstreamRequest {
        PlaceFields.request(path + (query.map { "?" + $0 } ?? ""), access, head) { Self.passed.contains($0) }
    }

    func check(_ answer: UpstreamHead, from access: PlaceAccess) throws(BrokerRefusal) {
        // Programs would ask their user for a password. What a mirror says with 403 is for people to read.
        if answer.status == 401 { throw unaccepted(answer.status, access) }
    }

    func location(_ text: String, among places: [PlaceAccess]) -> String? {
        PlaceLocation.shown(text, from: self, among: places)
    }
}
