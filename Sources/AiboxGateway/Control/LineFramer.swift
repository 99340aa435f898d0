/// Cuts a stream of bytes into lines of bounded length.
struct LineFramer: Sendable {
    struct Overlong: Error, Equatable {}

    private let limit: Int
    private var line: [UInt8] = []

    /// - Parameter limit: bytes of a line, its newline included.
    init(limit: Int) { self.limit = limit }

    /// Takes bytes and returns the lines that are complete, without their newlines.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(Overlong) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(line)
                line = []
            } else {
                line.append(byte)
                if line.count >= limit { throw Overlong() }
            }
        }
        return lines
    }
}
