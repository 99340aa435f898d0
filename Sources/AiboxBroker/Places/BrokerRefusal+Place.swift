import AiboxNetwork
import AiboxWire

extension BrokerRefusal {
    /// The whole answer, where the program at the other end shows it to people.
    ///
    /// git prints text/plain alone, after "remote:" (its remote-curl), and so does go; npm and cargo show `error` and
    /// `errors[].detail` of JSON; pip and NuGet show the words behind the status alone.
    func placeResponse(_ kind: PlaceGrant.Kind, to request: HTTPRequestHead?, keepsAlive: Bool) -> [UInt8] {
        let words = "aibox: \(reason)" + nextSteps.map { "\n\($0)" }.joined()
        let type: String
        let body: [UInt8]
        if rule == "git.lfs" {
            type = "application/vnd.git-lfs+json"
            body = JSONValue.object(["message": .string(words)]).bytes
        } else if kind != .git, request?.fields.contains(where: { $0.is("accept") && $0.text.contains("json") }) == true
        {
            type = "application/json"
            body =
                JSONValue.object([
                    "error": .string(words), "errors": [["detail": .string(words)]],
                    "aibox": ["rule": .string(rule), "reason": .string(reason)],
                ]).bytes
        } else {
            type = "text/plain; charset=utf-8"
            body = Array((words + "\n").utf8)
        }
        var head = "HTTP/1.1 \(status) \(kind == .git ? HTTPStatus.phrase(status) : statusWords)\r\n"
        head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n"
        head += "X-Aibox-Rule: \(rule)\r\nCache-Control: no-cache\r\n"
        if status == 405 { head += "Allow: \(allowed(kind))\r\n" }
        head += keepsAlive && !closes ? "\r\n" : "Connection: close\r\n\r\n"
        return Array(head.utf8) + (request?.method == "HEAD" ? [] : body)
    }

    /// Printable, and no longer than a line.
    private var statusWords: String {
        let words = "aibox: \(reason)".unicodeScalars.filter { (0x20...0x7E).contains($0.value) }
        return String(String.UnicodeScalarView(words.prefix(200)))
    }

    private func allowed(_ kind: PlaceGrant.Kind) -> String {
        switch kind {
        case .git: "GET, POST"
        case .mirror: "GET, HEAD"
        case .custom: CustomRoute.methods.joined(separator: ", ")
        }
    }
}
