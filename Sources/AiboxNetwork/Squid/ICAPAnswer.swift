/// What Squid is told.
public enum ICAPAnswer: Sendable, Equatable {
    case options
    /// It goes out as it is, or with this head in the place of its own. The event is in the log, under this id.
    case passes(event: String, head: [UInt8]? = nil)
    /// The client gets this answer instead; the log has it already.
    case refused(EgressDenial, isHead: Bool)
    /// To the gateway's own question by way of Squid (`SquidConfiguration.judgedProbe`): the judge is heard. Nothing goes out.
    case heard
    case notFound

    /// The field by which Squid's own log tells whose decision a line is about.
    public static let eventField = "X-Aibox-Event"
    /// Its value where the request was refused.
    public static let told = "refused"

    public var bytes: [UInt8] {
        let end = "ISTag: \"aibox\"\r\n"
        switch self {
        case .options:
            return Array(
                ("ICAP/1.0 200 OK\r\n\(end)Methods: REQMOD\r\nAllow: 204\r\nPreview: 0\r\nTransfer-Preview: *\r\n"
                    + "Options-TTL: 86400\r\nEncapsulated: null-body=0\r\n\r\n").utf8)
        case .passes(let event, nil):
            return Array("ICAP/1.0 204 No Content\r\n\(end)\(Self.eventField): \(event)\r\n\r\n".utf8)
        case .passes(let event, let head?):
            let sections = "Encapsulated: req-hdr=0, null-body=\(head.count)"
            return Array("ICAP/1.0 200 OK\r\n\(end)\(Self.eventField): \(event)\r\n\(sections)\r\n\r\n".utf8) + head
        case .notFound:
            return Array("ICAP/1.0 404 Not Found\r\n\(end)Encapsulated: null-body=0\r\nConnection: close\r\n\r\n".utf8)
        case .heard:
            let head = "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n"
            return Array(
                "ICAP/1.0 200 OK\r\n\(end)Encapsulated: res-hdr=0, null-body=\(head.utf8.count)\r\n\r\n\(head)".utf8)
        case .refused(let denial, let isHead):
            let body = denial.json
            let head =
                "HTTP/1.1 \(denial.status) \(HTTPStatus.phrase(denial.status))\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\nCache-Control: no-store\r\n\r\n"
            let sections = "res-hdr=0, \(isHead ? "null" : "res")-body=\(head.utf8.count)"
            let chunk = isHead ? "" : String(body.utf8.count, radix: 16) + "\r\n\(body)\r\n0\r\n\r\n"
            return Array(
                ("ICAP/1.0 200 OK\r\n\(end)\(Self.eventField): \(Self.told)\r\nEncapsulated: \(sections)\r\n\r\n\(head)"
                    + chunk).utf8)
        }
    }
}
