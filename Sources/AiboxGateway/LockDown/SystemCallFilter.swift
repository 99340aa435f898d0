import AiboxSystem
import CSeccomp
import Glibc

/// The seccomp filter of the gateway's own processes, compiled and loaded by libseccomp.
enum SystemCallFilter {
    /// Binds every thread of this process, and all that it ever starts, to `SystemCalls.allowed`. There is no way back.
    ///
    /// - Parameter netlink: protocols of AF_NETLINK that may be opened (linux/netlink.h): 0 routing, 12 netfilter.
    static func load(netlink: [UInt64]) throws(AiboxError) {
        try load { context throws(AiboxError) in
            for name in SystemCalls.allowed { try allow(context, name) }
            try allow(context, "clone", condition(0, SCMP_CMP_MASKED_EQ, SystemCalls.namespaces, 0))
            for family in SystemCalls.families {
                for type in SystemCalls.types {
                    // SOCK_NONBLOCK and SOCK_CLOEXEC lie above the type's four bits.
                    try allow(
                        context, "socket", condition(0, SCMP_CMP_EQ, family),
                        condition(1, SCMP_CMP_MASKED_EQ, 0xF, type))
                }
            }
            for number in netlink {
                try allow(
                    context, "socket", condition(0, SCMP_CMP_EQ, SystemCalls.netlink),
                    condition(2, SCMP_CMP_EQ, number))
            }
        }
    }

    /// Binds every thread to what `allowing` names.
    static func load(_ allowing: (scmp_filter_ctx) throws(AiboxError) -> Void) throws(AiboxError) {
        guard let context = seccomp_init(aibox_seccomp_errno(UInt16(ENOSYS))) else {
            throw AiboxError(.layerMissing, "libseccomp cannot start a filter")
        }
        defer { seccomp_release(context) }
        try require(seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1), "bind all threads")
        try allowing(context)
        try require(seccomp_load(context), "load the filter")
    }

    static func allow(
        _ context: scmp_filter_ctx, _ name: String, _ conditions: scmp_arg_cmp...
    ) throws(AiboxError) {
        let call = seccomp_syscall_resolve_name(name)
        if call == __NR_SCMP_ERROR {
            // Newer than this libseccomp: then it stays refused.
            return
        }
        try require(
            seccomp_rule_add_array(context, aibox_seccomp_allow(), call, UInt32(conditions.count), conditions),
            "allow \(name)")
    }

    static func condition(
        _ argument: UInt32, _ comparison: scmp_compare, _ first: UInt64, _ second: UInt64 = 0
    ) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: comparison, datum_a: first, datum_b: second)
    }

    private static func require(_ result: Int32, _ what: String) throws(AiboxError) {
        if result < 0 {
            throw AiboxError(
                .layerMissing, "libseccomp cannot \(what) for the gateway", why: describe(errno: -result),
                remedy: "a kernel with CONFIG_SECCOMP_FILTER")
        }
    }
}
