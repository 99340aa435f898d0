import AiboxAudit
import AiboxConfig
import AiboxCrypto
import AiboxNetwork
import AiboxPolicy
public import AiboxState
public import AiboxSystem
public import AiboxWire
import Glibc

/// What a start leaves to be told.
public struct StartedSandbox: Sendable {
    public var record: SandboxRecord
    /// Every promised layer as the independent checker found it; all hold, or the start had failed.
    public var findings: [HardeningCheck.Finding]
    /// The way out, in words.
    public var network: String
    /// What this machine cannot promise, in words.
    public var notes: [String]
    /// Whether calls of programs may have to wait for a person.
    public var asksPeople: Bool
    /// How long each step took.
    public var timings: [(step: String, time: Duration)]
}

/// `aibox start`: preflight, gateway, container, check, SSH. What fails or is interrupted is undone.
public struct SandboxStart: Sendable {
    private(set) var context: SandboxContext
    let workspacePath: String
    let givenName: String?
    private let llmKeys: [LLMKey]
    private let places: [PlaceGrant]
    /// The credentials of which a keeper has the secrets; nil: none.
    private let kept: KeptCredentials?
    /// What the engine is asked for; nil for what the spec says.
    var containerArguments: (@Sendable (SandboxSpec) -> [String])?

    /// - Parameters:
    ///   - llmKeys: keys for language models that the sandbox may use without getting them.
    ///   - places: credentials for git servers, mirrors and other places; the policy decides how long.
    ///   - kept: those of them that come from Vault, whose secrets a keeper has; nil: none do.
    public init(
        context: SandboxContext, workspace: String, name: String?, llmKeys: [LLMKey] = [],
        places: [PlaceGrant] = [], kept: KeptCredentials? = nil
    ) {
        self.context = context
        workspacePath = workspace
        givenName = name
        self.llmKeys = llmKeys
        self.places = places
        self.kept = kept
    }

    public func run() throws(AiboxError) -> StartedSandbox {
        var clock = StepClock()
        let workspace = try Workspace.check(
            workspacePath, user: context.user,
            state: [context.paths.stateFolder, context.paths.configurationFolder, context.paths.runtimeRoot],
            mounts: .current)
        let name = try sandboxName(workspace)
        let session = SandboxAudit.newSession()
        let lock = try context.lock(name)
        defer { lock.release() }
        let ruling: StartRuling
        let engine: PolicyEngine
        let given = context
        do throws(AiboxError) {
            (ruling, engine) = try Parallel.both(
                { () throws(AiboxError) in try StartRuling(given, workspace: workspace, sandbox: name.text) },
                { () throws(AiboxError) in
                    try PolicyEngine(given.policyModules(), action: "start")
                })
        } catch {
            // What the organisation says to a full disk is known even where the rest cannot be used.
            let audit = try SandboxAudit(context, sandbox: name.text, session: session, policy: "")
            try audit.refused(error, rule: "policy")
            try audit.failed(error)
            try audit.close()
            throw error
        }
        var bounded = self
        bounded.context = ruling.context
        let audit = try SandboxAudit(bounded.context, sandbox: name.text, session: session, policy: ruling.digest)
        do throws(AiboxError) {
            bounded.context.engine = try bounded.context.configuredEngine()
            let started = try bounded.start(workspace, name, session, audit, ruling, engine, &clock)
            try audit.close()
            return started
        } catch {
            try audit.failed(error)
            try audit.close()
            throw error
        }
    }

    private func start(
        _ workspace: Workspace, _ name: SandboxName, _ session: String, _ audit: SandboxAudit, _ ruling: StartRuling,
        _ engine: PolicyEngine, _ clock: inout StepClock
    ) throws(AiboxError) -> StartedSandbox {
        let plan = ruling.plan
        let store = try context.store()
        let runFolder = try context.paths.runtimeFolder(sandbox: name.text)
        try refuseOrClear(name, workspace, runFolder, store)
        // What podman once said of an image is remembered: nothing else would ask for it before a gateway is there.
        try requireEngine()
        let traces = try TraceRule(context, runFolder: runFolder)
        let preparation = try preparation(name, workspace, ruling, traces.demand)
        try context.keepDecider(ruling, engine.modules)
        let admission = SandboxAdmission(
            document(preparation.plan, preparation.wish), policy: ruling.policy, engine: engine,
            user: context.user.name)
        if let refusal = admission.refusal {
            try audit.refused(admission)
            throw refusal
        }
        try audit.creating(workspace, context, admission)
        if let words = ruling.fallback { try audit.fallback(words, context.configuration.isolation.rawValue) }
        if let before = try context.keep(ruling, engine.modules, sandbox: name.text) {
            try audit.policyChanged(from: before, to: ruling.digest)
        }
        let mirrors = try MirrorSettings(context.configuration.network.mirrors)
        let planned = try lending(name, ruling, engine.modules)
        let tools = try preparation.tools.map { gate throws(AiboxError) in
            try ToolPlan(gate, ruling.policy, engine.modules)
        }
        try audit.lending(planned)
        clock.mark("checks")
        let (lending, keeper) = try keep(planned, name, runFolder, session, ruling)

        var record = SandboxRecord(
            name: name.text, container: name.container, workspace: workspace.path, runFolder: runFolder, engine: "",
            image: "", imageID: "", phase: .starting, sshPort: 0, limits: "", started: .now,
            session: session)
        // Before anything is there that another engine could not take apart.
        if case .docker(let docker) = context.engine {
            try File.replace(try context.dockerNote(name), with: docker.socket.path)
        }
        try store.save(record)
        do throws(AiboxError) {
            let (prepared, gateway) = try Parallel.both(
                { () throws(AiboxError) in try preparation.prepare() },
                { () throws(AiboxError) in
                    try startGateway(
                        name, runFolder, session, ruling, lending, tools, engine.modules, traces.demand)
                })
            clock.mark("gateway, image, keys")
            try keeper?.keep()
            try Interruption.check()
            let trust = try preparation.trust(gateway.ready.authority, image: prepared.image)
            let settings = try preparation.settings(
                lending, mirrors, image: prepared.image,
                rules: tools.map { AgentRules(patience: $0.patience, forbidden: ruling.policy.forbiddenCommands) })
            let spec = prepared.spec(
                gateway.ready, trust, lending, settings: settings, mirrors: mirrors, runFolder: runFolder)
            let arguments = arguments(spec)
            try admission.hold(AdmissionDocument(spec, wish: preparation.wish, arguments: arguments))
            let monitor = try startContainer(spec, arguments, prepared)
            clock.mark("container")
            try Interruption.check()
            try gateway.watch(monitorPid: monitor)
            let inspection = ContainerInspection(context: context, spec: spec)
            let (findings, _) = try Parallel.both(
                { () throws(AiboxError) in try inspection.requireAll() },
                { () throws(AiboxError) in try SSHReadiness(port: gateway.ready.sshPort).wait() })
            clock.mark("hardening check, SSH ready")
            try gateway.client.serving()
            clock.mark("way out")
            record.engine = context.engine.label(spec.engine)
            record.image = prepared.image.reference
            record.imageID = prepared.image.id
            let door = RecordedDoor(context: context, name: name)
            if try RecordingRule.load(context, sandbox: name.text)?.isRequired ?? false {
                record.sshPort = Int(try door.open(gatewayPort: gateway.ready.sshPort))
                clock.mark("recorded door")
            } else {
                try door.forget()
                record.sshPort = Int(gateway.ready.sshPort)
            }
            record.limits = prepared.limitWords
            record.phase = .running
            try Interruption.check()
            try audit.started(record, findings)
            try store.save(record)
            try SSHConfiguration(paths: context.paths).write(try store.all().filter { $0.phase == .running })
            SandboxSession(paths: context.paths, record: record).keepConnection()
            clock.mark("record")
            return StartedSandbox(
                record: record, findings: findings, network: plan?.summary ?? "no way out",
                notes: ruling.notes + prepared.notes + lending.notes + [traces.note].compactMap(\.self)
                    + (plan == nil ? [Self.withoutNetwork] : []),
                asksPeople: ToolGateSetup.isNeeded(ruling.policy), timings: clock.steps)
        } catch {
            preparation.forgetSecrets()
            let remains = SandboxRemains(context: context, name: name, runFolder: runFolder)
            do throws(AiboxError) {
                try remains.clear(store)
            } catch let second {
                throw AiboxError(
                    error.code, error.what,
                    why: (error.why.map { $0 + "; " } ?? "") + "and undoing it failed: \(second.what)",
                    remedy: second.remedy ?? "aibox status clears away what is left")
            }
            throw error
        }
    }

    /// Where the gate for tools has to stand is known before anything is asked: it is part of what is admitted.
    private func preparation(
        _ name: SandboxName, _ workspace: Workspace, _ ruling: StartRuling, _ traces: GatewaySettings.TraceDemand?
    ) throws(AiboxError) -> SandboxPreparation {
        var preparation = SandboxPreparation(context: context, name: name, workspace: workspace, traces: traces)
        if ToolGateSetup.isNeeded(ruling.policy) {
            let setup = ToolGateSetup(context: context, policy: ruling.policy, image: try preparation.image())
            preparation.tools = try setup.gate()
        }
        return preparation
    }

    private func document(_ spec: SandboxSpec, _ wish: SandboxSpec.Limits) -> AdmissionDocument {
        AdmissionDocument(spec, wish: wish, arguments: arguments(spec))
    }

    /// Switched off, the network is closed, not open: no setting takes the filter away.
    private static let withoutNetwork = "network.enabled is false: this sandbox has no way out at all"

    private func sandboxName(_ workspace: Workspace) throws(AiboxError) -> SandboxName {
        if let givenName { return try SandboxName(givenName) }
        let digest = try SHA256.digest(workspace.path).hex
        return SandboxName(user: context.user.name, workspaceDigest: digest)
    }

    /// A sandbox that runs is left alone; what a crash left of one is cleared.
    private func refuseOrClear(
        _ name: SandboxName, _ workspace: Workspace, _ runFolder: String, _ store: SandboxStore
    ) throws(AiboxError) {
        let gateway = GatewayRemains.state(of: runFolder)
        if let record = try store.find(name.text), record.phase == .running, gateway == .running {
            throw AiboxError(
                .failed, "the sandbox \(name) is already running",
                why: "its workspace is \(SafeText.escaped(record.workspace))",
                remedy: record.workspace == workspace.path
                    ? "aibox shell --name \(name), or aibox stop --name \(name)" : "take another --name")
        }
        // The store may have been lost while a container or a gateway still stands.
        let isNoted = File.exists(try context.dockerNote(name))
        if try store.find(name.text) != nil || gateway != .absent || isNoted {
            try SandboxRemains(context: context, name: name, runFolder: runFolder).clear(store)
        }
    }

    private func startGateway(
        _ name: SandboxName, _ runFolder: String, _ session: String, _ ruling: StartRuling,
        _ lending: CredentialLending,
        _ tools: ToolPlan?, _ modules: PolicyModules, _ traces: GatewaySettings.TraceDemand?
    ) throws(AiboxError) -> GatewayProcess {
        try Folder.makePrivate(context.paths.runtimeRoot)
        var settings = GatewaySettings(
            sandbox: name.text, runFolder: runFolder, user: context.user.name,
            engine: context.configuration.runtime.rawValue, container: name.container,
            sshPort: UInt16(clamping: context.configuration.ide.sshPort),
            metricsPort: context.configuration.audit.metricsPort == 0
                ? nil : UInt16(clamping: context.configuration.audit.metricsPort),
            audit: GatewaySettings.AuditPlace(
                folder: context.paths.auditFolder, checkpoints: context.paths.auditCheckpoints, session: session,
                policy: ruling.digest, marksGaps: ruling.policy.auditFailure == .markGap),
            network: ruling.plan?.json,
            decisions: DecisionPlan(policy: ruling.policy.decisionDocument, modules: modules.json),
            llm: lending.plan, tools: tools,
            learn: try LearnPlan(ruling.documents, ruling.policy, network: ruling.plan), traces: traces)
        let credentials = CredentialPolicy(ruling.policy)
        settings.endsOnMisuse = credentials.endsOnMisuse
        settings.watchesCalls = traces != nil && context.configuration.isolation == .crun
        if settings.llm?.grants.isEmpty == false, credentials.keepsContent {
            var payloads = BrokerPlan.Payloads(
                folder: context.paths.payloadsFolder,
                recipient: try RecordingRule.recipient(context, ruling.policy).text, masksLeaks: credentials.masksLeaks)
            (payloads.size, payloads.days) = (credentials.payloadSize, credentials.payloadDays)
            settings.llm?.payloads = payloads
        }
        if lending.plan?.grants.isEmpty == false {
            settings.ledger = context.paths.spendingLedger
            settings.sandboxLedger = try context.paths.spendingLedger(of: name.text)
        }
        if case .docker(let docker) = context.engine, !context.host.isRoot {
            settings.userNamespacePid = try docker.socket.daemon(isRoot: false)
        }
        let log = try context.paths.sandboxState(name.text) + "/gateway.log"
        return try GatewayProcess.start(settings, logFile: log)
    }

    private func lending(
        _ name: SandboxName, _ ruling: StartRuling, _ modules: PolicyModules
    ) throws(AiboxError) -> CredentialLending {
        guard let policy = ruling.context.policy, !llmKeys.isEmpty || !places.isEmpty else { return .none }
        return try CredentialLending(
            llmKeys, places: places, policy,
            judge: CredentialJudge(policy, modules, user: context.user.name, sandbox: name.text),
            gateway: context.configuration.network.llmGateway, network: ruling.plan,
            now: Timestamp.now.seconds
        ) { () throws(AiboxError) in
            try CredentialLending.spent(name.text, auditFolder: context.paths.auditFolder)
        }
    }

    /// Has a keeper read what comes from Vault and is to be lent. Until it is told to keep that, its end is this value's: a start
    /// that fails leaves no lease.
    private func keep(
        _ lending: CredentialLending, _ name: SandboxName, _ runFolder: String, _ session: String, _ ruling: StartRuling
    ) throws(AiboxError) -> (CredentialLending, LeaseKeeperProcess?) {
        let ends = lending.ends.filter { kept?.names.contains($0.key) ?? false }
        guard let kept, !ends.isEmpty else { return (lending, nil) }
        let settings = LeaseKeeperSettings(
            vault: context.leaseSettings(
                kept.settings, session: session, policy: ruling.digest,
                marksGaps: ruling.policy.auditFailure == .markGap),
            sandbox: name.text, runFolder: runFolder, modelGateway: context.configuration.network.llmGateway,
            lent: ends, revokesOnStop: CredentialPolicy(ruling.policy).revokesOnStop)
        let log = try context.paths.sandboxState(name.text) + "/leases.log"
        let keeper = try LeaseKeeperProcess.start(settings, logFile: log)
        return (lending.filled(keeper.changes, of: Set(ends.keys)), keeper)
    }

    private func arguments(_ spec: SandboxSpec) -> [String] {
        containerArguments?(spec) ?? ContainerEngine.arguments(context.configuration.runtime, spec)
    }

    private func requireEngine() throws(AiboxError) {
        switch context.engine {
        case .podman(let podman): try podman.require()
        case .docker(let docker):
            let isRoot = context.host.isRoot
            _ = try docker.socket.daemon(isRoot: isRoot)
            try docker.daemon().require(try DockerRegistration(context), isRoot: isRoot)
        }
    }

    /// - Returns: the process whose end is the container's.
    private func startContainer(
        _ spec: SandboxSpec, _ arguments: [String], _ prepared: PreparedSandbox
    ) throws(AiboxError) -> Int32 {
        switch context.engine {
        case .podman(let podman):
            _ = try podman.start(arguments, settings: prepared.podmanSettings)
            return try monitorPid(spec)
        case .docker(let docker):
            let profile = try SeccompProfile(parsing: context.profiles.seccomp)
            try docker.start(arguments, try RuntimeRequest(spec, profile: profile, files: docker.requests))
            let state = try docker.inspect(spec.name.container)["State"]
            if let pid = state?["Pid"]?.wholeNumber, pid > 0, let monitor = Int32(exactly: pid) { return monitor }
            throw AiboxError(
                .failed, "the container has ended", why: ContainerInspection(context: context, spec: spec).lastWords())
        }
    }

    private func monitorPid(_ spec: SandboxSpec) throws(AiboxError) -> Int32 {
        let text = try File.text(spec.monitorPidFile)
        if let pid = Int32(text.filter { !$0.isWhitespace }) { return pid }
        throw AiboxError(.failed, "cannot find the container's monitor", why: "\(spec.monitorPidFile) names no process")
    }
}

/// Times the steps of a start.
private struct StepClock {
    private(set) var steps: [(step: String, time: Duration)] = []
    private var last = ContinuousClock.now

    mutating func mark(_ step: String) {
        let now = ContinuousClock.now
        steps.append((step, last.duration(to: now)))
        last = now
    }
}
