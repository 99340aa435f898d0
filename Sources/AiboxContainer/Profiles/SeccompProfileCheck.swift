public import AiboxSystem

extension SeccompProfile {
    /// What is wrong with the profile, as sentences; empty for a good one.
    ///
    /// Asks libseccomp for every name on every architecture and checks that no two rules can contradict each other.
    public var findings: [String] {
        var findings: [String] = []
        if case .refuse = defaultAction {} else { findings.append("calls that no rule names are not refused") }
        for architecture in Architecture.allCases where !architectures.contains(architecture) {
            findings.append("\(architecture) is missing")
        }
        for rule in rules { findings += rule.findings }
        for architecture in architectures { findings += contradictions(on: architecture) }
        return findings
    }

    /// A call with an unconditional rule must have no other: libseccomp would drop one of the two silently.
    private func contradictions(on architecture: Architecture) -> [String] {
        var conditions: [String: [Bool]] = [:]
        for rule in rules where rule.stands(on: architecture) {
            for name in rule.names { conditions[name, default: []].append(!rule.arguments.isEmpty) }
        }
        return conditions.filter { $0.value.count > 1 && $0.value.contains(false) }.keys.sorted().map {
            "\($0) has an unconditional rule and another one on \(architecture)"
        }
    }

    /// Checks, and compiles for every architecture.
    ///
    /// - Returns: the programs, for a report of their size.
    /// - Throws: `layerMissing`, naming the first findings (P5).
    @discardableResult
    public func check() throws(AiboxError) -> [Architecture: SeccompProgram] {
        let findings = findings
        if !findings.isEmpty {
            throw AiboxError(
                .layerMissing, "the seccomp profile cannot be enforced",
                why: findings.prefix(3).joined(separator: "; "), remedy: "install aibox again, or update libseccomp2")
        }
        var programs: [Architecture: SeccompProgram] = [:]
        for architecture in architectures {
            programs[architecture] = try SeccompProgram(self, for: architecture)
        }
        return programs
    }
}

extension SeccompProfile.Rule {
    fileprivate var findings: [String] {
        var findings: [String] = []
        if names.isEmpty { findings.append("a rule names no call") }
        for architecture in architectures ?? SeccompProfile.Architecture.allCases {
            for name in names where architecture.number(of: name) == nil {
                findings.append("\(name) is no call of \(architecture)")
            }
        }
        let subject = names.first ?? "a rule"
        if arguments.contains(where: { $0.index > 5 }) { findings.append("\(subject) has no such argument") }
        // Runtimes read two conditions on one argument as "or", libseccomp refuses them.
        if Set(arguments.map(\.index)).count != arguments.count {
            findings.append("\(subject) compares one argument twice")
        }
        for case .masked(let mask, let value) in arguments.map(\.comparison) where mask == 0 || value & ~mask != 0 {
            findings.append("\(subject) has a comparison that cannot hold or always holds")
        }
        return findings
    }
}
