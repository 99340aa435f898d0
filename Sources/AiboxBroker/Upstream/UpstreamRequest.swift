import AiboxHTTP2
import AiboxNetwork

/// A request as an upstream gets it, whichever protocol carries it.
struct UpstreamRequest: Sendable, Equatable {
    let base: UpstreamBase
    let method: String
    /// Path and query.
    let target: String
    /// Without those that say where it goes and how long the body is.
    let fields: [HTTPRequestHead.Field]
    let body: HTTPRequestHead.Body

    /// The answer has no body, whatever it says of one (RFC 9110 section 9.3.2).
    var isHead: Bool { method == "HEAD" }

    /// The head in HTTP/1.1 (RFC 9112 sections 3 and 6).
    var head: [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(1024)
        head += "\(method) \(target) HTTP/1.1\r\nHost: \(base.authority)\r\n".utf8
        for field in fields {
            head += "\(field.name): ".utf8
            head += field.value
            head += "\r\n".utf8
        }
        switch body {
        case .none: break
        case .length(let size): head += "Content-Length: \(size)\r\n".utf8
        case .chunked: head += "Transfer-Encoding: chunked\r\n".utf8
        }
        return head + "\r\n".utf8
    }

    /// Fields of one connection, which HTTP/2 does not have (RFC 9113 section 8.2.2).
    private static let dropped: Set<String> = [
        "connection", "host", "http2-settings", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade",
    ]

    /// The head in HTTP/2 (RFC 9113 section 8.3.1).
    var http2Head: [HTTP2Field] {
        var head = [
            HTTP2Field(":method", method), HTTP2Field(":scheme", base.isTLS ? "https" : "http"),
            HTTP2Field(":authority", base.authority), HTTP2Field(":path", target),
        ]
        for field in fields {
            let name = field.name.lowercased()
            if !Self.dropped.contains(name) { head.append(HTTP2Field(name, field.text)) }
        }
        if case .length(let size) = body { head.append(HTTP2Field("content-length", "\(size)")) }
        return head
    }
}
