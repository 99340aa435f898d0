/// Scratch memory for one search at a time: the backtracker for small jobs and the breadth-first machine for the others.
///
/// Both are linear in text times program and find the leftmost match that Perl's priorities prefer.
final class RegexMatcher {
    let program: RegexProgram
    private let slotCount: Int
    /// Bits for the pairs (instruction, position) the backtracker has seen.
    private static let maxVisitedBits = 1 << 18
    private var visited: [UInt64] = []
    private var jobs: [Job] = []
    private var slots: [Int]
    private var machine: RegexThreads?
    lazy var automaton = RegexAutomaton(program)

    private struct Job {
        /// Not negative: an instruction to run at `value`. Negative: slot `~target` gets `value` back.
        let target: Int
        let value: Int
    }

    init(_ program: RegexProgram) {
        self.program = program
        slotCount = program.slotCount
        slots = [Int](repeating: -1, count: program.slotCount)
    }

    /// Capture slots of the first match at or after `start`; -1 where nothing was captured.
    func search(_ bytes: Bytes, from start: Int) -> [Int]? {
        if program.isAnchored, start > 0 { return nil }
        if program.isLiteral {
            return program.prefix.withBytes { needle in
                GoText.find(bytes, needle, from: start).map { [$0, $0 + needle.count] }
            }
        }
        let length = bytes.count - start + 1
        if length < RegexMatcher.maxVisitedBits, program.count * length <= RegexMatcher.maxVisitedBits {
            return backtrack(bytes, from: start)
        }
        let machine = machine ?? RegexThreads(program)
        self.machine = machine
        return machine.search(bytes, from: start)
    }

    private func backtrack(_ bytes: Bytes, from start: Int) -> [Int]? {
        let length = bytes.count - start + 1
        let words = (program.count * length + 63) / 64
        if visited.count < words {
            visited = [UInt64](repeating: 0, count: words)
        } else {
            visited.withUnsafeMutableBufferPointer { $0.prefix(words).update(repeating: 0) }
        }
        for slot in 0..<slotCount { slots[slot] = -1 }
        if program.isAnchored {
            guard program.prefix.withBytes({ GoText.matches(bytes, $0, at: 0) }) else { return nil }
            return run(bytes, start: start, at: start, length: length) ? slots : nil
        }
        var position = start
        while position <= bytes.count {
            if !program.prefix.isEmpty {
                guard let hit = program.prefix.withBytes({ GoText.find(bytes, $0, from: position) }) else { return nil }
                position = hit
            }
            if run(bytes, start: start, at: position, length: length) { return slots }
            if position == bytes.count { return nil }
            position += GoRune.decode(bytes, position).width
        }
        return nil
    }

    private func run(_ bytes: Bytes, start: Int, at first: Int, length: Int) -> Bool {
        jobs.removeAll(keepingCapacity: true)
        jobs.append(Job(target: program.start, value: first))
        let instructions = program.instructions
        return visited.withUnsafeMutableBufferPointer { visited in
            while let job = jobs.popLast() {
                if job.target < 0 {
                    slots[~job.target] = job.value
                    continue
                }
                var counter = job.target
                var position = job.value
                follow: while true {
                    let bit = counter * length + position - start
                    if visited[bit >> 6] & (1 << UInt64(bit & 63)) != 0 { break }
                    visited[bit >> 6] |= 1 << UInt64(bit & 63)
                    let instruction = instructions[counter]
                    switch instruction.operation {
                    case .split: jobs.append(Job(target: Int(instruction.argument), value: position))
                    case .save:
                        let slot = Int(instruction.argument)
                        jobs.append(Job(target: ~slot, value: slots[slot]))
                        slots[slot] = position
                    case .assertion:
                        if !RegexContext.holds(instruction.argument, bytes, position) { break follow }
                    case .match: return true
                    case .fail: break follow
                    default:
                        if position >= bytes.count { break follow }
                        let (rune, width) = GoRune.decode(bytes, position)
                        if !program.accepts(instruction, rune) { break follow }
                        position += width
                    }
                    counter = Int(instruction.next)
                }
            }
            return false
        }
    }
}
