import AiboxSystem
import Testing

@testable import AiboxContainer

/// Asks the compiled filter about calls, on both architectures, without making them.
@Suite("The seccomp profile as a program")
struct SeccompProgramTests {
    typealias Architecture = SeccompProfile.Architecture

    final class Machine {
        let architecture: Architecture
        let filter: BPFMachine
        private var numbers: [String: UInt32] = [:]

        init(_ architecture: Architecture) throws {
            self.architecture = architecture
            filter = BPFMachine(try SeccompProgram(try embeddedProfile(), for: architecture).instructions)
        }

        /// AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 of linux/audit.h.
        var audit: UInt32 { architecture == .amd64 ? 0xC000_003E : 0xC000_00B7 }

        func ask(_ name: String, _ arguments: UInt64...) throws -> BPFMachine.Verdict? {
            let known = try numbers[name] ?? UInt32(try #require(architecture.number(of: name), "\(name)"))
            numbers[name] = known
            return filter.verdict(architecture: audit, call: known, arguments: arguments)
        }
    }

    @Test("every rule does what it says, on every architecture it stands on", arguments: Architecture.allCases)
    func rules(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        for rule in try embeddedProfile().rules where rule.stands(on: architecture) {
            var arguments = [UInt64](repeating: 0, count: 6)
            for argument in rule.arguments {
                arguments[Int(argument.index)] =
                    switch argument.comparison {
                    case .equal(let value), .atLeast(let value), .masked(_, let value): value
                    }
            }
            let wanted: BPFMachine.Verdict =
                if case .refuse(let errno) = rule.action { .errno(errno) } else { .allow }
            for name in rule.names {
                let number = try #require(architecture.number(of: name))
                let verdict = machine.filter.verdict(
                    architecture: machine.audit, call: UInt32(number), arguments: arguments)
                #expect(verdict == wanted, "\(name) \(arguments)")
            }
        }
    }

    @Test("a call that no rule names does not exist, whatever its number", arguments: Architecture.allCases)
    func unnamed(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        let rules = try embeddedProfile().rules.filter { $0.stands(on: architecture) }
        let named = Set(rules.flatMap(\.names).compactMap { architecture.number(of: $0) }.map(UInt32.init))
        // Above 0x40000000 is x32 on x86-64, asked below.
        let numbers: [UInt32] = Array(0...2000) + [1 << 16, 1 << 20, 0x3FFF_FFFF]
        for number in numbers where !named.contains(number) {
            #expect(machine.filter.verdict(architecture: machine.audit, call: number) == .errno(38), "call \(number)")
        }
    }

    @Test("a call by a foreign table ends the thread: 32-bit, x32, the other architecture")
    func foreign() throws {
        let machine = try Machine(.amd64)
        let arm = try Machine(.arm64)
        for number: UInt32 in 0...600 {
            #expect(machine.filter.verdict(architecture: 0x4000_0003, call: number) == .killThread, "i386 \(number)")
            #expect(machine.filter.verdict(architecture: machine.audit, call: number | 0x4000_0000) == .killThread)
            #expect(machine.filter.verdict(architecture: arm.audit, call: number) == .killThread)
            #expect(arm.filter.verdict(architecture: 0x4000_0028, call: number) == .killThread, "arm \(number)")
            #expect(arm.filter.verdict(architecture: machine.audit, call: number) == .killThread)
        }
    }

    /// Values that an argument may be made of to slip past a comparison: low and high halves at random, and the edges.
    private static func halves(_ low: UInt64, _ generator: inout some RandomNumberGenerator) -> [UInt64] {
        [
            low, low | 0xFFFF_FFFF_0000_0000, low | 1 << 32, low | 1 << 63,
            low | UInt64.random(in: 1...UInt64(UInt32.max), using: &generator) << 32,
        ]
    }

    @Test("clone makes no namespace, whatever else its flags say", arguments: Architecture.allCases)
    func clone(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        var generator = SystemRandomNumberGenerator()
        let namespaces: UInt64 = 0x7E02_0000
        for _ in 0..<20000 {
            let flags = UInt64.random(in: 0...UInt64.max, using: &generator)
            // The kernel reads the low 32 bits alone (clone(2), lower_32_bits in kernel/fork.c).
            #expect(try machine.ask("clone", flags) == (flags & namespaces == 0 ? .allow : .errno(1)))
            #expect(try machine.ask("clone", flags & ~namespaces) == .allow)
        }
        for bit in 0..<32 where namespaces & 1 << bit != 0 {
            #expect(try machine.ask("clone", 1 << bit) == .errno(1), "flag \(bit)")
        }
        #expect(try machine.ask("clone3") == .errno(38))
    }

    @Test("ioctl lets every request through but the three, in any disguise", arguments: Architecture.allCases)
    func ioctl(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        var generator = SystemRandomNumberGenerator()
        let refused: Set<UInt64> = [0x5412, 0x541C, 0x5423]
        for request in UInt64(0)...0xFFFF {
            let wanted: BPFMachine.Verdict = refused.contains(request) ? .errno(1) : .allow
            #expect(try machine.ask("ioctl", 0, request) == wanted, "request \(request)")
            let disguised = request | UInt64.random(in: 1...0xFFFF_FFFF_FFFF, using: &generator) << 16
            #expect(try machine.ask("ioctl", 0, disguised) == wanted, "request \(disguised)")
        }
        for request in refused {
            for value in Self.halves(request, &generator) {
                #expect(try machine.ask("ioctl", 0, value) == .errno(1), "request \(value)")
            }
        }
    }

    @Test(
        "only TCP, UDP, unix and route sockets are made, whatever the halves of the arguments",
        arguments: Architecture.allCases)
    func sockets(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        var generator = SystemRandomNumberGenerator()
        func wanted(_ family: UInt64, _ type: UInt64, _ proto: UInt64) -> Bool {
            switch (family, type & 0xF, proto) {
            case (1, _, _), (16, _, 0): true
            case (2, 1, 0), (2, 1, 6), (10, 1, 0), (10, 1, 6): true
            case (2, 2, 0), (2, 2, 17), (10, 2, 0), (10, 2, 17): true
            default: false
            }
        }
        for family in UInt64(0)...64 {
            for type in UInt64(0)...15 {
                for proto in Array(0...40) + [132, 136, 255, 256, 262] as [UInt64] {
                    let flags: UInt64 = 0x80800
                    let verdict = try machine.ask("socket", family, type | flags, proto)
                    #expect((verdict == .allow) == wanted(family, type, proto), "\(family) \(type) \(proto)")
                }
            }
        }
        // With anything in the upper half only what is wanted by the lower half may pass, or less.
        for _ in 0..<20000 {
            let low = (0..<3).map { _ in UInt64.random(in: 0...20, using: &generator) }
            let values = low.map { Self.halves($0, &generator).randomElement(using: &generator) ?? $0 }
            if try machine.ask("socket", values[0], values[1], values[2]) == .allow {
                #expect(wanted(low[0], low[1], low[2]), "\(values)")
            }
        }
        for family in [3, 4, 17, 29, 31, 38, 40, 44] as [UInt64] {
            #expect(try machine.ask("socket", family, 1) == .errno(97), "family \(family)")
        }
        #expect(try machine.ask("socket", 2, 3) == .errno(1))
        #expect(try machine.ask("socket", 16, 3, 9) == .errno(93))
        #expect(try machine.ask("socketpair", 1, 1) == .allow)
        #expect(try machine.ask("socketpair", 30, 1) == .errno(38))
    }

    @Test("the personality stays, and address randomisation with it", arguments: Architecture.allCases)
    func personality(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        #expect(try machine.ask("personality", 0) == .allow)
        #expect(try machine.ask("personality", 0xFFFF_FFFF) == .allow)
        for bit in 0..<64 { #expect(try machine.ask("personality", 1 << UInt64(bit)) == .errno(38), "bit \(bit)") }
    }

    @Test("no device node is made", arguments: Architecture.allCases)
    func nodes(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        for mode in UInt64(0)...0xFFFF {
            let verdict: BPFMachine.Verdict =
                switch mode & 0xF000 {
                case 0, 0x1000, 0x8000, 0xC000: .allow
                case 0x2000, 0x6000: .errno(1)
                default: .errno(38)
                }
            #expect(try machine.ask("mknodat", 0, 0, mode) == verdict, "mode \(mode)")
            #expect(try machine.ask("mknodat", 0, 0, mode | 0xFFFF_0000) == verdict, "mode \(mode), upper half")
            if architecture == .amd64 { #expect(try machine.ask("mknod", 0, mode) == verdict, "mode \(mode)") }
        }
    }

    @Test("a program's own filter cannot be one that lets another process decide", arguments: Architecture.allCases)
    func listener(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        for flags in UInt64(0)...0x3F {
            let wanted: BPFMachine.Verdict = flags & 8 == 0 ? .allow : .errno(1)
            #expect(try machine.ask("seccomp", 1, flags) == wanted, "flags \(flags)")
            #expect(try machine.ask("seccomp", 1, flags | 1 << 32) == wanted, "flags \(flags), upper half")
        }
    }

    /// The calls of docs/seccomp.md that must fail whatever their arguments are.
    @Test("what must never be allowed is refused with EPERM", arguments: Architecture.allCases)
    func never(_ architecture: Architecture) throws {
        let machine = try Machine(architecture)
        var generator = SystemRandomNumberGenerator()
        let names = [
            "unshare", "setns", "mount", "umount2", "mount_setattr", "open_tree", "move_mount", "fsopen", "fsconfig",
            "fsmount", "fspick", "pivot_root", "chroot", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp",
            "pidfd_getfd", "process_madvise", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
            "io_uring_enter", "io_uring_register", "add_key", "request_key", "keyctl", "fanotify_init", "kexec_load",
            "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff",
            "open_by_handle_at", "quotactl", "quotactl_fd", "acct", "syslog", "settimeofday", "clock_settime",
            "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "vhangup", "lookup_dcookie", "nfsservctl",
        ]
        for name in names {
            for _ in 0..<20 {
                let a = (0..<6).map { _ in UInt64.random(in: 0...UInt64.max, using: &generator) }
                #expect(try machine.ask(name, a[0], a[1], a[2], a[3], a[4], a[5]) == .errno(1), "\(name)")
            }
        }
        for name in ["memfd_secret", "vmsplice", "remap_file_pages", "mbind", "set_mempolicy", "name_to_handle_at"] {
            #expect(try machine.ask(name) == .errno(38), "\(name)")
        }
    }
}
