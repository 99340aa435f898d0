/// Lets through what paints and moves on a terminal, and nothing that does more.
///
/// A recording shows what an adversary wrote. Some sequences make a terminal answer, as if typed by the person at it
/// (device reports), write to the clipboard, rename windows or load fonts (OSC, DCS and their kin); these are left
/// out when a recording is played (ECMA-48; xterm's ctlseqs).
public struct TerminalFilter: Sendable {
    private enum State { case ground, escape, escapeMore, control, string, stringEscape }
    private var state = State.ground
    private var sequence: [UInt8] = []

    /// Final bytes of control sequences that paint, move, erase, scroll, or set colours and modes.
    private static let harmless = Set("@ABCDEFGHIJKLMPSTXZ`abdefghlmrsu".utf8)

    public init() {}

    public mutating func filter(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        for byte in bytes { take(byte, &out) }
        return out
    }

    private mutating func take(_ byte: UInt8, _ out: inout [UInt8]) {
        switch state {
        case .ground:
            if byte == 0x1b {
                (state, sequence) = (.escape, [byte])
            } else if byte >= 0x20 && byte != 0x7f || [0x07, 0x08, 0x09, 0x0a, 0x0d].contains(byte) {
                out.append(byte)
            }
        case .escape:
            sequence.append(byte)
            switch byte {
            case UInt8(ascii: "["): state = .control
            case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
                state = .string
            case 0x1b: sequence = [byte]
            case 0x20...0x2f: state = .escapeMore
            // Save and restore the cursor, move it, keypad modes. Not Z, which makes the terminal answer.
            case UInt8(ascii: "7"), UInt8(ascii: "8"), UInt8(ascii: "D"), UInt8(ascii: "E"), UInt8(ascii: "M"),
                UInt8(ascii: "="), UInt8(ascii: ">"):
                finish(true, &out)
            default: finish(false, &out)
            }
        case .escapeMore:
            // Character sets and the like: harmless, and meaningless once the session is over.
            sequence.append(byte)
            if !(0x20...0x2f).contains(byte) { finish(sequence[1] == 0x28 && sequence.count == 3, &out) }
        case .control:
            sequence.append(byte)
            if byte == 0x1b { (state, sequence) = (.escape, [byte]) }
            if (0x40...0x7e).contains(byte) { finish(isHarmless(byte), &out) }
            if sequence.count > 256 { finish(false, &out) }
        case .string:
            if byte == 0x07 || byte == 0x18 || byte == 0x1a { finish(false, &out) }
            if byte == 0x1b { state = .stringEscape }
        case .stringEscape:
            if byte == UInt8(ascii: "\\") {
                finish(false, &out)
            } else {
                state = byte == 0x1b ? .stringEscape : .string
            }
        }
    }

    private func isHarmless(_ final: UInt8) -> Bool {
        let middle = sequence.dropFirst(2).dropLast()
        // A private marker other than ? or an intermediate byte makes another sequence of it.
        let isPlain = middle.allSatisfy {
            (0x30...0x39).contains($0) || $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "?")
        }
        return isPlain && Self.harmless.contains(final)
    }

    private mutating func finish(_ pass: Bool, _ out: inout [UInt8]) {
        if pass { out += sequence }
        sequence = []
        state = .ground
    }
}
