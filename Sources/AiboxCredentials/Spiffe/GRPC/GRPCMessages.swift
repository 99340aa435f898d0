/// Messages in a body, each after a byte that says whether it is compressed and four with its length
/// (gRPC's PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
struct GRPCMessages {
    /// Bytes of a message at most: what gRPC's own libraries take unless told otherwise.
    static let longest = 4 << 20

    private var bytes: [UInt8] = []
    /// A message was too long, or compressed, which nobody allowed: nothing after it can be read.
    private(set) var fault: String?

    /// Whether a part of a message waits for its rest.
    var isInside: Bool { !bytes.isEmpty }

    static func framed(_ message: [UInt8]) -> [UInt8] {
        [0] + (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (24 - 8 * $0)) } + message
    }

    /// The messages that are complete now.
    mutating func feed(_ part: [UInt8]) -> [[UInt8]] {
        if fault != nil { return [] }
        bytes += part
        var messages: [[UInt8]] = []
        var start = 0
        while bytes.count - start >= 5 {
            if bytes[start] != 0 {
                fault = "a message is compressed"
                break
            }
            let count = bytes[start + 1..<start + 5].reduce(0) { $0 << 8 | Int($1) }
            if count > Self.longest {
                fault = "a message is longer than \(Self.longest >> 20) MiB"
                break
            }
            if bytes.count - start - 5 < count { break }
            messages.append(Array(bytes[start + 5..<start + 5 + count]))
            start += 5 + count
        }
        bytes.removeFirst(start)
        if fault != nil { bytes = [] }
        return messages
    }
}
