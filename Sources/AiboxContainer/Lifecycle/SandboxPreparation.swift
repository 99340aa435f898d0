import AiboxConfig
import AiboxCrypto
import AiboxPolicy
import AiboxSystem
import AiboxWire

/// Everything of a start that needs no gateway: engine, image, profiles, keys, workspace view.
struct SandboxPreparation: Sendable {
    let context: SandboxContext
    let name: SandboxName
    let workspace: Workspace
    /// The gate for tools; nil where no rule asks for one.
    var tools: ToolGate?
    /// Whether the gateway is told which programs run inside.
    var traces: GatewaySettings.TraceDemand?

    func prepare() throws(AiboxError) -> PreparedSandbox {
        let engine = try engine()
        let image = try image()
        let appArmor = try AppArmorProfile.decide(
            engine: engine, isRootful: context.host.isRoot,
            isRequired: context.configuration.gvisor.requireAppArmor, state: AppArmorProfile.state)
        let support = LimitSupport(host: context.host, engine: engine)
        if let reason = support.reason, context.policy?.requiresResources ?? false {
            throw AiboxError(
                .layerMissing, "the policy requires limits that this machine does not enforce", why: reason,
                remedy: "aibox doctor says what is missing, or ask who owns the policy")
        }
        let limits = support.enforceable(wish)
        let listener = try callListener(engine)
        return PreparedSandbox(
            context: context, name: name, workspace: workspace, image: image, engine: engine, appArmor: appArmor,
            limits: limits,
            support: support,
            seccompProfile: try SandboxFiles(context: context).seccompProfile(for: engine, listener: listener),
            callListener: listener,
            podmanSettings: engine.isGVisor || context.host.isRoot || context.configuration.runtime == .docker
                ? nil : try SandboxFiles(context: context).podmanSettings(), secrets: try secrets(),
            workspaceSource: try mount.attach(rootful: context.host.isRoot), tools: tools)
    }

    /// The limits of the settings, whatever this machine can enforce of them.
    var wish: SandboxSpec.Limits {
        let wish = context.configuration.resources
        return SandboxSpec.Limits(cpus: wish.cpus, memoryBytes: wish.memory.bytes, processes: wish.pids)
    }

    /// The container as far as it is decided before anything is made: what policies are asked about. What is found or
    /// made later (image, profile, namespace, keys) stands for itself.
    var plan: SandboxSpec {
        let engine: SandboxSpec.Engine =
            switch context.configuration.isolation {
            case .crun: .crun(path: "crun")
            case .kata: .kata(path: "kata")
            case .gvisor: .gvisor(runtime: "runsc", platform: .systrap)
            }
        return SandboxSpec(
            name: name, workspacePath: workspace.path, image: "image", engine: engine,
            userMapping: context.host.isRoot ? .identity : .keepID, networkNamespace: "/",
            limits: LimitSupport(host: context.host, engine: engine).enforceable(wish),
            workspaceSource: mount.source(rootful: context.host.isRoot), volumes: CacheVolumes.volumes(of: name),
            temporaryBytes: context.configuration.resources.tmpSize.bytes, seccompProfile: "/", appArmorProfile: nil,
            secrets: [], tools: tools?.mounts ?? [], environment: [], command: [], monitorPidFile: "/")
    }

    func image() throws(AiboxError) -> StoredImage {
        switch context.engine {
        case .podman(let podman):
            try ImageStore(podman: podman, remembered: remembered).image(
                for: context.configuration, paths: context.paths)
        case .docker(let docker):
            try DockerImages(docker).image(for: context.configuration, isRoot: context.host.isRoot)
        }
    }

    private var remembered: Remembered { Remembered(folder: context.paths.rememberedAnswers) }

    private var mount: WorkspaceMount {
        WorkspaceMount(workspace: workspace, runtimeRoot: context.paths.runtimeRoot, name: name)
    }

    /// Where a runtime that starts programs in the host's kernel sends the filter's listener.
    private func callListener(_ engine: SandboxSpec.Engine) throws(AiboxError) -> String? {
        guard traces != nil, case .crun = engine else { return nil }
        return try context.paths.runtimeFolder(sandbox: name.text) + "/" + Wire.traceSocket
    }

    private func engine() throws(AiboxError) -> SandboxSpec.Engine {
        let probe = RuntimeProbe(runner: context.runner, remembered: remembered)
        switch context.configuration.isolation {
        case .crun: return .crun(path: try probe.crun())
        case .kata: return .kata(path: try probe.kata())
        case .gvisor:
            let session = try traces.map { demand throws(AiboxError) in
                let folder = try context.paths.runtimeFolder(sandbox: name.text)
                return try SandboxFiles(context: context).traceSession(
                    TraceSession(socket: folder + "/" + Wire.traceSocket, demand: demand))
            }
            let wrapper = RunscWrapper(
                runsc: try probe.runsc().path, ignoresCgroups: !context.host.isRoot, traceSession: session)
            let platform = SandboxSpec.Engine.Platform(rawValue: context.configuration.gvisor.platform.rawValue)
            return .gvisor(
                runtime: try SandboxFiles(context: context).runscWrapper(wrapper), platform: platform ?? .systrap)
        }
    }

    /// The files that sshd and sessions need, through podman's secret store. A name holds the digest of its
    /// content, so that a start finds what an earlier one left there and need not make it again.
    private func secrets() throws(AiboxError) -> [SandboxSpec.Secret] {
        let keys = SSHKeys(runner: context.runner)
        let user = try keys.ensure(
            SSHConfiguration(paths: context.paths).identityFile, comment: "aibox \(context.user.name)")
        let hostPath = try context.paths.sandboxState(name.text) + "/" + SandboxFolder.hostKey
        // Where sessions must be recorded, the sandbox takes the recorder's key and not the user's.
        let isRecorded = try RecordingRule.load(context, sandbox: name.text)?.isRequired ?? false
        let innerPath = try context.paths.sandboxState(name.text) + "/" + RecordedDoor.innerKey
        let accepted = isRecorded ? try keys.ensure(innerPath, comment: "aibox recorder") : user
        let host = try keys.ensure(hostPath, comment: name.container)
        return [
            try secret(
                "hostkey", content: try File.read(host.privatePath), target: "/run/aibox/ssh_host_ed25519_key",
                mode: "0400"),
            try secret(
                "authorized", content: Array((accepted.publicKey + "\n").utf8), target: "/run/aibox/authorized_keys",
                mode: "0444"),
            try secret(
                "run-argv", content: Array(SandboxSession.script.utf8), target: SandboxSession.scriptPath, mode: "0444"),
        ]
    }

    /// Forgets which secrets podman was given, so that the next start gives them again.
    func forgetSecrets() {
        guard let folder = try? context.paths.sandboxState(name.text) else { return }
        for file in (try? Folder.names(folder)) ?? [] where file.hasPrefix(Self.marker) {
            try? File.remove(folder + "/" + file)
        }
    }

    static let marker = "secret-"

    static let secretPurposes =
        ["hostkey", "authorized", "run-argv", "codex", "codex-rules", "claude-rules", GitSettings.purpose]
        + MirrorFiles.purposes + SandboxTrust.purposes

    /// What the sandbox is given to trust the authority of its gateway, where that opens tunnels.
    func trust(_ authority: String?, image: StoredImage) throws(AiboxError) -> SandboxTrust {
        guard let authority else { return SandboxTrust() }
        guard let own = try text(of: SandboxTrust.bundlePath, in: image) else {
            throw AiboxError(
                .failed, "cannot read \(SandboxTrust.bundlePath) of the image", why: "it is not there",
                remedy: "the image needs the package ca-certificates where the allow-list limits methods or paths")
        }
        let all = own + "\n" + authority
        // Each is a call of the engine, which takes as long as all else here.
        let (plain, java) = try Parallel.both(
            { () throws(AiboxError) in
                [
                    try shared("authority", Array(authority.utf8), SandboxTrust.authorityPath),
                    try shared("authorities", Array(all.utf8), SandboxTrust.bundlePath),
                ]
            },
            { () throws(AiboxError) in
                try shared("authorities-java", try JavaKeystore.of(pem: all), SandboxTrust.keystorePath)
            })
        return SandboxTrust(secrets: plain + [java])
    }

    /// A file that everybody inside may read.
    private func shared(_ purpose: String, _ content: [UInt8], _ target: String) throws(AiboxError)
        -> SandboxSpec.Secret
    { try secret(purpose, content: content, target: target, mode: "0444") }

    /// What a file of the image says; nil if it is not there. A container is needed to see it, so it is looked at once: an id
    /// stands for the content.
    func text(of path: String, in image: StoredImage) throws(AiboxError) -> String? {
        let question = "\(path) of \(image.id)"
        if let kept = remembered.answer(question) { return kept.stringValue }
        let asked = Timestamp.now
        let text = try context.engine.file(path, of: image.id)
        if let catalogue = image.catalogue {
            remembered.keep(text.map { .string($0) } ?? .null, to: question, asked: asked, files: [catalogue])
        }
        return text
    }

    func secret(_ purpose: String, content: [UInt8], target: String, mode: String) throws(AiboxError)
        -> SandboxSpec.Secret
    {
        let name = "\(name.container)-\(purpose)-\(try SHA256.digest(content).hex.prefix(12))"
        let secret = SandboxSpec.Secret(name: name, target: target, mode: mode)
        switch context.engine {
        case .podman(let podman):
            let marker = try context.paths.sandboxState(self.name.text) + "/" + Self.marker + purpose
            if (try? File.text(marker)) != name {
                try podman.ensureSecret(name, content: content)
                try File.replace(marker, with: name)
            }
        case .docker(let docker): try docker.requests.keep(name, content, mode: UInt32(mode, radix: 8) ?? 0o400)
        }
        return secret
    }
}

/// All that is known before the gateway has given the sandbox its network namespace.
struct PreparedSandbox: Sendable {
    let context: SandboxContext
    let name: SandboxName
    let workspace: Workspace
    let image: StoredImage
    let engine: SandboxSpec.Engine
    let appArmor: AppArmorProfile.Decision
    let limits: SandboxSpec.Limits
    let support: LimitSupport
    let seccompProfile: String
    let callListener: String?
    /// A containers.conf of ours, where the machine's would not do.
    let podmanSettings: String?
    let secrets: [SandboxSpec.Secret]
    let workspaceSource: String
    let tools: ToolGate?

    /// What is not enforced on this machine.
    var notes: [String] {
        var notes = support.reason.map { ["resource limits are not all enforced: \($0)"] } ?? []
        if case .crun = engine, case .unconfined(let why) = appArmor { notes.append("no AppArmor: \(why)") }
        return notes
    }

    /// The limits as enforced, for `status`.
    var limitWords: String {
        var words: [String] = []
        if let cpus = limits.cpus { words.append("cpus \(cpus)") }
        if let bytes = limits.memoryBytes { words.append("memory \(ByteSize(bytes: bytes))") }
        if let processes = limits.processes { words.append("processes \(processes)") }
        return words.isEmpty ? "none (\(support.reason ?? "not supported"))" : words.joined(separator: ", ")
    }

    func spec(
        _ gateway: GatewayReady, _ trust: SandboxTrust, _ lending: CredentialLending, settings: [SandboxSpec.Secret],
        mirrors: MirrorSettings, runFolder: String
    ) -> SandboxSpec {
        let variables =
            proxy + trust.environment + lending.environment + mirrors.environment(lending.plan?.places ?? [])
        var spec = SandboxSpec(
            name: name, workspacePath: workspace.path, image: image.id, engine: engine,
            userMapping: context.host.isRoot ? .identity : .keepID, networkNamespace: gateway.networkNamespace,
            limits: limits, workspaceSource: workspaceSource, volumes: CacheVolumes.volumes(of: name),
            temporaryBytes: context.configuration.resources.tmpSize.bytes, seccompProfile: seccompProfile,
            appArmorProfile: appArmor.profile, secrets: secrets + trust.secrets + settings,
            tools: tools?.mounts ?? [], environment: [SandboxSpec.Variable("AIBOX_SANDBOX", name.text)] + variables,
            command: Self.command(name, variables),
            monitorPidFile: runFolder + "/conmon.pid")
        spec.callListener = callListener
        return spec
    }

    /// The way out, for programs that know proxies; those that do not reach the same gateway by its address.
    private var proxy: [SandboxSpec.Variable] {
        guard context.configuration.network.enabled else { return [] }
        let url = "http://\(SandboxSpec.gatewayAddress):\(SandboxSpec.proxyPort)"
        // The gateway's own services are asked directly.
        let local = "localhost,127.0.0.1,::1,\(SandboxSpec.gatewayAddress)"
        return [("HTTP_PROXY", url), ("HTTPS_PROXY", url), ("NO_PROXY", local)].flatMap { name, value in
            [SandboxSpec.Variable(name, value), SandboxSpec.Variable(name.lowercased(), value)]
        } + [SandboxSpec.Variable("NODE_USE_ENV_PROXY", "1")]
    }

    /// sshd keeps the container alive: it is its first process. A login gets the variables named here.
    private static func command(_ name: SandboxName, _ variables: [SandboxSpec.Variable]) -> [String] {
        // sshd reads words as a shell does (sshd_config(5)): a quote is itself behind a backslash.
        let variables = variables.map { variable in
            " \(variable.name)=" + variable.value.map { "\\\"'".contains($0) ? "\\\($0)" : "\($0)" }.joined()
        }.joined()
        return [
            // -r: a connection is served by a fork and not by sshd started again, which under gVisor takes a tenth of a
            // second each time; OpenSSH 9.8 and later ignore it.
            "/usr/sbin/sshd", "-D", "-e", "-r", "-f", "/etc/aibox/sshd_config", "-o",
            "SetEnv=LANG=C.UTF-8 PATH=\(path) AIBOX_SANDBOX=\(name)\(variables)", "-o",
            "AcceptEnv=\(SandboxSession.variables)",
        ]
    }

    private static let path =
        "/home/dev/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
