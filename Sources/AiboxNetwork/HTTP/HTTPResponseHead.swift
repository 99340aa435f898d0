/// As much of a response's head as is needed to find its end (RFC 9112 section 6.3).
///
/// Responses come from Squid, which has parsed them; they are read leniently where a wrong guess can
/// only end the connection.
public struct HTTPResponseHead: Sendable, Equatable {
    public var status: Int
    /// The length of the head in bytes, blank line included.
    public var size: Int
    /// nil: the body ends with the connection.
    public var body: HTTPRequestHead.Body?
    public var closes: Bool

    public enum Progress: Sendable, Equatable {
        case needsMore
        case head(HTTPResponseHead)
        case malformed
    }

    /// Reads a head at the start of `bytes`.
    ///
    /// - Parameter isHead: the request was HEAD: no body whatever the fields say.
    public static func read(_ bytes: [UInt8], isHead: Bool, limit: Int = 128 << 10) -> Progress {
        guard let size = end(of: bytes) else { return bytes.count > limit ? .malformed : .needsMore }
        let lines = String(decoding: bytes[..<size], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100...599).contains(status)
        else { return .malformed }
        var head = HTTPResponseHead(status: status, size: size, body: nil, closes: words[0] == "HTTP/1.0")
        var length: Int64?
        var chunked = false
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return .malformed }
            let value = line[line.index(after: colon)...].trimmed
            switch line[..<colon].lowercased() {
            case "content-length":
                guard let number = Int64(value), number >= 0, length == nil || length == number else {
                    return .malformed
                }
                length = number
            case "transfer-encoding": chunked = value.lowercased().hasSuffix("chunked")
            case "connection", "proxy-connection": if value.lowercased().contains("close") { head.closes = true }
            default: break
            }
        }
        if isHead || status < 200 || status == 204 || status == 304 {
            head.body = HTTPRequestHead.Body.none
        } else if chunked {
            head.body = .chunked
        } else if let length {
            head.body = .length(length)
        }
        return .head(head)
    }

    private static func end(of bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        var index = 3
        while index < bytes.count {
            if bytes[index] == 0x0A, bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A, bytes[index - 3] == 0x0D {
                return index + 1
            }
            index += 1
        }
        return nil
    }
}
