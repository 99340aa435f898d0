import AiboxSystem

/// Looks at everything a sandbox needs, side by side, and mends what can be mended safely.
public struct Doctor: Sendable {
    let checks: [DoctorCheck]

    public struct Finding: Sendable {
        public var name: String
        public var outcome: DoctorCheck.Outcome
        /// True if `--fix` mended it and the check then passed.
        public var fixed: Bool
    }

    public init(_ context: SandboxContext, ide: Bool = false) {
        checks = ide ? DoctorCheck.ide(context) : DoctorCheck.host(context)
    }

    public func examine(fixing: Bool = false) -> [Finding] {
        let outcomes = Parallel.map(checks) { $0.run() }
        return zip(checks, outcomes).map { check, outcome in
            fixing ? Self.mend(check, outcome) : Finding(name: check.name, outcome: outcome, fixed: false)
        }
    }

    private static func mend(_ check: DoctorCheck, _ outcome: DoctorCheck.Outcome) -> Finding {
        guard let fix = outcome.fix else { return Finding(name: check.name, outcome: outcome, fixed: false) }
        if let error = fix() {
            var failed = outcome
            failed.message += "; mending it failed: " + error.what
            return Finding(name: check.name, outcome: failed, fixed: false)
        }
        let again = check.run()
        return Finding(name: check.name, outcome: again, fixed: again.grade == .pass || again.grade == .info)
    }
}
