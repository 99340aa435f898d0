import AiboxHTTP2
import AiboxNetwork

extension UpstreamHead {
    /// The head of an answer in HTTP/2 (RFC 9113 section 8.3.2). That names are in lower case, and that no field belongs to a
    /// connection of HTTP/1.1, the framing has checked; it also counts whether the body is as long as the head says.
    init(_ head: [HTTP2Field], isHead: Bool) throws(Failure) {
        guard let text = head[":status"], text.utf8.count == 3, let status = Int(text), (200...599).contains(status)
        else {
            throw .malformed
        }
        self.status = status
        keepsAlive = true
        fields = head.filter { !$0.name.hasPrefix(":") }.map {
            HTTPRequestHead.Field(name: $0.name, value: Array($0.value.utf8))
        }
        for field in fields {
            for byte in field.value where byte < 0x20 && byte != 0x09 || byte == 0x7F { throw .malformed }
        }
        body = try Self.body(fields, status, isHead: isHead) ?? .chunked
        try checkEncoding()
    }
}
