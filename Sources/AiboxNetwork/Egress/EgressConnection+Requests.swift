extension EgressConnection {
    /// A request that waits for a verdict, an address or a connection.
    struct Pending: Sendable {
        enum Kind: Sendable {
            case connect
            case transparent
            case http(HTTPRequestHead, RequestPath)
        }

        var request: EgressRequest
        var kind: Kind
        var grant: EgressGrant?

        var attempt: EgressAttempt { EgressAttempt(request) }

        var isTunnel: Bool { if case .http = kind { false } else { true } }
    }

    /// Reads what a head asks for, and asks for the verdict.
    mutating func begin(_ head: HTTPRequestHead) -> [Action] {
        if let found = screen.find(in: head), !screen.isBroker(Self.host(head)) {
            return refuse(.elsewhere(found), misplaced(head))
        }
        switch (door, head.target) {
        case (.proxy, .authority(let host, let port)):
            return ask(host, port, head) { _ throws(EgressDenial) in (.tunnel, .connect) }
        case (.proxy, .absolute(let scheme, let host, let port, let path)):
            guard scheme == "http" else {
                return refuse(.otherScheme(scheme), EgressAttempt(host: host, port: port, method: head.method))
            }
            return ask(host, port, head) { method throws(EgressDenial) in try Self.http(head, method, path) }
        case (.http, .absolute("http", let host, let port, let path)):
            return ask(host, port, head) { method throws(EgressDenial) in try Self.http(head, method, path) }
        case (.http, .origin(let path)):
            guard let authority = head.host else { return refuse(EgressDenial(HTTPRefusal.host)) }
            return ask(authority.host, authority.port ?? 80, head) { method throws(EgressDenial) in
                try Self.http(head, method, path)
            }
        default: return refuse(EgressDenial(HTTPRefusal.target))
        }
    }

    private static func host(_ head: HTTPRequestHead) -> String? {
        switch head.target {
        case .authority(let host, _), .absolute(_, let host, _, _): host
        case .origin: head.host?.host
        }
    }

    /// Without the path, and without a host's name that holds the stand-in itself: the log never does.
    private func misplaced(_ head: HTTPRequestHead) -> EgressAttempt {
        let port: UInt16? =
            switch head.target {
            case .authority(_, let port), .absolute(_, _, let port, _): port
            case .origin: head.host.map { $0.port ?? 80 }
            }
        let host = Self.host(head).flatMap { screen.find(in: Array($0.utf8)) == nil ? $0 : nil }
        return EgressAttempt(host: host, port: port, method: head.method)
    }

    private static func http(_ head: HTTPRequestHead, _ method: String, _ path: [UInt8]) throws(EgressDenial)
        -> (EgressRequest.Content, Pending.Kind)
    {
        do throws(RequestPathFailure) {
            let path = try RequestPath(path)
            return (.http(.http, method: method, path: path), .http(head, path))
        } catch {
            throw EgressDenial(error)
        }
    }

    private mutating func ask(
        _ host: String, _ port: UInt16, _ head: HTTPRequestHead,
        _ content: (String) throws(EgressDenial) -> (EgressRequest.Content, Pending.Kind)
    ) -> [Action] {
        let attempt = EgressAttempt(host: host, port: port, method: head.method)
        do throws(EgressDenial) {
            let name = try Self.name(host)
            let (content, kind) = try content(head.method)
            let request = EgressRequest(host: name, port: port, content: content)
            // Origin and gateway would see two destinations (P3).
            if let written = head.host?.host, (try? HostName(written)) != name {
                state = .asking(Pending(request: request, kind: kind, grant: nil))
                return refuse(.hostMismatch(written, name), attempt)
            }
            state = .asking(Pending(request: request, kind: kind, grant: nil))
            return [.ask(request)]
        } catch {
            return refuse(error, attempt)
        }
    }

    private static func name(_ text: String) throws(EgressDenial) -> HostName {
        do throws(HostNameFailure) {
            return try HostName(wire: Array(text.utf8))
        } catch {
            throw EgressDenial(error, written: text)
        }
    }

    static func tooLarge(_ grant: EgressGrant, _ limit: Int64) -> EgressDenial {
        EgressDenial(
            .uploadTooLarge, rule: grant.rule, layer: grant.layer,
            reason: "more than \(limit) bytes were sent to one destination", nextSteps: ["Send less, or in parts."])
    }

    public static let unavailable = EgressDenial(
        .unavailable, rule: "gateway", reason: "the way out is not available at the moment",
        nextSteps: [
            "Try again in some seconds.", "If it stays so, ask the person who runs this sandbox to run: aibox doctor",
        ])
}

/// What was asked for, as far as it could be read: for the record.
public struct EgressAttempt: Sendable, Equatable {
    /// As written by the sandbox; nil if nothing could be read.
    public var host: String?
    public var port: UInt16?
    public var method: String?
    public var path: String?

    public init(host: String?, port: UInt16?, method: String? = nil, path: String? = nil) {
        self.host = host
        self.port = port
        self.method = method
        self.path = path
    }

    public init(_ request: EgressRequest) {
        host = request.host.text
        port = request.port
        switch request.content {
        case .tunnel: method = "CONNECT"
        case .http(_, let method, let path):
            self.method = method
            self.path = path.path
        }
    }
}

/// What a request that went out has cost.
public struct EgressTraffic: Sendable, Equatable {
    public var request: EgressRequest
    /// Bytes of the body, or of the tunnel.
    public var bytesUp: Int64
    /// Bytes that came back.
    public var bytesDown: Int64

    public init(request: EgressRequest, bytesUp: Int64, bytesDown: Int64) {
        self.request = request
        self.bytesUp = bytesUp
        self.bytesDown = bytesDown
    }
}
