import AiboxCrypto
import AiboxTestSupport
import AiboxWire
import Testing

/// A broker with the credential of a real mirror behind it.
final class MirrorLab {
    let mirror: LabMirror
    let proxy: LiveProxy
    let grant: PlaceGrant
    private let others: [PlaceGrant]

    init(
        _ kind: PlaceGrant.Kind = .mirror, path: String = "/", secret: String? = nil, expires: Int64? = nil,
        others: [PlaceGrant] = []
    ) throws {
        let mirror = try LabMirror()
        self.mirror = mirror
        let pair = Base64.encode(Array("\(mirror.user):\(secret ?? mirror.secret)".utf8))
        let grant = PlaceGrant(
            kind, name: kind == .custom ? "custom:lab" : "mirror-token:\(mirror.place)", host: LabMirror.name,
            port: mirror.port, path: path, header: kind == .custom ? "x-lab-token" : "Authorization",
            value: kind == .custom ? mirror.secret : "Basic " + pair, secret: secret ?? mirror.secret,
            expires: expires)
        self.grant = grant
        self.others = others
        proxy = try LiveProxy(
            try ScriptedUpstream { _ in },
            edit: { plan in plan = MirrorLab.plan(plan, [grant] + others, authority: mirror.authority) })
    }

    private static func plan(_ plan: BrokerPlan, _ grants: [PlaceGrant], authority: String) -> BrokerPlan {
        var plan = plan
        plan.places = grants
        plan.names = [.init(name: LabMirror.name, addresses: ["127.0.0.1"])]
        plan.targets = ["127.0.0.1/32"]
        plan.authorities = [authority]
        return plan
    }

    /// Takes another plan, with these places alone.
    func use(_ grants: [PlaceGrant]) throws {
        try proxy.use(Self.plan(BrokerPlan(), grants, authority: mirror.authority))
    }

    /// The broker's path to the mirror.
    var base: String { grant.kind.prefix + (grant.kind == .custom ? "lab/" : "") + mirror.place }
    /// The same as clients see it.
    var url: String { "http://llm.test:\(proxy.port)" + base }

    func ask(
        _ path: String, method: String = "GET", fields: String = "", body: String = ""
    ) throws -> RawClient.Answer {
        let client = try proxy.client()
        client.send(
            "\(method) \(base)\(path) HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\(fields)"
                + (body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n") + "\r\n" + body)
        return try #require(client.answer())
    }
}
