public import AiboxWire

extension SeccompProfile {
    /// Whether the `linux.seccomp` of a running container's OCI configuration is this profile and nothing else.
    ///
    /// Compares with what a runtime was really given, rule by rule, for the architecture of this machine.
    ///
    /// - Returns: the differences as sentences; empty if it is the profile.
    public func differences(
        from applied: JSONValue?, dialect: Dialect, architecture: Architecture = .native
    ) -> [String] {
        guard let applied else { return ["no filter"] }
        let promised = spoken(dialect)
        var differences: [String] = []
        let action = Self.appliedAction(applied, "defaultAction", "defaultErrnoRet")
        if action != promised.defaultAction {
            differences.append("default \(applied["defaultAction"]?.stringValue ?? "allow")")
        }
        if applied["architectures"]?.elements?.map(\.stringValue) != [architecture.ociName] {
            differences.append("architectures \(applied["architectures"]?.text ?? "all")")
        }
        if applied["listenerPath"]?.stringValue != promised.listener {
            differences.append("listener \(applied["listenerPath"]?.stringValue ?? "none")")
        }
        let wanted = promised.rules.filter { $0.stands(on: architecture) }.map(\.bare)
        let found = (applied["syscalls"]?.elements ?? []).map(Self.appliedRule)
        let missing = Set(wanted).subtracting(found.compactMap { $0 })
        let foreign = found.filter { rule in rule.map { !wanted.contains($0) } ?? true }
        if !missing.isEmpty { differences.append("\(missing.count) rules are missing") }
        if !foreign.isEmpty { differences.append("\(foreign.count) rules are not ours") }
        return differences
    }

    private static func appliedAction(_ json: JSONValue, _ name: String, _ errnoName: String) -> Action? {
        switch json[name]?.stringValue {
        case "SCMP_ACT_ALLOW": .allow
        case "SCMP_ACT_TRACE": .trace
        case "SCMP_ACT_NOTIFY": .notify
        case "SCMP_ACT_ERRNO": UInt16(exactly: json[errnoName]?.wholeNumber ?? 1).map { .refuse(errno: $0) }
        default: nil
        }
    }

    private static func appliedRule(_ json: JSONValue) -> Rule? {
        let names = json["names"]?.elements?.compactMap(\.stringValue) ?? []
        guard let action = appliedAction(json, "action", "errnoRet") else { return nil }
        var arguments: [Argument] = []
        for condition in json["args"]?.elements ?? [] {
            guard let index = UInt32(exactly: condition["index"]?.wholeNumber ?? -1),
                let value = UInt64(exactly: condition["value"]?.wholeNumber ?? 0),
                let second = UInt64(exactly: condition["valueTwo"]?.wholeNumber ?? 0)
            else { return nil }
            switch condition["op"]?.stringValue {
            case "SCMP_CMP_EQ": arguments.append(Argument(index, .equal(value)))
            case "SCMP_CMP_GE": arguments.append(Argument(index, .atLeast(value)))
            case "SCMP_CMP_MASKED_EQ": arguments.append(Argument(index, .masked(mask: value, value: second)))
            default: return nil
            }
        }
        return Rule(names: names, action: action, arguments: arguments)
    }
}

extension SeccompProfile.Rule {
    /// What is left of the rule once it has reached a runtime.
    fileprivate var bare: SeccompProfile.Rule {
        SeccompProfile.Rule(names: names, action: action, arguments: arguments)
    }
}
