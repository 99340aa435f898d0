import AiboxConfig
import AiboxPolicy
import AiboxSystem
import AiboxWire

/// Whether a sandbox's trace points are asked for: the stricter of the user's setting and the organisation's policy.
struct TraceRule {
    /// nil: they are not.
    let demand: GatewaySettings.TraceDemand?
    /// What the person should know.
    let note: String?

    /// - Parameter runFolder: the sandbox's, where the gateway will listen.
    /// - Throws: `layerMissing` where they are demanded and cannot be had (P5).
    init(_ context: SandboxContext, runFolder: String) throws(AiboxError) {
        let wish = RecordingRule.strictest(
            context.configuration.audit.tracePolicy, context.policy?.tracePolicy ?? .disabled)
        // What slips past a gate shall be seen, where no document says that it need not be.
        let isImplied = wish == .disabled && (context.policy.map(Self.impliedBy) ?? false)
        var why: String?
        if let missing = Self.missing(context.configuration.isolation, context.configuration.runtime) {
            why = missing
        } else if (runFolder + "/" + Wire.traceSocket).utf8.count > TraceSession.longestPath {
            why = "the path of their socket is too long: \(runFolder)/\(Wire.traceSocket)"
        }
        switch wish {
        case .disabled: (demand, note) = (isImplied && why == nil ? .optional : nil, nil)
        case .optional:
            demand = why == nil ? .optional : nil
            note = why.map { "no trace points of the runtime: \($0)" }
        case .required:
            if let why {
                throw AiboxError(
                    .layerMissing, "the policy requires trace points of the runtime", why: why,
                    remedy: "set isolation to gvisor, or to crun under podman, or ask who owns the policy")
            }
            (demand, note) = (.required, nil)
        }
    }

    /// Why nobody can tell which programs run under an engine; nil: somebody can.
    static func missing(
        _ isolation: Configuration.Isolation, _ runtime: Configuration.ContainerRuntime
    ) -> String? {
        switch isolation {
        case .gvisor: return nil
        case .kata: return "the engine is kata, whose programs run in a kernel of their own"
        case .crun:
            if runtime == .docker { return "the engine is crun, and Docker hands no listener of a filter over" }
            // Linux 5.0; that a call may go on came with 5.5 (seccomp_unotify(2)).
            let actions = (try? File.text("/proc/sys/kernel/seccomp/actions_avail", limit: 4096)) ?? ""
            let isKnown = actions.split(whereSeparator: \.isWhitespace).contains("user_notif")
            return isKnown ? nil : "the engine is crun, and this kernel asks nobody about a call (seccomp user_notif)"
        }
    }

    /// Whether a policy has rules for which gates stand, and no document of it speaks about trace points.
    static func impliedBy(_ policy: EffectivePolicy) -> Bool {
        policy["audit.trace_policy"]?.origin.isBuiltIn != false && ToolCoverage.isNeeded(policy)
    }
}
