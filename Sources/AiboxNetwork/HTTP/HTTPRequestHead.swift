/// The head of an HTTP/1.x request, read strictly (RFC 9112).
public struct HTTPRequestHead: Sendable, Equatable {
    /// What stands between method and version (RFC 9112 section 3.2).
    public enum Target: Sendable, Equatable {
        /// CONNECT: host as written, and port.
        case authority(host: String, port: UInt16)
        /// A request to a proxy: scheme and host as written in lower case, port, path with query.
        case absolute(scheme: String, host: String, port: UInt16, path: [UInt8])
        /// A request to what it takes for the origin: path with query.
        case origin(path: [UInt8])
    }

    public struct Field: Sendable, Equatable {
        /// As written; compare with `is`.
        public var name: String
        /// Without white space at the ends.
        public var value: [UInt8]

        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }

        /// True if the field has this name; `other` in lower case.
        public func `is`(_ other: String) -> Bool { name.utf8.lazy.map(\.lowercasedASCII).elementsEqual(other.utf8) }

        public var text: String { String(decoding: value, as: UTF8.self) }
    }

    /// What follows the head.
    public enum Body: Sendable, Equatable {
        case none
        case length(Int64)
        case chunked
    }

    public var method: String
    public var target: Target
    /// 0 or 1, of HTTP/1.x.
    public var minorVersion: Int
    public var fields: [Field]
    /// The one Host field as written: host and port, if any. Nil only in HTTP/1.0.
    public var host: HTTPAuthority?
    public var body: Body

    /// True if the client wants to send another request on this connection.
    public var keepsAlive: Bool {
        let tokens = fields.filter { $0.is("connection") || $0.is("proxy-connection") }.flatMap { field in
            field.text.lowercased().split(separator: ",").map { $0.trimmed }
        }
        if tokens.contains("close") { return false }
        return minorVersion == 1 || tokens.contains("keep-alive")
    }
}

/// Host and port as written in a request: `example.com`, `example.com:8080`, `[::1]:80`.
public struct HTTPAuthority: Sendable, Equatable {
    /// As written, brackets included.
    public var host: String
    public var port: UInt16?

    /// Nil for what is no authority: user information, no digits after the colon, port 0 or beyond 65535.
    public init?(_ text: Substring) {
        var host = text
        var port: UInt16?
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = text[...end]
            let rest = text[text.utf8.index(after: end)...]
            if !rest.isEmpty {
                guard rest.utf8.first == UInt8(ascii: ":"), let number = Self.port(rest.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            host = text[..<colon]
            guard let number = Self.port(text[text.utf8.index(after: colon)...]) else { return nil }
            port = number
        }
        guard !host.isEmpty, host.utf8.count <= 1024, !host.utf8.contains(where: { Self.forbidden.contains($0) }) else {
            return nil
        }
        self.host = String(host)
        self.port = port
    }

    private static let forbidden = Set("@/?#\\ \t\",".utf8)

    private static func port(_ text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(\.isASCIIDigit), let port = UInt16(text), port > 0
        else { return nil }
        return port
    }
}

extension Substring {
    /// Without spaces and tabs at the ends.
    var trimmed: String {
        var view = self
        while view.utf8.first == 0x20 || view.utf8.first == 0x09 { view = view.dropFirst() }
        while view.utf8.last == 0x20 || view.utf8.last == 0x09 { view = view.dropLast() }
        return String(view)
    }
}
