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
        if context.configuration.isolation != .gvisor {
            why = "only gVisor has them, and the engine is \(context.configuration.isolation.rawValue)"
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
                    remedy: "set isolation to gvisor, or ask who owns the policy")
            }
            (demand, note) = (.required, nil)
        }
    }

    /// Whether a policy has rules for which gates stand, and no document of it speaks about trace points.
    static func impliedBy(_ policy: EffectivePolicy) -> Bool {
        policy["audit.trace_policy"]?.origin.isBuiltIn != false && ToolCoverage.isNeeded(policy)
    }
}
