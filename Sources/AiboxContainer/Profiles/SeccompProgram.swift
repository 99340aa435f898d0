public import AiboxSystem
import CSeccomp
import Glibc

/// A profile compiled by libseccomp for one architecture: what a runtime loads into the kernel.
public struct SeccompProgram: Sendable, Equatable {
    /// `struct sock_filter` after each other, 8 bytes each (linux/filter.h).
    public let instructions: [UInt8]

    public var count: Int { instructions.count / 8 }

    /// Compiles with the calls that a container runtime makes: no call outside the architecture's own table survives, for
    /// libseccomp ends a thread that enters by another one (int 0x80, x32).
    ///
    /// - Throws: `layerMissing` with libseccomp's answer.
    public init(_ profile: SeccompProfile, for architecture: SeccompProfile.Architecture) throws(AiboxError) {
        guard let context = seccomp_init(profile.defaultAction.code) else {
            throw AiboxError(.layerMissing, "libseccomp cannot start a filter")
        }
        defer { seccomp_release(context) }
        let number = architecture.number
        if number != AIBOX_SECCOMP_NATIVE {
            try Self.require(seccomp_arch_remove(context, AIBOX_SECCOMP_NATIVE), "drop the native architecture")
            try Self.require(seccomp_arch_add(context, number), "add an architecture")
        }
        for rule in profile.rules where rule.stands(on: architecture) && rule.action != profile.defaultAction {
            let arguments = rule.arguments.map(\.condition)
            for name in rule.names {
                let call = seccomp_syscall_resolve_name(name)
                if call == __NR_SCMP_ERROR {
                    throw AiboxError(.layerMissing, "libseccomp does not know the system call \(name)")
                }
                try Self.require(
                    seccomp_rule_add_array(
                        context, rule.action.code, call, UInt32(arguments.count), arguments), "add a rule for \(name)")
            }
        }
        instructions = try Self.exported(context)
    }

    private static func exported(_ context: scmp_filter_ctx) throws(AiboxError) -> [UInt8] {
        // The kernel takes at most 4096 instructions, which fit the pipe.
        let pipe = try Pipe()
        try require(seccomp_export_bpf(context, pipe.write.number), "compile the profile")
        pipe.write.close()
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 32768)
        while true {
            let count = try retrying("cannot read the compiled seccomp profile") {
                read(pipe.read.number, &chunk, chunk.count)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk.prefix(count))
        }
    }

    private static func require(_ result: Int32, _ what: String) throws(AiboxError) {
        if result < 0 {
            throw AiboxError(.layerMissing, "libseccomp cannot \(what)", why: describe(errno: -result))
        }
    }
}

extension SeccompProfile.Architecture {
    fileprivate var number: UInt32 { self == .amd64 ? AIBOX_SECCOMP_X86_64 : AIBOX_SECCOMP_AARCH64 }

    /// The number of a call on this architecture; nil where it has no such call or libseccomp does not know it.
    func number(of name: String) -> Int32? {
        let call = seccomp_syscall_resolve_name_arch(number, name)
        return call >= 0 ? call : nil
    }
}

extension SeccompProfile.Action {
    fileprivate var code: UInt32 {
        switch self {
        case .allow: aibox_seccomp_allow()
        case .refuse(let errno): aibox_seccomp_errno(errno)
        case .trace: aibox_seccomp_trace()
        case .notify: aibox_seccomp_notify()
        }
    }
}

extension SeccompProfile.Argument {
    fileprivate var condition: scmp_arg_cmp {
        switch comparison {
        case .equal(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
        case .atLeast(let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_GE, datum_a: value, datum_b: 0)
        case .masked(let mask, let value):
            scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        }
    }
}
