import AiboxAudit
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxBroker

@Suite("Credentials of a name of their own through the broker")
struct CustomPlaceTests {
    @Test(
        "every method goes through with the credential in its header, and the body as it came",
        arguments: CustomRoute.methods)
    func methods(method: String) throws {
        let lab = try MirrorLab(.custom, path: "/api")
        let hasBody = ["POST", "PUT", "PATCH", "DELETE"].contains(method)
        let answer = try lab.ask(
            "/api/issues?state=open", method: method,
            fields: "X-Page: 2\r\nX-Forwarded-For: 1.2.3.4\r\nX-HTTP-Method-Override: DELETE\r\nRange: bytes=0-1\r\n"
                + "X_Original_URL: /admin\r\nX-Original-Host: a\r\nX-Forwarded-Server: b\r\nX_HTTP_Method_Override: PUT\r\n"
                + "X-Aibox-User: root\r\n",
            body: hasBody ? "{\"a\": 1}" : "")
        #expect(answer.status == 200, "\(answer.head)")
        #expect(
            answer.head.contains("link: <\(lab.url)/api/2>; rel=\"next\"")
                && answer.head.contains("location: \(lab.base)/api/new"))
        let request = try #require(lab.mirror.requests.last)
        let length = hasBody ? ", \"content-length\"" : ""
        #expect(request.contains("\"method\": \"\(method)\", \"path\": \"/api/issues?state=open\", \"right\": true"))
        #expect(
            request.contains("\"fields\": [\"accept-encoding\"\(length), \"host\", \"x-lab-token\", \"x-page\"]"),
            "\(request)")
        #expect(request.contains("\"size\": \(hasBody ? 8 : 0)"))
        let event = try #require(lab.proxy.audit.of(.credentialUse).last)
        #expect(event.subject == "custom:lab" && event.details["operation"]?.stringValue == method.lowercased())
    }

    static let attacks: [(why: String, path: String, method: String, fields: String, rule: String)] = [
        ("another name", "../../other/HOST/api/x", "GET", "", "custom.credential"),
        ("another host", "../evil.example/api/x", "GET", "", "custom.credential"),
        ("another port", "../mirror.lab.example/api/x", "GET", "", "custom.credential"),
        ("above the path", "api/../x", "GET", "", "custom.credential"),
        ("above it, hidden", "api/%2e%2e%2fx", "GET", "", "custom.path"),
        ("a neighbour", "apix", "GET", "", "custom.credential"),
        ("its own credential", "api/x", "POST", "Authorization: Bearer a\r\n", "custom.credential"),
        ("its own in the same header", "api/x", "POST", "X-Lab-Token: a\r\n", "custom.credential"),
        ("its own, as some servers read it", "api/x", "POST", "X_Lab_Token: a\r\n", "custom.credential"),
        ("a cookie", "api/x", "GET", "Cookie: a=b\r\n", "custom.credential"),
        ("a method of another kind", "api/x", "TRACE", "", "custom.method"),
        ("a body beyond all", "api/x", "POST", "Content-Length: 268435457\r\n", "custom.size"),
        ("an upgrade", "api/x", "GET", "Upgrade: websocket\r\nConnection: upgrade\r\n", "http.upgrade"),
    ]

    @Test("nothing else goes out with the credential", arguments: attacks)
    func attacked(why: String, path: String, method: String, fields: String, rule: String) throws {
        let lab = try MirrorLab(.custom, path: "/api")
        let answer = try lab.ask("/" + path.replacing("HOST", with: lab.mirror.place), method: method, fields: fields)
        #expect(answer.status >= 400 && answer.head.contains("X-Aibox-Rule: \(rule)"), "\(answer.head) \(answer.text)")
        #expect(lab.mirror.requests.isEmpty && lab.proxy.audit.all.last?.outcome != .allowed)
        #expect(!answer.text.contains(lab.mirror.secret))
    }

    @Test("a body in chunks is counted as it goes, and broken off beyond the limit") func tooLarge() throws {
        let lab = try MirrorLab(.custom)
        let client = try lab.proxy.client()
        client.send(
            "POST \(lab.base)/api/x HTTP/1.1\r\nHost: llm.test:\(lab.proxy.port)\r\nTransfer-Encoding: chunked\r\n\r\n")
        let piece = String(repeating: "x", count: 1 << 20)
        for _ in 0..<258 { if !client.send("100000\r\n\(piece)\r\n") { break } }
        #expect(client.answer()?.head.contains("X-Aibox-Rule: custom.size") == true)
        #expect(lab.mirror.requests.allSatisfy { !$0.contains("\"size\": 2684") })
    }

    @Test("a redirect to another server is not followed by what would be sent there again") func redirected() throws {
        let lab = try MirrorLab(.custom)
        #expect(try lab.ask("/away/x").head.contains("location: https://elsewhere.example/x"))
        let post = try lab.ask("/away/x", method: "POST", body: "a")
        #expect(post.status == 502 && post.text.contains("the credential stays here"), "\(post.head)")
        #expect(try lab.ask("/moved/api/x", method: "POST", body: "a").head.contains("location: \(lab.base)/api/x"))
    }
}
