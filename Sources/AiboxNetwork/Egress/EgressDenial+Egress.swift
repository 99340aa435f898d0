extension EgressDenial {
    /// The whole answer to an HTTP request.
    public var response: [UInt8] {
        let body = Array(json.utf8)
        let head =
            "HTTP/1.1 \(status) \(HTTPStatus.phrase(status))\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.count)\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        return Array(head.utf8) + body
    }

    /// The refusal of a name that leads where nothing may go.
    public static func privateTarget(_ host: HostName, _ why: String, rule: String) -> EgressDenial {
        EgressDenial(
            .privateTarget, rule: rule, reason: "\(host) leads to an address that is not reachable from here: \(why)",
            nextSteps: ["Ask the person who runs this sandbox; only the organisation's policy can open such addresses."]
        )
    }

    /// The refusal of a name that leads nowhere.
    public static func notResolved(_ why: String, rule: String) -> EgressDenial {
        EgressDenial(.nameNotResolved, rule: rule, reason: why, nextSteps: ["Check the name, or try again later."])
    }

    /// The end of a connection whose request came too slowly.
    public static let tooSlow = EgressDenial(
        .malformed, rule: "time-limit", reason: "no complete request came in time",
        nextSteps: ["Send the request at once."])

    /// The end of a request whose client left before anything of it went out.
    static let abandoned = EgressDenial(
        .malformed, rule: "complete-request", reason: "the client left before its request was complete",
        nextSteps: ["Keep the connection open until the answer is there; a tunnel begins with a ClientHello."])

    /// The refusal of one connection too many from this sandbox.
    public static func crowded(_ limit: Int) -> EgressDenial {
        EgressDenial(
            .tooManyConnections, rule: "connection-limit", reason: "\(limit) connections are open already",
            nextSteps: ["Close connections, and use fewer at once."])
    }

    /// The end of what was allowed before and no longer is.
    public static func tightened(_ denial: EgressDenial) -> EgressDenial {
        EgressDenial(
            .generationChanged, rule: denial.rule, layer: denial.layer,
            reason: "the policy was tightened: " + denial.reason, nextSteps: denial.nextSteps)
    }

    /// The refusal of a request in an opened tunnel whose URL cannot be read as one.
    public static let unreadable = EgressDenial(
        .malformed, rule: "http-syntax", reason: "the request's URL cannot be read",
        nextSteps: ["Send a plain HTTP/1.1 request (RFC 9112) for an https URL."])

    /// The refusal of a path that would be forwarded as it is written, and is decided on in another form.
    public static let otherPath = EgressDenial(
        .pathAmbiguous, rule: "normal-path",
        reason: "in an opened tunnel the path is forwarded as it is written, and this one is not in its normal form",
        nextSteps: ["Send the path in its normal form (RFC 3986): no //, no . or .., no escapes of plain characters."])

    /// The refusal of a method in small letters, which some servers take for the one in capitals.
    public static let otherMethod = EgressDenial(
        .malformed, rule: "http-syntax", reason: "the method is not in capitals",
        nextSteps: ["Write methods in capitals."])

    /// The refusal of a request that carries what stands for a credential to another place than the broker.
    public static func elsewhere(_ surrogate: Surrogate) -> EgressDenial {
        let isOwn = surrogate.credential != nil
        var steps = ["Look which program sends it, and take it out of its settings."]
        if isOwn {
            steps.insert("Send it nowhere but to ANTHROPIC_BASE_URL or OPENAI_BASE_URL of the environment.", at: 0)
        }
        var denial = EgressDenial(
            .credentialElsewhere, rule: "credential.elsewhere",
            reason: "the request carries \(surrogate.words)"
                + (isOwn ? ", which is good at the sandbox's own broker alone" : ", and is good nowhere here"),
            nextSteps: steps)
        denial.surrogate = surrogate
        return denial
    }

    /// Without the audit log nothing goes out.
    public static let unrecorded = EgressDenial(
        .unavailable, rule: "audit", reason: "the audit log cannot be written, so nothing goes out",
        nextSteps: ["Ask the person who runs this sandbox to run: aibox doctor"])

    init(_ refusal: HTTPRefusal) {
        self.init(
            .malformed, rule: "http-syntax", reason: refusal.reason,
            nextSteps: ["Send a plain HTTP/1.1 request (RFC 9112)."])
    }

    static func otherScheme(_ scheme: String) -> EgressDenial {
        EgressDenial(
            .schemeNotAllowed, rule: "http-syntax",
            reason: "\(scheme) cannot be asked for in the clear; https goes through CONNECT",
            nextSteps: ["Use CONNECT for https."])
    }

    static func hostMismatch(_ written: String, _ name: HostName) -> EgressDenial {
        EgressDenial(
            .hostMismatch, rule: "one-identity", reason: "the Host field names another host than \(name)",
            nextSteps: ["Send a Host field that matches the request target."])
    }

    static func sniMismatch(_ name: HostName, _ expected: HostName) -> EgressDenial {
        EgressDenial(
            .sniMismatch, rule: "one-identity", reason: "TLS asks for \(name) in a tunnel to \(expected)",
            nextSteps: ["Use the same name for the connection and for TLS."])
    }

    static let sniMissing = EgressDenial(
        .sniMissing, rule: "one-identity", reason: "TLS names no host (no SNI)",
        nextSteps: ["Connect by name, with a client that sends SNI."])

    static let encryptedHello = EgressDenial(
        .encryptedHello, rule: "one-identity", reason: "the ClientHello is encrypted, so its host cannot be checked",
        nextSteps: ["Switch Encrypted ClientHello (ECH, GREASE included) off in the client."])

    static let notTLS = EgressDenial(
        .notTLS, rule: "tls-only", reason: "something other than TLS was sent in a tunnel",
        nextSteps: ["Use https."])

    static let brokenHello = EgressDenial(
        .malformed, rule: "tls-only", reason: "the ClientHello cannot be read",
        nextSteps: ["Use a standard TLS client."])
}
