public import AiboxConfig
public import AiboxSystem

extension EffectivePolicy {
    /// What becomes of a wish for an engine.
    public enum EngineVerdict: Sendable, Equatable {
        case permitted
        /// Permitted as a fallback, which is said at every start.
        case fallback(String)
    }

    /// What separates sandboxes from the kernel, at least.
    public var engine: Configuration.Isolation { Configuration.Isolation(rawValue: text("runtime.engine")) ?? .gvisor }

    /// - Throws: `denied` where the policy permits the engine in no way.
    public func judge(_ wish: Configuration.Isolation) throws(AiboxError) -> EngineVerdict {
        if wish == engine || engine == .crun { return .permitted }
        if values["runtime.fallback"]?.texts.contains(wish.rawValue) ?? false {
            return .fallback(
                "runs under \(wish.rawValue) instead of \(engine.rawValue), which \(place("runtime.fallback")) permits as a fallback"
            )
        }
        throw AiboxError(
            .denied, "the policy does not permit \(wish.rawValue)",
            why: "\(place("runtime.engine")) asks for \(engine.rawValue)",
            remedy: wish == .gvisor
                ? "aibox config list --origin shows what asks for gVisor"
                : "aibox config set gvisor.enabled true, or ask who owns the policy for runtime.fallback: [\(wish.rawValue)]"
        )
    }

    /// - Throws: `denied` where containers would be run by the machine's root and must not.
    public func judge(rootful: Bool) throws(AiboxError) {
        if !rootful || values["runtime.rootless"]?.boolean != true { return }
        throw AiboxError(
            .denied, "the policy does not permit a sandbox of the machine's root",
            why: "\(place("runtime.rootless")) asks for rootless", remedy: "start it as an ordinary user")
    }

    /// Lowers resources to what the policy permits.
    ///
    /// - Returns: what was lowered, in words.
    public func bound(_ resources: inout Configuration.Resources) -> [String] {
        var words: [String] = []
        func lower(_ name: String, _ value: Int) -> Int {
            guard let most = values["resources.\(name)"]?.integer, most < value else { return value }
            let shown = PolicySchema.field("resources.\(name)")?.words(of: PolicyItem(.integer(most), .builtIn))
            words.append("\(name) is \(shown ?? String(most)) at most (\(place("resources.\(name)")))")
            return most
        }
        resources.cpus = lower("cpus", resources.cpus)
        resources.memory = ByteSize(bytes: Int64(lower("memory", Int(resources.memory.bytes))))
        resources.pids = lower("pids", resources.pids)
        resources.tmpSize = ByteSize(bytes: Int64(lower("tmp_size", Int(resources.tmpSize.bytes))))
        return words
    }

    /// Settings that no layer of the configuration may loosen.
    public var pins: [ConfigurationPin] {
        (values["pins"]?.members ?? [:]).sorted { $0.key < $1.key }.map { key, item in
            ConfigurationPin(key, item.text ?? "", source: item.origin.description)
        }
    }
}
