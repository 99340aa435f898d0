/// Finds many texts at once (Wu and Manber, "A fast algorithm for multi-pattern searching", 1994): text in which none of
/// them occurs is passed over in steps.
struct TextSearch: Sendable {
    let patterns: [[UInt8]]
    /// Bytes of the shortest, 255 at most.
    private let window: Int
    /// How far the window may go on, by the two bytes at its end.
    private let shift: [UInt8]
    /// The patterns whose window ends with two bytes.
    private let ending: [UInt16: [Int]]

    init(_ patterns: [[UInt8]]) {
        self.patterns = patterns
        window = min(patterns.map(\.count).min() ?? 0, 255)
        var shift = [UInt8](repeating: UInt8(max(0, window - 1)), count: 65_536)
        var ending: [UInt16: [Int]] = [:]
        for (index, pattern) in patterns.enumerated() where window >= 2 {
            for end in 1..<window {
                let block = Int(pattern[end - 1]) << 8 | Int(pattern[end])
                shift[block] = min(shift[block], UInt8(window - 1 - end))
            }
            ending[UInt16(pattern[window - 2]) << 8 | UInt16(pattern[window - 1]), default: []].append(index)
        }
        self.shift = shift
        self.ending = ending
    }

    /// Where patterns stand in the text, and which. Those that lie in another one, or over its end, are found as well.
    func find(in text: UnsafeRawBufferPointer, _ found: (Range<Int>, Int) -> Void) {
        guard window >= 2, text.count >= window, let base = text.baseAddress else { return }
        let bytes = base.assumingMemoryBound(to: UInt8.self)
        let count = text.count
        shift.withUnsafeBufferPointer { shift in
            var end = window - 1
            while end < count {
                let block = UInt16(bytes[end - 1]) << 8 | UInt16(bytes[end])
                let step = Int(shift[Int(block)])
                if step > 0 {
                    end += step
                    continue
                }
                let start = end - (window - 1)
                for index in ending[block] ?? [] where start + patterns[index].count <= count {
                    let pattern = patterns[index]
                    if pattern.withUnsafeBytes({ $0.elementsEqual(text[start..<start + pattern.count]) }) {
                        found(start..<start + pattern.count, index)
                    }
                }
                end += 1
            }
        }
    }
}
