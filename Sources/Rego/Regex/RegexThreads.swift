/// Thompson's simulation with captures (a "Pike machine"): all threads advance together, in order of priority.
final class RegexThreads {
    private let program: RegexProgram
    private let slotCount: Int
    private var current: Queue
    private var next: Queue
    private var pending: [Pending] = []
    private var best: [Int] = []

    /// A sparse set of instructions in insertion order, each with its captures.
    private struct Queue {
        var dense: [Int32]
        var sparse: [Int32]
        var slots: [Int]
        var count = 0

        init(_ size: Int, _ slotCount: Int) {
            dense = [Int32](repeating: 0, count: size)
            sparse = [Int32](repeating: 0, count: size)
            slots = [Int](repeating: -1, count: size * slotCount)
        }

        func contains(_ instruction: Int) -> Bool {
            let place = Int(sparse[instruction])
            return place < count && Int(dense[place]) == instruction
        }

        mutating func insert(_ instruction: Int) {
            dense[count] = Int32(instruction)
            sparse[instruction] = Int32(count)
            count += 1
        }
    }

    private struct Pending {
        /// Not negative: an instruction. Negative: slot `~target` gets `value` back.
        let target: Int
        let value: Int
    }

    init(_ program: RegexProgram) {
        self.program = program
        slotCount = program.slotCount
        current = Queue(program.count, slotCount)
        next = Queue(program.count, slotCount)
    }

    func search(_ bytes: Bytes, from start: Int) -> [Int]? {
        current.count = 0
        next.count = 0
        var found = false
        var scratch = [Int](repeating: -1, count: slotCount)
        var position = start
        while true {
            if !found, !program.isAnchored || position == 0 {
                if current.count == 0, !program.prefix.isEmpty, !program.isAnchored {
                    guard let hit = program.prefix.withBytes({ GoText.find(bytes, $0, from: position) }) else {
                        return nil
                    }
                    position = hit
                }
                for slot in 0..<slotCount { scratch[slot] = -1 }
                follow(program.start, bytes, position, &scratch, into: &current)
            } else if current.count == 0 {
                break
            }
            let atEnd = position >= bytes.count
            let (rune, width) = atEnd ? (0, 1) : GoRune.decode(bytes, position)
            var index = 0
            while index < current.count {
                let counter = Int(current.dense[index])
                let instruction = program.instructions[counter]
                if instruction.operation == .match {
                    best = Array(current.slots[(counter * slotCount)..<((counter + 1) * slotCount)])
                    found = true
                    // Threads behind have lower priority.
                    break
                }
                if !atEnd, program.accepts(instruction, rune) {
                    for slot in 0..<slotCount { scratch[slot] = current.slots[counter * slotCount + slot] }
                    follow(Int(instruction.next), bytes, position + width, &scratch, into: &next)
                }
                index += 1
            }
            swap(&current, &next)
            next.count = 0
            if atEnd { break }
            position += width
        }
        return found ? best : nil
    }

    /// Adds the character and match instructions reachable from `first` without a step.
    private func follow(
        _ first: Int, _ bytes: Bytes, _ position: Int, _ slots: inout [Int], into queue: inout Queue
    ) {
        pending.removeAll(keepingCapacity: true)
        pending.append(Pending(target: first, value: 0))
        while let entry = pending.popLast() {
            if entry.target < 0 {
                slots[~entry.target] = entry.value
                continue
            }
            var counter = entry.target
            walk: while !queue.contains(counter) {
                queue.insert(counter)
                let instruction = program.instructions[counter]
                switch instruction.operation {
                case .split: pending.append(Pending(target: Int(instruction.argument), value: 0))
                case .save:
                    let slot = Int(instruction.argument)
                    pending.append(Pending(target: ~slot, value: slots[slot]))
                    slots[slot] = position
                case .assertion:
                    if !RegexContext.holds(instruction.argument, bytes, position) { break walk }
                case .fail: break walk
                default:
                    for slot in 0..<slotCount { queue.slots[counter * slotCount + slot] = slots[slot] }
                    break walk
                }
                counter = Int(instruction.next)
            }
        }
    }
}
