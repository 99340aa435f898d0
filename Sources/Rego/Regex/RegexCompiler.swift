/// Turns a syntax tree into instructions, back to front: every piece knows what follows it.
struct RegexCompiler {
    private(set) var code: [RegexProgram.Instruction] = []
    private(set) var sets: [UnicodeTables.Ranges] = []
    private(set) var start = 0
    let slotCount: Int
    private var setIndexes: [UnicodeTables.Ranges: Int32] = [:]
    private var rangeCount = 0

    init(slotCount: Int) { self.slotCount = slotCount }

    mutating func compile(_ node: RegexNode) throws(SupportError) {
        let match = try emit(.match)
        let close = try emit(.save, next: match, argument: 1)
        let body = try emit(node, then: close)
        start = Int(try emit(.save, next: body, argument: 0))
    }

    /// The entry of `node` when matching goes on at `next`.
    private mutating func emit(_ node: RegexNode, then next: Int32) throws(SupportError) -> Int32 {
        switch node {
        case .empty: return next
        case .rune(let rune): return try emit(.rune, next: next, argument: Int32(bitPattern: rune))
        case .any: return try emit(.any, next: next)
        case .anyButNewline: return try emit(.anyButNewline, next: next)
        case .set(let ranges): return try emitSet(ranges, then: next)
        case .assertion(let assertion):
            return try emit(.assertion, next: next, argument: Int32(assertion.rawValue))
        case .capture(let node, let index):
            let close = try emit(.save, next: next, argument: Int32(index * 2 + 1))
            let body = try emit(node, then: close)
            return try emit(.save, next: body, argument: Int32(index * 2))
        case .concat(let nodes):
            var next = next
            for node in nodes.reversed() { next = try emit(node, then: next) }
            return next
        case .alternate(let nodes):
            var entry: Int32?
            for node in nodes.reversed() {
                let branch = try emit(node, then: next)
                entry = if let rest = entry { try emit(.split, next: branch, argument: rest) } else { branch }
            }
            return entry ?? next
        case .repeated(let node, let min, let max, let greedy):
            return try emitRepeat(node, min: min, max: max, greedy: greedy, then: next)
        }
    }

    private mutating func emitRepeat(
        _ node: RegexNode, min: Int, max: Int?, greedy: Bool, then next: Int32
    ) throws(SupportError) -> Int32 {
        var next = next
        if let max {
            if max == 0 { return next }
            // x{2,4} is x x (x (x)?)?
            let end = next
            for _ in min..<Swift.max(min, max) { next = try branch(try emit(node, then: next), end, greedy) }
            for _ in 0..<min { next = try emit(node, then: next) }
            return next
        }
        // (x*)* must try one round before it gives up, as Go does: (x+)?
        next = try emitPlus(node, greedy: greedy, then: next, optional: min == 0)
        for _ in 0..<Swift.max(0, min - 1) { next = try emit(node, then: next) }
        return next
    }

    private mutating func emitPlus(
        _ node: RegexNode, greedy: Bool, then next: Int32, optional: Bool
    ) throws(SupportError) -> Int32 {
        let loop = try emit(.split)
        let body = try emit(node, then: loop)
        setBranch(loop, body, next, greedy)
        if !optional { return body }
        return node.isNullable ? try branch(body, next, greedy) : loop
    }

    private mutating func branch(_ body: Int32, _ exit: Int32, _ greedy: Bool) throws(SupportError) -> Int32 {
        let split = try emit(.split)
        setBranch(split, body, exit, greedy)
        return split
    }

    private mutating func setBranch(_ split: Int32, _ body: Int32, _ exit: Int32, _ greedy: Bool) {
        code[Int(split)].next = greedy ? body : exit
        code[Int(split)].argument = greedy ? exit : body
    }

    private mutating func emitSet(_ ranges: UnicodeTables.Ranges, then next: Int32) throws(SupportError) -> Int32 {
        if ranges.isEmpty { return try emit(.fail) }
        if ranges.count == 1, ranges[0].count == 1 {
            return try emit(.rune, next: next, argument: Int32(bitPattern: ranges[0].lowerBound))
        }
        if ranges == [0...UnicodeTables.maxRune] { return try emit(.any, next: next) }
        if let index = setIndexes[ranges] { return try emit(.set, next: next, argument: index) }
        rangeCount += ranges.count
        guard rangeCount <= RegexProgram.maxInstructions else { throw RegexCompiler.tooLarge }
        let index = Int32(sets.count)
        sets.append(ranges)
        setIndexes[ranges] = index
        return try emit(.set, next: next, argument: index)
    }

    private mutating func emit(
        _ operation: RegexProgram.Operation, next: Int32 = 0, argument: Int32 = 0
    ) throws(SupportError) -> Int32 {
        guard code.count < RegexProgram.maxInstructions else { throw RegexCompiler.tooLarge }
        code.append(RegexProgram.Instruction(operation: operation, next: next, argument: argument))
        return Int32(code.count - 1)
    }

    private static let tooLarge = SupportError.limit("error parsing regexp: expression too large")
}

/// Facts about a program that allow shortcuts.
struct RegexShape {
    private(set) var isAnchored = false
    private(set) var prefix: [UInt8] = []
    private(set) var isLiteral = false
    private(set) var hasAssertions = false

    init(_ compiler: RegexCompiler) {
        let code = compiler.code
        var position = compiler.start
        var captures = 0
        walk: while prefix.count < 256 {
            let instruction = code[position]
            switch instruction.operation {
            case .save: captures += 1
            case .assertion where instruction.argument == Int32(RegexAssertion.beginText.rawValue) && prefix.isEmpty:
                isAnchored = true
            case .rune:
                // U+FFFD also stands for bad bytes.
                let rune = UInt32(bitPattern: instruction.argument)
                if rune == GoRune.replacement { break walk }
                GoRune.append(rune, to: &prefix)
            case .match:
                isLiteral = captures == 2
                break walk
            default: break walk
            }
            position = Int(instruction.next)
        }
        hasAssertions = code.contains {
            $0.operation == .assertion && $0.argument != Int32(RegexAssertion.beginText.rawValue)
        }
        if isAnchored { isLiteral = false }
    }
}
