/// A compiled expression: instructions in one block of memory, read by all matchers.
final class RegexProgram: @unchecked Sendable {
    // The pointers are written in `init` only and freed in `deinit`.

    enum Operation: UInt8 {
        case rune, set, any, anyButNewline, split, assertion, save, match, fail
    }

    struct Instruction {
        var operation: Operation
        var next: Int32 = 0
        /// The code point, set index, second branch, assertion or capture slot.
        var argument: Int32 = 0
    }

    /// Instructions are few enough for the bitmaps and queues to stay small.
    static let maxInstructions = 100_000

    let count: Int
    let start: Int
    let instructions: UnsafeMutablePointer<Instruction>
    let slotCount: Int
    let groupNames: [String?]
    /// Every match begins at the start of the text.
    let isAnchored: Bool
    /// Bytes every match begins with.
    let prefix: [UInt8]
    /// The prefix is the whole expression.
    let isLiteral: Bool
    /// Zero-width instructions other than the start of the text.
    let hasAssertions: Bool
    let isEmptyPattern: Bool

    /// Two words of bits for ASCII, for each set.
    private let ascii: UnsafeMutablePointer<(UInt64, UInt64)>
    /// First and last entries in `bounds`, for each set.
    private let spans: UnsafeMutablePointer<(Int32, Int32)>
    /// Lower and upper ends of the parts beyond ASCII.
    private let bounds: UnsafeMutablePointer<(UInt32, UInt32)>
    private let setCount: Int
    private let boundCount: Int
    /// First code points of the classes that no instruction tells apart, ascending from 0.
    let classStarts: [UInt32]

    convenience init(_ pattern: String) throws(SupportError) {
        let (node, names) = try RegexParser.parse(pattern)
        try self.init(node, groupNames: names, isEmptyPattern: pattern.isEmpty)
    }

    init(_ node: RegexNode, groupNames names: [String?], isEmptyPattern: Bool) throws(SupportError) {
        self.isEmptyPattern = isEmptyPattern
        var compiler = RegexCompiler(slotCount: names.count * 2)
        try compiler.compile(node)
        groupNames = names
        slotCount = names.count * 2
        count = compiler.code.count
        start = compiler.start
        instructions = .allocate(capacity: max(count, 1))
        instructions.initialize(from: compiler.code, count: count)

        setCount = compiler.sets.count
        ascii = .allocate(capacity: max(setCount, 1))
        spans = .allocate(capacity: max(setCount, 1))
        var flat: [(UInt32, UInt32)] = []
        for (index, ranges) in compiler.sets.enumerated() {
            var low: UInt64 = 0
            var high: UInt64 = 0
            let first = flat.count
            for range in ranges {
                var rune = range.lowerBound
                while rune <= range.upperBound, rune < 128 {
                    if rune < 64 { low |= 1 << UInt64(rune) } else { high |= 1 << UInt64(rune - 64) }
                    rune += 1
                }
                if range.upperBound >= 128 { flat.append((max(range.lowerBound, 128), range.upperBound)) }
            }
            ascii.advanced(by: index).initialize(to: (low, high))
            spans.advanced(by: index).initialize(to: (Int32(first), Int32(flat.count)))
        }
        boundCount = flat.count
        bounds = .allocate(capacity: max(boundCount, 1))
        bounds.initialize(from: flat, count: boundCount)

        let shape = RegexShape(compiler)
        isAnchored = shape.isAnchored
        prefix = shape.prefix
        isLiteral = shape.isLiteral
        hasAssertions = shape.hasAssertions
        classStarts = RegexProgram.classes(compiler)
    }

    deinit {
        instructions.deallocate()
        ascii.deallocate()
        spans.deallocate()
        bounds.deallocate()
    }

    /// Whether a character instruction accepts `rune`.
    @inline(__always)
    func accepts(_ instruction: Instruction, _ rune: UInt32) -> Bool {
        switch instruction.operation {
        case .rune: UInt32(bitPattern: instruction.argument) == rune
        case .any: true
        case .anyButNewline: rune != 10
        case .set:
            if rune < 64 {
                ascii[Int(instruction.argument)].0 >> UInt64(rune) & 1 == 1
            } else if rune < 128 {
                ascii[Int(instruction.argument)].1 >> UInt64(rune - 64) & 1 == 1
            } else {
                setContains(Int(instruction.argument), rune)
            }
        default: false
        }
    }

    private func setContains(_ index: Int, _ rune: UInt32) -> Bool {
        var low = Int(spans[index].0)
        let end = Int(spans[index].1)
        var high = end
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle].1 < rune { low = middle + 1 } else { high = middle }
        }
        return low < end && bounds[low].0 <= rune
    }

    /// Splits the code points where some instruction may start or stop to accept.
    private static func classes(_ compiler: RegexCompiler) -> [UInt32] {
        var starts: Set<UInt32> = [0, 10, 11]
        // Word boundaries look at these.
        if compiler.code.contains(where: { $0.operation == .assertion }) {
            starts.formUnion([0x30, 0x3A, 0x41, 0x5B, 0x5F, 0x60, 0x61, 0x7B])
        }
        for instruction in compiler.code where instruction.operation == .rune {
            let rune = UInt32(bitPattern: instruction.argument)
            starts.insert(rune)
            starts.insert(rune + 1)
        }
        for range in compiler.sets.joined() {
            starts.insert(range.lowerBound)
            starts.insert(range.upperBound + 1)
        }
        return starts.filter { $0 <= UnicodeTables.maxRune }.sorted()
    }
}

/// What zero-width instructions see around a position.
enum RegexContext {
    static func holds(_ assertion: Int32, _ bytes: Bytes, _ position: Int) -> Bool {
        switch RegexAssertion(rawValue: UInt8(truncatingIfNeeded: assertion)) {
        case .beginText?: position == 0
        case .endText?: position == bytes.count
        case .beginLine?: position == 0 || bytes[position - 1] == 10
        case .endLine?: position == bytes.count || bytes[position] == 10
        case .wordBoundary?: isBoundary(bytes, position)
        case .noWordBoundary?: !isBoundary(bytes, position)
        case nil: false
        }
    }

    private static func isBoundary(_ bytes: Bytes, _ position: Int) -> Bool {
        let before = position > 0 && RuneContext.isWord(UInt32(bytes[position - 1]))
        let after = position < bytes.count && RuneContext.isWord(UInt32(bytes[position]))
        return before != after
    }
}

enum RuneContext {
    /// ASCII letters, digits and `_`.
    @inline(__always)
    static func isWord(_ rune: UInt32) -> Bool {
        switch rune {
        case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A: true
        default: false
        }
    }
}
