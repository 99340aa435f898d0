import AiboxNetwork

/// The head of a provider's answer, and what of it the sandbox gets.
struct UpstreamHead: Sendable, Equatable {
    var status: Int
    /// Names in lower case.
    var fields: [HTTPRequestHead.Field]
    /// nil: the body ends with the connection.
    var body: HTTPRequestHead.Body?
    /// The connection may carry another request afterwards.
    var keepsAlive: Bool

    enum Failure: Error, Sendable, Equatable {
        case malformed
        case tooLarge
        /// A body in an encoding that was not asked for: secrets in it could not be seen.
        case encoded
        case switched
    }

    static let limit = 64 << 10

    /// Reads a head at the beginning of `bytes`.
    ///
    /// - Returns: the head and its length; nil while it is incomplete.
    static func read(_ bytes: [UInt8], isHead: Bool = false) throws(Failure) -> (head: UpstreamHead, length: Int)? {
        guard let end = end(of: bytes) else {
            if bytes.count > limit { throw .tooLarge }
            return nil
        }
        if end > limit { throw .tooLarge }
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < end - 2 {
            guard let stop = bytes[start..<end].firstIndex(of: 0x0D), stop + 1 < end, bytes[stop + 1] == 0x0A else {
                throw .malformed
            }
            lines.append(bytes[start..<stop])
            start = stop + 2
        }
        guard let first = lines.first else { throw .malformed }
        return (try UpstreamHead(first, lines.dropFirst(), isHead: isHead), end)
    }

    private init(
        _ statusLine: ArraySlice<UInt8>, _ lines: ArraySlice<ArraySlice<UInt8>>, isHead: Bool
    ) throws(Failure) {
        let words = statusLine.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        let isNew = words.first?.elementsEqual("HTTP/1.1".utf8) ?? false
        for byte in statusLine where byte < 0x20 && byte != 0x09 || byte == 0x7F { throw .malformed }
        guard words.count >= 2, isNew || words[0].elementsEqual("HTTP/1.0".utf8), words[1].count == 3,
            let status = Int(String(decoding: words[1], as: UTF8.self)), (100...599).contains(status)
        else { throw .malformed }
        self.status = status
        fields = []
        keepsAlive = isNew
        for line in lines { fields.append(try Self.field(line)) }
        if status == 101 { throw .switched }
        for field in fields where field.name == "connection" {
            let words = field.text.lowercased()
            if words.contains("close") { keepsAlive = false }
        }
        body = try Self.body(fields, status, isHead: isHead)
        if body == nil { keepsAlive = false }
        try checkEncoding()
    }

    func checkEncoding() throws(Failure) {
        for field in fields where field.name == "content-encoding" && field.text.lowercased() != "identity" {
            throw .encoded
        }
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(Failure) -> HTTPRequestHead.Field {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { throw .malformed }
        let name = line[..<colon]
        guard name.allSatisfy({ (0x21...0x7E).contains($0) && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }) else {
            throw .malformed
        }
        var value = line[(colon + 1)...]
        while let byte = value.first, byte == 0x20 || byte == 0x09 { value = value.dropFirst() }
        while let byte = value.last, byte == 0x20 || byte == 0x09 { value = value.dropLast() }
        for byte in value where byte < 0x20 && byte != 0x09 || byte == 0x7F { throw .malformed }
        return HTTPRequestHead.Field(name: String(decoding: name, as: UTF8.self).lowercased(), value: Array(value))
    }

    static func body(
        _ fields: [HTTPRequestHead.Field], _ status: Int, isHead: Bool
    ) throws(Failure) -> HTTPRequestHead.Body? {
        let encodings = fields.filter { $0.name == "transfer-encoding" }
        let lengths = Set(fields.filter { $0.name == "content-length" }.map(\.value))
        if !encodings.isEmpty {
            // Both together is what smuggling looks like (RFC 9112 section 6.3).
            guard encodings.count == 1, encodings[0].text.lowercased() == "chunked", lengths.isEmpty else {
                throw .malformed
            }
        }
        if isHead || status < 200 || status == 204 || status == 304 { return HTTPRequestHead.Body.none }
        if !encodings.isEmpty { return .chunked }
        guard let length = lengths.first else { return nil }
        guard lengths.count == 1, (1...18).contains(length.count), length.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(String(decoding: length, as: UTF8.self))
        else { throw .malformed }
        return .length(number)
    }

    private static func end(of bytes: [UInt8]) -> Int? {
        var index = 3
        while index < bytes.count {
            // Only every fourth byte is looked at until one of the four stands there.
            switch bytes[index] {
            case 0x0A:
                if bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A, bytes[index - 3] == 0x0D { return index + 1 }
                index += 2
            case 0x0D: index += 1
            default: index += 4
            }
        }
        return nil
    }

    /// A field's value, decoded.
    func value(_ name: String) -> String? { fields.first { $0.name == name }?.text }

    /// Fields that concern one connection only, that set up something at the client, or that name the account.
    private static let dropped: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authentication-info", "te",
        "trailer", "transfer-encoding", "upgrade", "content-length", "set-cookie", "set-cookie2", "alt-svc",
        "strict-transport-security", "www-authenticate", "openai-organization", "openai-project",
        "anthropic-organization-id", "content-encoding", "report-to", "nel", "clear-site-data",
    ]

    /// The head for the sandbox.
    ///
    /// - Parameters:
    ///   - isChunked: the body is sent in chunks.
    ///   - closes: the connection ends with it.
    ///   - masked: grows by the forms of secrets taken out.
    func rendered(_ forms: SecretForms, isChunked: Bool, closes: Bool, masked: inout Int) -> [UInt8] {
        var head = Array("HTTP/1.1 \(status) \(HTTPStatus.phrase(status))\r\n".utf8)
        let named = Set(
            fields.filter { $0.name == "connection" }.flatMap {
                $0.text.lowercased().split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
            })
        for field in fields where !Self.dropped.contains(field.name) && !named.contains(field.name) {
            head += Redaction.mask(Array("\(field.name): ".utf8) + field.value, forms, count: &masked)
            head += "\r\n".utf8
        }
        if isChunked {
            head += "transfer-encoding: chunked\r\n".utf8
        } else if case .length(let size)? = body {
            head += "content-length: \(size)\r\n".utf8
        }
        head += (closes ? "connection: close\r\n\r\n" : "\r\n").utf8
        return head
    }
}
