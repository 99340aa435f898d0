/// How much of each connection's input Squid holds and has not passed on: its cache manager's page `active_requests`.
public struct SquidBuffers: Sendable, Equatable {
    /// Bytes by the port that a connection came from. Who has none under way is not in it.
    public private(set) var held: [UInt16: Int] = [:]

    /// What is asked of Squid's port. HTTP/1.0: the answer ends with the connection.
    ///
    /// - Parameter secret: that of `SquidConfiguration`.
    public static func question(port: UInt16, secret: String) -> [UInt8] {
        let place = "\(SquidConfiguration.hostName):\(port)"
        return Array(
            ("GET /squid-internal-mgr/active_requests HTTP/1.0\r\nHost: \(place)\r\n"
                + "\(SquidConfiguration.keyHeader): \(SquidConfiguration.readerKey(secret))\r\n\r\n").utf8)
    }

    /// - Returns: nil for what is no such page.
    public init?(answer: [UInt8]) {
        guard answer.starts(with: Array("HTTP/1.1 200 ".utf8)) || answer.starts(with: Array("HTTP/1.0 200 ".utf8)),
            let head = answer.firstRange(of: Array("\r\n\r\n".utf8))
        else { return nil }
        var used: Int?
        var isPage = false
        for line in answer[head.upperBound...].split(separator: 0x0A) {
            // A connection's URL is the sandbox's own text: lines that say something of the connection begin with a tab.
            guard line.first == 0x09 else { continue }
            let words = line.dropFirst().split(separator: 0x20)
            if words.count == 7, words[0].elementsEqual("in:".utf8), words[3].elementsEqual("used".utf8) {
                used = Self.number(words[4].dropLast())
                isPage = true
            } else if words.count == 2, words[0].elementsEqual("remote:".utf8), let bytes = used,
                let colon = words[1].lastIndex(of: 0x3A), let port = Self.number(words[1][(colon + 1)...]),
                let port = UInt16(exactly: port)
            {
                held[port] = max(bytes, held[port] ?? 0)
                used = nil
            }
        }
        if !isPage { return nil }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        if digits.isEmpty || digits.count > 15 { return nil }
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }
}
