/// Packets on their way to the gateway, in order: bounded, and what has no room is counted.
struct CallQueue {
    private var waiting: [[UInt8]] = []
    private var first = 0
    private var bytes = 0
    /// Calls of which no packet tells; wraps around.
    private(set) var dropped: UInt32 = 0
    private var told: UInt32 = 0

    /// Bytes that wait at most.
    static let limit = 4 << 20
    /// No packet is longer: path, words and folder are bounded.
    static let longest = 64 << 10

    /// Whether the next packet surely has room.
    var hasRoom: Bool { bytes + Self.longest <= Self.limit }

    mutating func append(_ packet: [UInt8]) {
        if bytes + packet.count > Self.limit { return drop() }
        waiting.append(packet)
        bytes += packet.count
    }

    mutating func drop() { dropped &+= 1 }

    /// The packet whose turn it is, with the count as it is now; nil where there is nothing to tell.
    var next: [UInt8]? {
        if first < waiting.count { return CallPacket.numbered(waiting[first], dropped: dropped) }
        return dropped == told ? nil : CallPacket.numbered(CallPacket.count, dropped: dropped)
    }

    var isEmpty: Bool { first == waiting.count && dropped == told }

    /// That packet was taken, with that count.
    mutating func sent() {
        told = dropped
        guard first < waiting.count else { return }
        bytes -= waiting[first].count
        waiting[first] = []
        first += 1
        if first == waiting.count || first > 1024 {
            waiting.removeFirst(first)
            first = 0
        }
    }
}
