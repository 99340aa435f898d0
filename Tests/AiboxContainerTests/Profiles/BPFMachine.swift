/// Runs a compiled filter as the kernel would, so that a test can ask it about any call on any architecture.
///
/// Classic BPF as seccomp(2) allows it: loads of 32-bit words from `struct seccomp_data`, comparisons, masks, returns.
struct BPFMachine {
    /// What the filter says of a call.
    enum Verdict: Equatable { case allow, killThread, trace, errno(UInt16), other(UInt32) }

    private struct Instruction { var code: UInt16, whenTrue: Int, whenFalse: Int, constant: UInt32 }
    private let program: [Instruction]

    /// - Parameter bytes: `struct sock_filter` after each other, little-endian.
    init(_ bytes: [UInt8]) {
        var program: [Instruction] = []
        for at in stride(from: 0, to: bytes.count, by: 8) {
            let code = UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
            let constant = Self.word(bytes[(at + 4)..<(at + 8)])
            program.append(
                Instruction(
                    code: code, whenTrue: Int(bytes[at + 2]), whenFalse: Int(bytes[at + 3]), constant: constant))
        }
        self.program = program
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }

    /// The verdict on one call.
    ///
    /// - Parameter architecture: AUDIT_ARCH_ of linux/audit.h.
    func verdict(architecture: UInt32, call: UInt32, arguments: [UInt64] = []) -> Verdict? {
        var words = [call, architecture, 0, 0]  // nr, arch, instruction_pointer
        for index in 0..<6 {
            let argument = index < arguments.count ? arguments[index] : 0
            words += [UInt32(truncatingIfNeeded: argument), UInt32(argument >> 32)]
        }
        var accumulator: UInt32 = 0
        var at = 0
        while at < program.count {
            let step = program[at]
            at += 1
            switch step.code {
            case 0x20: accumulator = words[Int(step.constant / 4)]
            case 0x54: accumulator &= step.constant
            case 0x05: at += Int(step.constant)
            case 0x15: at += accumulator == step.constant ? step.whenTrue : step.whenFalse
            case 0x25: at += accumulator > step.constant ? step.whenTrue : step.whenFalse
            case 0x35: at += accumulator >= step.constant ? step.whenTrue : step.whenFalse
            case 0x45: at += accumulator & step.constant != 0 ? step.whenTrue : step.whenFalse
            case 0x06: return Self.verdict(step.constant)
            default: return nil
            }
        }
        return nil
    }

    private static func verdict(_ value: UInt32) -> Verdict {
        switch value & 0xFFFF_0000 {
        case 0x7FFF_0000: .allow
        case 0x0000_0000: .killThread
        case 0x7FF0_0000: .trace
        case 0x0005_0000: .errno(UInt16(value & 0xFFFF))
        default: .other(value)
        }
    }
}
