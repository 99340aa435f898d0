import AiboxWire

extension SeccompProfile {
    /// The two ways in which container runtimes read a profile.
    public enum Dialect: Sendable, CaseIterable {
        /// As the OCI runtime specification has it: crun, runc, Kata.
        case oci
        /// gVisor. Its releases up to at least 20240729 answer every SCMP_ACT_ERRNO with EPERM, whatever errno the
        /// profile asks for. A libc that is told EPERM for clone3 gives up on threads instead of falling back to
        /// clone, so "there is no such call" has to be said as SCMP_ACT_TRACE: without a tracer that is ENOSYS
        /// (seccomp(2)), and no process in the sandbox can trace. Not used for a kernel, where a filter of the
        /// program's own could outrank it (SECCOMP_RET_USER_NOTIF comes before SECCOMP_RET_TRACE).
        case runsc
    }

    /// The file as the runtime is to be given it.
    public func file(for dialect: Dialect) -> [UInt8] {
        switch dialect {
        case .oci where listener == nil: source
        case .oci: json.bytes + [UInt8(ascii: "\n")]
        case .runsc: spoken(dialect).json.bytes + [UInt8(ascii: "\n")]
        }
    }

    /// The profile with the answers that the runtime understands.
    func spoken(_ dialect: Dialect) -> SeccompProfile {
        if dialect == .oci { return self }
        var profile = self
        profile.defaultAction = Self.traced(defaultAction)
        profile.rules = rules.map { rule in
            var rule = rule
            rule.action = Self.traced(rule.action)
            return rule
        }
        return profile
    }

    private static func traced(_ action: Action) -> Action {
        action == .refuse(errno: noSuchCall) ? .trace : action
    }

    /// ENOSYS, the same on every architecture but MIPS, Alpha, PA-RISC and SPARC.
    private static let noSuchCall: UInt16 = 38

    /// The document, without comments.
    private var json: JSONValue {
        var object: JSONObject = ["defaultAction": .string(defaultAction.ociName)]
        object["defaultErrnoRet"] = defaultAction.ociErrno.map { .integer($0) }
        object["archMap"] = .array(
            architectures.map { ["architecture": .string($0.ociName), "subArchitectures": []] })
        object["syscalls"] = .array(rules.map(\.json))
        object["listenerPath"] = listener.map { .string($0) }
        return .object(object)
    }
}

extension SeccompProfile.Rule {
    fileprivate var json: JSONValue {
        var object: JSONObject = [
            "names": .array(names.map(JSONValue.string)), "action": .string(action.ociName),
        ]
        object["errnoRet"] = action.ociErrno.map { .integer($0) }
        if !arguments.isEmpty { object["args"] = .array(arguments.map(\.json)) }
        if let architectures {
            object["includes"] = ["arches": .array(architectures.map { .string($0.goName) })]
        }
        return .object(object)
    }
}

extension SeccompProfile.Action {
    var ociName: String {
        switch self {
        case .allow: "SCMP_ACT_ALLOW"
        case .refuse: "SCMP_ACT_ERRNO"
        case .trace: "SCMP_ACT_TRACE"
        case .notify: "SCMP_ACT_NOTIFY"
        }
    }

    /// The error number that it answers with, where it is one that does.
    var ociErrno: Int64? {
        if case .refuse(let errno) = self { Int64(errno) } else { nil }
    }
}

extension SeccompProfile.Argument {
    fileprivate var json: JSONValue {
        let (name, value, second): (String, UInt64, UInt64) =
            switch comparison {
            case .equal(let value): ("SCMP_CMP_EQ", value, 0)
            case .atLeast(let value): ("SCMP_CMP_GE", value, 0)
            case .masked(let mask, let value): ("SCMP_CMP_MASKED_EQ", mask, value)
            }
        return [
            "index": .integer(Int64(index)), "value": .integer(Int64(clamping: value)),
            "valueTwo": .integer(Int64(clamping: second)), "op": .string(name),
        ]
    }
}

extension SandboxSpec.Engine {
    /// How the engine's runtime reads a seccomp profile.
    var seccompDialect: SeccompProfile.Dialect {
        if case .gvisor = self { .runsc } else { .oci }
    }
}
