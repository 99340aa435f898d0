import AiboxCrypto

/// Takes the messages out of an event stream of AWS (docs.aws.amazon.com, "Event stream encoding"): each has two lengths of four
/// bytes and their checksum, headers, content, and a checksum of all of it.
///
/// A stream that breaks the form is not read any further. A message beyond the limit is passed over.
struct EventFrames {
    private let limit: Int
    private var buffer: [UInt8] = []
    /// Bytes of a message that is too long, which are left.
    private var skipped = 0
    private(set) var isBroken = false

    private static let prelude = 12
    /// Lengths and both checksums.
    private static let least = 16

    /// - Parameter limit: bytes of a message.
    init(limit: Int) { self.limit = limit }

    /// Nothing of a next message has come.
    var isBetween: Bool { buffer.isEmpty && skipped == 0 && !isBroken }

    /// - Parameter take: gets the content of each message that is whole.
    mutating func feed(_ piece: some Collection<UInt8>, _ take: ([UInt8]) -> Void) {
        if isBroken { return }
        var rest = piece[...]
        if skipped > 0 {
            let count = min(skipped, rest.count)
            skipped -= count
            rest = rest.dropFirst(count)
        }
        buffer += rest
        var start = 0
        while !isBroken, buffer.count - start >= Self.prelude {
            let all = number(at: start)
            let headers = number(at: start + 4)
            guard all >= Self.least, headers <= all - Self.least,
                CRC32.checksum(buffer[start..<start + 8]) == UInt32(number(at: start + 8))
            else {
                isBroken = true
                break
            }
            if all > limit {
                skipped = max(0, all - (buffer.count - start))
                start = min(buffer.count, start + all)
                continue
            }
            let end = start + all
            if buffer.count < end { break }
            if CRC32.checksum(buffer[start..<end - 4]) == UInt32(number(at: end - 4)) {
                take(Array(buffer[start + Self.prelude + headers..<end - 4]))
            } else {
                isBroken = true
            }
            start = end
        }
        buffer.removeFirst(start)
        if isBroken { buffer = [] }
    }

    private func number(at place: Int) -> Int {
        buffer[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
