import AiboxNetwork
import AiboxWire

/// What a request to `/custom/NAME/HOST[:PORT]/PATH` asks for: anything at a place of the credential `custom:NAME`.
struct CustomRoute: PlaceRoute, Equatable {
    let kind = PlaceGrant.Kind.custom
    /// The credential's, without its type.
    var name: String
    var host: HostName
    var port: UInt16
    var path: String
    var query: String?
    var method: String

    var operation: String { method.lowercased() }
    var bodyLimit: Int? { Self.bodyLimit }

    static let bodyLimit = 256 << 20
    static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

    /// Fields of one connection, fields that the broker writes itself, and fields that tell a server another method, path,
    /// host or caller than the request has.
    private static let dropped: Set<String> = [
        "accept-encoding", "connection", "content-length", "expect", "forwarded", "host", "http2-settings", "if-range",
        "keep-alive", "proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade", "via",
        "remote-user", "x-host", "x-http-method", "x-http-method-override", "x-method-override", "x-real-ip",
        "x-remote-user",
        "x-rewrite-url",
    ]

    /// Some servers read `_` in a name as `-`.
    private static func passes(_ name: String) -> Bool {
        !name.contains("_") && !dropped.contains(name) && !name.hasPrefix("x-forwarded-")
            && !name.hasPrefix("x-original-") && !name.hasPrefix("x-aibox-")
    }

    static func decide(method: String, target: [UInt8]) throws(BrokerRefusal) -> CustomRoute {
        let (words, query) = try PlaceRoutes.path(target, of: .custom, "a credential")
        let name = words.prefix { $0 != "/" }
        guard !name.isEmpty, let place = PlaceRoutes.place(words.dropFirst(name.count + 1)) else {
            throw PlaceRoutes.refusal(
                "the path does not begin with a credential's name and a host: /custom/NAME/HOST/...", .custom)
        }
        guard methods.contains(method) else {
            throw BrokerRefusal(
                kind: .permission, rule: "custom.method",
                reason: "only \(methods.joined(separator: ", ")) are passed on", given: 405)
        }
        return CustomRoute(
            name: String(name), host: place.host, port: place.port, path: place.path, query: query, method: method)
    }

    func isFor(_ grant: PlaceGrant) -> Bool { grant.kind == kind && grant.name == "custom:" + name }

    func check(_ head: HTTPRequestHead) throws(BrokerRefusal) {
        switch head.body {
        case .none, .length(0): break
        case .length(let size) where size > Self.bodyLimit: throw Self.tooLarge
        case .length, .chunked: if head.method == "HEAD" { throw .framing("HEAD has no body here") }
        }
    }

    static let tooLarge = BrokerRefusal(
        kind: .tooLarge, rule: "custom.size", reason: "the body is larger than \(bodyLimit) bytes", closes: true)

    func request(_ access: PlaceAccess, _ head: HTTPRequestHead) -> UpstreamRequest {
        // What the client calls its connection's own is not the server's (RFC 9110 section 7.6.1).
        let named = Set(
            head.fields.filter { $0.is("connection") }.flatMap {
                $0.text.lowercased().split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
            })
        return PlaceFields.request(path + (query.map { "?" + $0 } ?? ""), access, head) {
            Self.passes($0) && !named.contains($0)
        }
    }

    func check(_ answer: UpstreamHead, from access: PlaceAccess) throws(BrokerRefusal) {
        if answer.status == 401 { throw unaccepted(answer.status, access) }
    }

    /// What would be sent again somewhere else stays here.
    func location(_ text: String, among places: [PlaceAccess]) -> String? {
        let shown = PlaceLocation.shown(text, from: self, among: places)
        let isElsewhere = shown?.hasPrefix("https://") ?? true
        return isElsewhere && !["GET", "HEAD"].contains(method) ? nil : shown
    }
}
