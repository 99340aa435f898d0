import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxBroker

/// A proxy with a server of HTTP/2 behind it: as a provider of models, and as a place with a credential.
final class HTTP2Lab {
    let server: LabHTTP2
    let proxy: LiveProxy
    private let idle: ScriptedUpstream

    /// - Parameter what: the first segments of the paths at the provider: what it does.
    init(_ what: String = "hello", streams: Int = 100, server: LabHTTP2? = nil, secret: String? = nil) throws {
        let server = try server ?? LabHTTP2(streams: streams)
        self.server = server
        idle = try ScriptedUpstream { _ in }
        proxy = try LiveProxy(
            idle,
            edit: { plan in
                for index in plan.grants.indices {
                    plan.grants[index].base = "https://\(LabHTTP2.name):\(server.port)/\(what)"
                }
                plan.places = [
                    PlaceGrant(
                        .custom, name: "custom:lab", host: LabHTTP2.name, port: server.port, path: "/",
                        header: "x-lab-token", value: secret ?? LiveProxy.secret, secret: secret ?? LiveProxy.secret)
                ]
                plan.names = [.init(name: LabHTTP2.name, addresses: ["127.0.0.1"])]
                plan.authorities = [server.authority]
            })
    }

    /// The broker's path to a path of the server.
    func place(_ path: String) -> String { "/custom/lab/\(LabHTTP2.name):\(server.port)/\(path)" }

    /// A request to the place, on a connection of its own.
    func ask(_ path: String, method: String = "GET", fields: String = "", body: String = "") throws -> RawClient.Answer
    {
        let client = try begin(path, method: method, fields: fields, body: body)
        return try #require(client.answer())
    }

    func begin(_ path: String, method: String = "GET", fields: String = "", body: String = "") throws -> RawClient {
        let client = try proxy.client()
        client.send(
            "\(method) \(place(path)) HTTP/1.1\r\nHost: llm.test:\(proxy.port)\r\n\(fields)"
                + (body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n") + "\r\n" + body)
        return client
    }

    /// What the server wrote down of whole requests.
    var requests: [JSONObject] { lines.filter { $0["method"] != nil } }
    /// The codes with which streams were reset.
    var resets: [Int64] { lines.compactMap { if case .integer(let code)? = $0["reset"] { code } else { nil } } }
    var connections: Int {
        Set(requests.compactMap { $0["connection"].map { JSONValue.object(["n": $0]).text } }).count
    }

    private var lines: [JSONObject] {
        server.requests.compactMap { line in
            guard case .object(let object)? = try? JSONParser.parse(Array(line.utf8)) else { return nil }
            return object
        }
    }
}
