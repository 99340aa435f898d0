import NIOCore

/// Which of several upstreams failed lately: those are passed over for a while, then one request tries each again.
struct UpstreamCircuit {
    private var until: [UpstreamBase: NIODeadline] = [:]

    static let pause = TimeAmount.seconds(30)

    /// In which order a request tries them: as they are named, those that failed lately at the end.
    mutating func order(_ all: [UpstreamBase], at now: NIODeadline = .now()) -> [UpstreamBase] {
        if all.count < 2 { return all }
        var first: [UpstreamBase] = []
        var last: [UpstreamBase] = []
        for base in all {
            guard let end = until[base] else {
                first.append(base)
                continue
            }
            if end > now {
                last.append(base)
            } else {
                // This request tries it; the others wait for what becomes of it.
                if first.isEmpty { until[base] = now + Self.pause }
                first.append(base)
            }
        }
        return first + last
    }

    mutating func failed(_ base: UpstreamBase, at now: NIODeadline = .now()) { until[base] = now + Self.pause }

    mutating func works(_ base: UpstreamBase) { until[base] = nil }

    /// What a server answers that is in trouble, or the one behind it (RFC 9110 section 15.6; 529: Anthropic's docs, "Errors").
    static func isTrouble(_ status: Int) -> Bool { [502, 503, 504, 529].contains(status) }

    /// What it answers that has refused the request for want of room. With 502 and 504 nobody knows what became of it.
    static func isRefusal(_ status: Int) -> Bool { [503, 529].contains(status) }
}
