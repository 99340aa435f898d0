/// The head of a request to the port for Prometheus, as far as it matters: one path, to read, on this machine.
enum MetricsRequest {
    /// Bytes of a head.
    static let limit = 8192

    enum Answer: Equatable {
        case more
        case figures
        case refusal(status: String)
    }

    /// What to answer to what has come so far.
    static func answer(to bytes: [UInt8]) -> Answer {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            return bytes.count < limit ? .more : .refusal(status: "431 Request Header Fields Too Large")
        }
        if bytes.count > limit { return .refusal(status: "431 Request Header Fields Too Large") }
        let lines = bytes[..<end.lowerBound].split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == 0x0d ? line.dropLast() : line, as: UTF8.self)
        }
        let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else {
            return .refusal(status: "400 Bad Request")
        }
        // A page in somebody's browser that leads its own name to this port learns nothing (DNS rebinding).
        let hosts = lines.dropFirst().filter { $0.lowercased().hasPrefix("host:") }
            .map { $0.dropFirst(5).filter { $0 != " " && $0 != "\t" } }
        guard hosts.count == 1, let name = hosts[0].split(separator: ":").first,
            name == "127.0.0.1" || name.lowercased() == "localhost"
        else { return .refusal(status: "421 Misdirected Request") }
        if words[0] != "GET" { return .refusal(status: "405 Method Not Allowed") }
        if words[1] != "/metrics" { return .refusal(status: "404 Not Found") }
        return .figures
    }
}
