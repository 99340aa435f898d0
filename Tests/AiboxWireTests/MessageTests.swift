import AiboxTestSupport
import AiboxWire
import Testing

@Suite("Messages travel unchanged, and nothing else passes for one")
struct MessageTests {
    static let ready = GatewayReady(pid: 10, holderPid: 12, networkNamespace: "/proc/12/ns/net", sshPort: 2222)
    static let settings = {
        var settings = GatewaySettings(
            sandbox: "s", runFolder: "/run/x", user: "u", container: "c", sshPort: 2300, userNamespacePid: 7,
            metricsPort: 9464, audit: .init(folder: "/a", checkpoints: "/b", session: "5", marksGaps: true),
            learn: LearnPlan(allow: [["id": "x"]], policy: ["network": [:]]), traces: .required)
        settings.endsOnMisuse = true
        return settings
    }()
    static let status = GatewayStatus(
        sandbox: "s", container: "c", ready: ready, monitorPid: nil, uptime: 3, sshConnections: 1,
        forwards: [ForwardedPort(port: 3000, hostPort: 8080, connections: 2)], learning: 9)
    static let error = WireError(code: "denied", what: "w", why: nil, remedy: "r")

    @Test("what the LLM proxy says of a misused key")
    func misuse() throws {
        let report = LLMProxyReport.misused("a key")
        #expect(report.json.text == #"{"misused":"a key"}"#)
        #expect(try LLMProxyReport(json: report.json) == report)
    }

    static let requests: [(ControlRequest, String)] = [
        (.status, #"{"version":1,"request":"status"}"#),
        (.watch(monitorPid: 99), #"{"version":1,"request":"watch","monitorPid":99}"#),
        (.readdress, #"{"version":1,"request":"readdress"}"#),
        (
            .forward(ForwardedPort(port: 3000, hostPort: 8080)),
            #"{"version":1,"request":"forward","port":{"port":3000,"hostPort":8080,"connections":0}}"#
        ),
        (.endForward(3000), #"{"version":1,"request":"endForward","port":3000}"#),
        (.repair, #"{"version":1,"request":"repair"}"#),
        (
            .changeCredential(CredentialChange(name: "n")),
            #"{"version":1,"request":"changeCredential","change":{"name":"n","places":[]}}"#
        ),
        (
            .changeCredential(
                CredentialChange(
                    name: "n", key: .init(secret: "12345678", base: "https://b", header: "h", expires: 5))),
            #"{"version":1,"request":"changeCredential","change":{"name":"n","places":[],"#
                + #""key":{"secret":"12345678","base":"https://b","header":"h","expires":5}}}"#
        ),
        (
            .learn(.start(seconds: 60)),
            #"{"version":1,"request":"learn","change":{"action":"start","seconds":60}}"#
        ),
        (.learn(.stop), #"{"version":1,"request":"learn","change":{"action":"stop"}}"#),
        (.stop, #"{"version":1,"request":"stop"}"#),
    ]

    @Test("requests", arguments: requests)
    func request(request: ControlRequest, text: String) throws {
        #expect(request.json.text == text)
        #expect(try ControlRequest(json: try JSONParser.parse(text)) == request)
    }

    static let replies: [(ControlReply, String)] = [
        (.done, #"{"version":1,"done":true}"#),
        (.lent(true), #"{"version":1,"lent":true}"#), (.lent(false), #"{"version":1,"lent":false}"#),
        (.failed(error), #"{"version":1,"error":{"code":"denied","what":"w","remedy":"r"}}"#),
        (
            .status(status),
            #"{"version":1,"status":{"sandbox":"s","container":"c","ready":{"pid":10,"holderPid":12,"networkNamespace":"/proc/12/ns/net","sshPort":2222},"uptime":3,"sshConnections":1,"landlock":0,"forwards":[{"port":3000,"hostPort":8080,"connections":2}],"learning":9}}"#
        ),
    ]

    @Test("replies", arguments: replies)
    func reply(reply: ControlReply, text: String) throws {
        #expect(reply.json.text == text)
        #expect(try ControlReply(json: try JSONParser.parse(text)) == reply)
    }

    static let reports: [(GatewayStartReport, String)] = [
        (
            .ready(ready),
            #"{"ready":{"pid":10,"holderPid":12,"networkNamespace":"/proc/12/ns/net","sshPort":2222}}"#
        ),
        (.failed(error), #"{"error":{"code":"denied","what":"w","remedy":"r"}}"#),
    ]

    @Test("start reports", arguments: reports)
    func report(report: GatewayStartReport, text: String) throws {
        #expect(report.json.text == text)
        #expect(try GatewayStartReport(json: try JSONParser.parse(text)) == report)
    }

    @Test("settings")
    func settingsTravel() throws {
        #expect(try GatewaySettings(json: Self.settings.json) == Self.settings)
        var asRoot = Self.settings
        asRoot.userNamespacePid = nil
        #expect(try GatewaySettings(json: asRoot.json) == asRoot)
    }

    static let refusedRequests: [(why: String, text: String, says: String)] = [
        ("no object", "[]", "not an object"),
        ("no version", #"{"request":"status"}"#, "version"),
        ("a later version", #"{"version":2,"request":"status"}"#, "version 2"),
        ("a version that is text", #"{"version":"1","request":"status"}"#, "version"),
        ("no request", #"{"version":1}"#, "request"),
        ("an unknown request", #"{"version":1,"request":"shell"}"#, "shell"),
        ("a request that is a number", #"{"version":1,"request":1}"#, "request"),
        ("an unknown member", #"{"version":1,"request":"status","x":1}"#, "x"),
        ("watch without a process", #"{"version":1,"request":"watch"}"#, "monitorPid"),
        ("watch of no process", #"{"version":1,"request":"watch","monitorPid":0}"#, "monitorPid"),
        ("watch of init", #"{"version":1,"request":"watch","monitorPid":1}"#, "monitorPid"),
        ("watch of a group", #"{"version":1,"request":"watch","monitorPid":-5}"#, "monitorPid"),
        ("watch beyond 32 bits", #"{"version":1,"request":"watch","monitorPid":4294967297}"#, "monitorPid"),
        ("a forward without ports", #"{"version":1,"request":"forward"}"#, "forwarded port"),
        (
            "a forward of port 0",
            #"{"version":1,"request":"forward","port":{"port":0,"hostPort":1,"connections":0}}"#, "0"
        ),
        ("the end of forward 0", #"{"version":1,"request":"endForward","port":0}"#, "port is 0"),
        (
            "learning for no time", #"{"version":1,"request":"learn","change":{"action":"start","seconds":0}}"#,
            "seconds is out of range"
        ),
        (
            "learning for ever", #"{"version":1,"request":"learn","change":{"action":"start","seconds":86401}}"#,
            "seconds is out of range"
        ),
        ("learning without an end", #"{"version":1,"request":"learn","change":{"action":"start"}}"#, "seconds"),
        ("watch of a fraction", #"{"version":1,"request":"watch","monitorPid":5.0}"#, "monitorPid"),
    ]

    @Test("refused requests say what is wrong", arguments: refusedRequests)
    func refused(why: String, text: String, says: String) throws {
        let json = try JSONParser.parse(text)
        let error = #expect(throws: WireError.self, "\(why)") { try ControlRequest(json: json) }
        #expect(error?.description.contains(says) == true, "\(why): \(error?.description ?? "")")
    }

    static let brokenSettings: [(name: String, value: JSONValue?)] = [
        ("version", 2), ("version", nil), ("sandbox", nil), ("sandbox", 1), ("runFolder", "relative"),
        ("audit", nil), ("audit", "/a"), ("audit", ["folder": "a", "checkpoints": "/b", "session": "5", "policy": ""]),
        ("sshPort", 0), ("sshPort", 65536), ("sshPort", "22"), ("userNamespacePid", "1"), ("logLimit", 1),
        ("logLimit", -1), ("surprise", true),
    ]

    @Test("settings with one wrong member are refused", arguments: brokenSettings)
    func refusedSettings(name: String, value: JSONValue?) throws {
        guard case .object(var object) = Self.settings.json else { throw Self.error }
        object[name] = value
        #expect(throws: WireError.self) { try GatewaySettings(json: .object(object)) }
    }

    @Test("no random document passes for a message", arguments: 0..<4 as Range<UInt64>)
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let value = JSONFuzzTests.value(depth: 0, &random)
            #expect(throws: WireError.self) { try ControlRequest(json: value) }
            #expect(throws: WireError.self) { try ControlReply(json: value) }
            #expect(throws: WireError.self) { try GatewaySettings(json: value) }
            #expect(throws: WireError.self) { try GatewayStartReport(json: value) }
        }
    }
}
