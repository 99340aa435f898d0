public import AiboxSystem

/// Where events are sent beside the log: `syslog+tls://HOST:PORT`, `https://HOST[:PORT]/PATH` or
/// `otlp+https://HOST[:PORT]/PATH`, with `?ca=FILE` and `&token=FILE` where needed.
public struct SinkAddress: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// RFC 5424 messages over TLS (RFC 5425).
        case syslog = "syslog+tls"
        /// Lines of JSON in the body of a POST.
        case https
        /// Log records of OpenTelemetry as JSON in the body of a POST (OTLP/HTTP 1.x).
        case otlp = "otlp+https"
    }

    public var kind: Kind
    public var host: String
    public var port: UInt16
    public var path: String
    /// Certificates to trust instead of the system's.
    public var authorities: String?
    /// A file with the bearer token of an HTTP sink.
    public var tokenFile: String?
    public let text: String

    /// - Throws: `usage` with what is wrong.
    public init(_ text: String) throws(AiboxError) {
        func wrong(_ why: String) -> AiboxError {
            AiboxError(
                .usage, "\(text) is no address for audit events", why: why,
                remedy: "syslog+tls://HOST:6514, https://HOST/PATH or otlp+https://HOST/v1/logs; ?ca=FILE&token=FILE")
        }
        guard let mark = text.firstRange(of: "://"), let kind = Kind(rawValue: String(text[..<mark.lowerBound])) else {
            throw wrong("it begins with none of syslog+tls://, https://, otlp+https://")
        }
        let rest = text[mark.upperBound...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = rest.first ?? ""
        let authority = place.prefix { $0 != "/" }
        path = place.count > authority.count ? String(place.dropFirst(authority.count)) : "/"
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty, !host.contains("@") else {
            throw wrong("it names no host")
        }
        guard let port = parts.count == 2 ? UInt16(parts[1]) : kind == .syslog ? 6514 : 443, port > 0 else {
            throw wrong("\(parts.last ?? "") is no port")
        }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw wrong("its path has characters that do not belong there")
        }
        for option in rest.count == 2 ? rest[1].split(separator: "&") : [] {
            let pair = option.split(separator: "=", maxSplits: 1)
            switch (pair.first, pair.count) {
            case ("ca", 2): authorities = String(pair[1])
            case ("token", 2) where kind != .syslog: tokenFile = String(pair[1])
            default: throw wrong("it knows no option \(option)")
            }
        }
        self.kind = kind
        self.host = String(host)
        self.port = port
        self.text = text
    }
}
