/// Answers "does it match anywhere" with states built on demand: one table look-up a character once warm.
///
/// A state is the set of instructions waiting behind the last character, together with the kind of that character.
/// Zero-width instructions are resolved when the next character is known.
final class RegexAutomaton {
    private let program: RegexProgram
    private let classCount: Int
    private let asciiClass: [UInt16]
    private var states: [State] = []
    private var index: [State: Int32] = [:]
    /// For each state and class (the last one is the end of the text): a state, or one of the codes below.
    private var transitions: [Int32] = []
    private var resets = 0

    private static let unknown: Int32 = -1
    private static let matched: Int32 = -2
    private static let dead: Int32 = -3
    private static let maxTransitions = 1 << 18
    static let maxResets = 16
    private static let maxClasses = 4096
    private static let maxInstructions = 4096
    /// Without zero-width instructions: the state in which no thread is under way.
    private static let idle = 1

    private struct State: Hashable {
        var instructions: [Int32]
        var before: Before
    }

    /// What zero-width instructions can know of the character before.
    private enum Before: UInt8 {
        case start, newline, word, other
    }

    // Scratch for building a state.
    private var marks: [Bool]
    private var stack: [Int32] = []

    init(_ program: RegexProgram) {
        self.program = program
        classCount = program.classStarts.count
        var table = [UInt16](repeating: 0, count: 128)
        var current = 0
        for rune in 0..<128 {
            while current + 1 < classCount, program.classStarts[current + 1] <= UInt32(rune) { current += 1 }
            table[rune] = UInt16(truncatingIfNeeded: current)
        }
        asciiClass = table
        marks = [Bool](repeating: false, count: program.count)
    }

    /// nil when the states do not pay: too many of them.
    func matches(_ bytes: Bytes, resets maxResets: Int = RegexAutomaton.maxResets) -> Bool? {
        if classCount > RegexAutomaton.maxClasses || program.count > RegexAutomaton.maxInstructions
            || resets > maxResets
        {
            return nil
        }
        if states.isEmpty { reset() }
        var state = 0
        var position = 0
        let stride = classCount + 1
        if program.isAnchored, !program.prefix.withBytes({ GoText.matches(bytes, $0, at: 0) }) { return false }
        let canSkip = !program.prefix.isEmpty && !program.hasAssertions && !program.isAnchored
        while position < bytes.count {
            if canSkip, state <= RegexAutomaton.idle {
                guard let hit = program.prefix.withBytes({ GoText.find(bytes, $0, from: position) }) else {
                    return false
                }
                if hit > position {
                    state = RegexAutomaton.idle
                    position = hit
                }
            }
            let byte = bytes[position]
            let character: Int
            if byte < 0x80 {
                character = Int(asciiClass[Int(byte)])
                position += 1
            } else {
                let (rune, width) = GoRune.decode(bytes, position)
                character = classOf(rune)
                position += width
            }
            var next = transitions[state * stride + character]
            if next == RegexAutomaton.unknown {
                next = step(state, character)
                if resets > maxResets { return nil }
            }
            if next < 0 { return next == RegexAutomaton.matched }
            state = Int(next)
        }
        var last = transitions[state * stride + classCount]
        if last == RegexAutomaton.unknown { last = step(state, classCount) }
        return last == RegexAutomaton.matched
    }

    private func classOf(_ rune: UInt32) -> Int {
        var low = 0
        var high = classCount
        while low < high {
            let middle = (low + high) / 2
            if program.classStarts[middle] <= rune { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    private func reset() {
        states = []
        index = [:]
        transitions = []
        _ = intern(State(instructions: [Int32(program.start)], before: .start))
        _ = intern(State(instructions: [], before: .other))
    }

    private func intern(_ state: State) -> Int32 {
        if let known = index[state] { return known }
        let number = Int32(states.count)
        states.append(state)
        index[state] = number
        transitions += repeatElement(RegexAutomaton.unknown, count: classCount + 1)
        return number
    }

    /// Where `state` goes on a class; the class behind the last is the end of the text.
    private func step(_ number: Int, _ character: Int) -> Int32 {
        let state = states[number]
        let rune: UInt32? = character < classCount ? program.classStarts[character] : nil
        for entry in 0..<marks.count { marks[entry] = false }
        stack.removeAll(keepingCapacity: true)
        stack += state.instructions
        if !program.isAnchored, number != 0 { stack.append(Int32(program.start)) }
        var targets: [Int32] = []
        while let counter = stack.popLast() {
            if marks[Int(counter)] { continue }
            marks[Int(counter)] = true
            let instruction = program.instructions[Int(counter)]
            switch instruction.operation {
            case .match: return remember(number, character, RegexAutomaton.matched)
            case .split:
                stack.append(instruction.next)
                stack.append(instruction.argument)
            case .save: stack.append(instruction.next)
            case .assertion:
                if holds(instruction.argument, state.before, rune) { stack.append(instruction.next) }
            case .fail: break
            default:
                if let rune, program.accepts(instruction, rune) { targets.append(instruction.next) }
            }
        }
        guard let rune else { return remember(number, character, RegexAutomaton.dead) }
        if targets.isEmpty, program.isAnchored { return remember(number, character, RegexAutomaton.dead) }
        let before: Before =
            !program.hasAssertions ? .other : rune == 10 ? .newline : RuneContext.isWord(rune) ? .word : .other
        let next = State(instructions: Array(Set(targets)).sorted(), before: before)
        if index[next] == nil, transitions.count > RegexAutomaton.maxTransitions {
            resets += 1
            reset()
            return intern(next)
        }
        return remember(number, character, intern(next))
    }

    private func remember(_ state: Int, _ character: Int, _ target: Int32) -> Int32 {
        transitions[state * (classCount + 1) + character] = target
        return target
    }

    private func holds(_ assertion: Int32, _ before: Before, _ rune: UInt32?) -> Bool {
        switch RegexAssertion(rawValue: UInt8(truncatingIfNeeded: assertion)) {
        case .beginText?: return before == .start
        case .endText?: return rune == nil
        case .beginLine?: return before == .start || before == .newline
        case .endLine?: return rune == nil || rune == 10
        case .wordBoundary?: return (before == .word) != (rune.map { RuneContext.isWord($0) } ?? false)
        case .noWordBoundary?: return (before == .word) == (rune.map { RuneContext.isWord($0) } ?? false)
        case nil: return false
        }
    }
}
