public import AiboxConfig
public import AiboxSystem

/// What the organisation says about every sandbox on this machine.
///
/// Read from `policy.org_baseline_path`; without the file the embedded baseline holds. A file that cannot
/// be read or understood is an error, never a default (P6).
public struct OrgPolicy: Sendable, Equatable {
    /// Where it was read from, for messages.
    public var source: String
    public var runtime: Runtime
    public var audit: Audit
    public var network: NetworkPolicy

    public struct Runtime: Sendable, Equatable {
        /// What separates sandboxes from the kernel, unless a fallback is taken.
        public var engine: Configuration.Isolation
        /// Engines that may be used in its place; each use is told at the start.
        public var fallback: [Configuration.Isolation]
    }

    public struct Audit: Sendable, Equatable {
        /// The least that is done; a user's setting may ask for more.
        public var recordingPolicy = Configuration.Audit.RecordingPolicy.disabled
        /// Whose key recordings are encrypted for, whatever a user's setting says; nil leaves it to the user.
        public var recordingRecipient: String?
        /// What becomes of actions while the audit log cannot be written.
        public var onFailure = OnFailure.stop

        public enum OnFailure: String, Sendable, CaseIterable {
            /// They are refused.
            case stop
            /// They go on, and the log says afterwards how many events are missing.
            case markGap = "continue"
        }
    }

    /// - Parameter embedded: the baseline that is part of the program.
    public static func load(path: String, embedded: [UInt8]) throws(AiboxError) -> OrgPolicy {
        if File.exists(path) { return try OrgPolicy(try File.read(path, limit: 1 << 20), file: path) }
        return try OrgPolicy(embedded, file: "the embedded baseline")
    }

    public init(_ bytes: [UInt8], file: String) throws(AiboxError) {
        let document = try YAMLDocument(bytes, file: file, code: .policyInvalid)
        let problems = ProblemCollector()
        let root = YAMLMapping(document, keys: ["version", "runtime", "network", "audit"], problems)
        root.require("version")
        _ = root.integer("version", in: 1...1)
        let runtime = root.mapping("runtime", keys: ["engine", "fallback"])
        let engine = runtime?.choice("engine", of: Configuration.Isolation.self) ?? .gvisor
        var fallback: [Configuration.Isolation] = []
        var audit = Audit()
        for text in runtime?.texts("fallback") ?? [] {
            if let known = Configuration.Isolation(rawValue: text) {
                fallback.append(known)
            } else {
                runtime?.complain("fallback", "must be a list of gvisor, kata or crun")
            }
        }
        if let mapping = root.mapping("audit", keys: ["recording_policy", "recording_recipient", "on_failure"]) {
            let policy = mapping.choice("recording_policy", of: Configuration.Audit.RecordingPolicy.self)
            audit.recordingPolicy = policy ?? audit.recordingPolicy
            audit.onFailure = mapping.choice("on_failure", of: Audit.OnFailure.self) ?? audit.onFailure
            audit.recordingRecipient = mapping.text("recording_recipient")
        }
        let network = NetworkPolicy(root.mapping("network", keys: NetworkPolicy.keys))
        if let error = AiboxError(.policyInvalid, "cannot use the policy \(file)", problems: problems.problems) {
            throw error
        }
        source = file
        self.runtime = Runtime(engine: engine, fallback: fallback)
        self.audit = audit
        self.network = network
    }

    /// What becomes of a wish for an engine.
    public enum EngineVerdict: Sendable, Equatable {
        case permitted
        /// Permitted as a fallback, which is said at every start.
        case fallback(String)
    }

    /// - Throws: `denied` where the policy permits the engine in no way.
    public func judge(_ wish: Configuration.Isolation) throws(AiboxError) -> EngineVerdict {
        if wish == runtime.engine { return .permitted }
        if runtime.fallback.contains(wish) {
            return .fallback(
                "runs under \(wish.rawValue) instead of \(runtime.engine.rawValue), which \(source) permits as a fallback"
            )
        }
        throw AiboxError(
            .denied, "the organisation's policy does not permit \(wish.rawValue)",
            why: "\(source) asks for \(runtime.engine.rawValue)",
            remedy: wish == .gvisor
                ? "aibox config list --origin shows what asks for gVisor"
                : "aibox config set gvisor.enabled true, or ask who owns the policy for runtime.fallback: [\(wish.rawValue)]"
        )
    }
}
