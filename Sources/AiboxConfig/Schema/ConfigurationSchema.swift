public import AiboxSystem

/// Every key that exists. Loading, the environment, `config list`, `get` and `set`, completion and the
/// documentation all follow this table: a new key is one row here and one property of `Configuration`.
public enum ConfigurationSchema {
    public static let keys: [ConfigurationKey] = [
        ConfigurationKey(
            "config_version", \.version, .integer(1...Configuration.currentVersion), isOverridable: false,
            "Layout of the file; aibox config migrate raises it."),
        ConfigurationKey(
            "runtime", \.runtime, .choice(of: Configuration.ContainerRuntime.self),
            "Program that runs the containers."),
        ConfigurationKey(
            "image", \.image, .text(.image),
            "Image of the sandbox; empty means the base image built on this machine."),
        ConfigurationKey(
            "shell", \.shell, .choice(of: Configuration.LoginShell.self),
            "Login shell inside the sandbox."),
        ConfigurationKey(
            "gvisor.enabled", \.gvisor.enabled, .boolean, tighter: .on,
            "Run the sandbox on gVisor's user-space kernel."),
        ConfigurationKey(
            "gvisor.platform", \.gvisor.platform, .choice(of: Configuration.GVisor.Platform.self),
            "How gVisor intercepts system calls: systrap is fast, ptrace runs everywhere."),
        ConfigurationKey(
            "gvisor.require_apparmor", \.gvisor.requireAppArmor, .boolean, tighter: .on,
            "Refuse to start where the AppArmor profile cannot be enforced."),
        ConfigurationKey(
            "kata.enabled", \.kata.enabled, .boolean,
            "Run the sandbox in a Kata virtual machine; needs gvisor.enabled false."),
        ConfigurationKey(
            "resources.cpus", \.resources.cpus, .integer(1...1024), tighter: .less,
            "Processors that the sandbox may use."),
        ConfigurationKey(
            "resources.memory", \.resources.memory, .size(ByteSize(mebibytes: 64)...ByteSize(gibibytes: 16384)),
            tighter: .less,
            "Memory that the sandbox may use."),
        ConfigurationKey(
            "resources.pids", \.resources.pids, .integer(64...4_194_304), tighter: .less,
            "Processes and threads that the sandbox may have."),
        ConfigurationKey(
            "resources.tmp_size", \.resources.tmpSize, .size(ByteSize(mebibytes: 1)...ByteSize(gibibytes: 16384)),
            tighter: .less,
            "Size of the sandbox's /tmp, which lies in memory."),
        ConfigurationKey(
            "workspace.default_path", \.workspace.defaultPath, .text(.path),
            "Workspace of aibox start without -w, relative to the current folder."),
        ConfigurationKey(
            "registry.verify_signatures", \.registry.verifySignatures, .boolean, tighter: .on,
            "Refuse images from a registry that no key in registry.keys has signed."),
        ConfigurationKey(
            "registry.keys", \.registry.keys, .list(.pathFromAnywhere), tighter: .part,
            "Files with the public keys that may sign images."),
        ConfigurationKey(
            "network.enabled", \.network.enabled, .boolean, tighter: .off,
            "Give the sandbox its filtered way out; false means no way out at all."),
        ConfigurationKey(
            "network.allowed_domains", \.network.allowedDomains, .list(.domain), tighter: .part,
            "Hosts that the sandbox may reach if policy agrees."),
        ConfigurationKey(
            "network.llm_gateway", \.network.llmGateway, .text(.modelGateways),
            "URL of the organisation's LLM gateway; with more, the next one takes over where one fails."),
        ConfigurationKey(
            "network.mirrors", \.network.mirrors, .list(.mirror),
            "Where package managers inside find their packages (credentials.md)."),
        ConfigurationKey(
            "network.resolver", \.network.resolver, .choice(of: Configuration.Network.Resolver.self),
            "Program that answers the sandbox's DNS queries; auto takes the one installed."),
        ConfigurationKey(
            "policy.org_baseline_path", \.policy.orgBaselinePath, .text(.absolutePath),
            "The organisation's policy; no other may loosen it."),
        ConfigurationKey(
            "policy.team_policy_path", \.policy.teamPolicyPath, .text(.optionalPath),
            "The team's policy, which may tighten the organisation's."),
        ConfigurationKey(
            "policy.project_policy_path", \.policy.projectPolicyPath, .text(.relativePath),
            "The project's policy, relative to the workspace."),
        ConfigurationKey(
            "policy.org_bundle_url", \.policy.orgBundleURL, .text(.bundle), isOverridable: false,
            "The organisation's policy as a signed bundle, set in /etc/aibox/config.yaml alone."),
        ConfigurationKey(
            "policy.org_bundle_keys", \.policy.orgBundleKeys, .list(.absolutePath), tighter: .part,
            isOverridable: false, "Files with the public keys that may sign it."),
        ConfigurationKey(
            "policy.team_bundle_url", \.policy.teamBundleURL, .text(.bundle),
            "The team's policy as a signed bundle, in the place of policy.team_policy_path."),
        ConfigurationKey(
            "policy.team_bundle_keys", \.policy.teamBundleKeys, .list(.pathFromAnywhere), tighter: .part,
            "Files with the public keys that may sign it."),
        ConfigurationKey(
            "policy.bundle_ca", \.policy.bundleCA, .text(.optionalPath),
            "Certificates that a server of bundles has to come from, instead of the system's (PEM)."),
        ConfigurationKey(
            "credentials.store", \.credentials.store, .choice(of: Configuration.Credentials.Store.self),
            "Where credentials are kept; auto asks environment, command, Vault, keyring and encrypted file, as far as they work."
        ),
        ConfigurationKey(
            "credentials.fallback", \.credentials.fallback, .choice(of: Configuration.Credentials.Fallback.self),
            "With credentials.store keyring: what takes the place of a keyring that does not work."),
        ConfigurationKey(
            "credentials.command", \.credentials.command, .list(.argument), isOverridable: false,
            "Program that hands out credentials, with an absolute path, and its arguments."),
        ConfigurationKey(
            "credentials.command_timeout", \.credentials.commandTimeout, .integer(1...600), tighter: .less,
            "Seconds that the program may take."),
        ConfigurationKey(
            "credentials.passphrase", \.credentials.passphrase, .boolean, tighter: .on,
            "Encrypt the file of credentials with a passphrase instead of a key beside the settings."),
        ConfigurationKey(
            "credentials.vault_addr", \.credentials.vaultAddress, .text(.vaultAddress),
            "URL of the Vault that holds credentials, https only."),
        ConfigurationKey(
            "credentials.vault_namespace", \.credentials.vaultNamespace, .text(.optionalVaultPath),
            "Vault's namespace."),
        ConfigurationKey(
            "credentials.vault_auth", \.credentials.vaultAuth, .choice(of: Configuration.Credentials.VaultAuth.self),
            "How aibox logs in to Vault."),
        ConfigurationKey(
            "credentials.vault_auth_mount", \.credentials.vaultAuthMount, .text(.optionalVaultPath),
            "Where that method is enabled in Vault; empty means the place of its own name."),
        ConfigurationKey(
            "credentials.vault_role", \.credentials.vaultRole, .text(.optionalVaultPath),
            "With approle the role id, else the role; cert and spiffe-x509 need none."),
        ConfigurationKey(
            "credentials.vault_audience", \.credentials.vaultAudience, .text(.optionalAudience),
            "With spiffe-jwt: whom the token is for; empty means credentials.vault_addr."),
        ConfigurationKey(
            "credentials.vault_secret_path", \.credentials.vaultSecretPath, .text(.pathFromAnywhere),
            "File, of mode 0600, with the token, the secret id of the AppRole, the JWT, or certificate and key (PEM)."),
        ConfigurationKey(
            "credentials.vault_mount", \.credentials.vaultMount, .text(.vaultPath),
            "Secrets engine, KV version 2, that holds the credentials."),
        ConfigurationKey(
            "credentials.vault_ca", \.credentials.vaultCA, .text(.optionalPath),
            "Certificates that Vault's has to come from, instead of the system's (PEM)."),
        ConfigurationKey(
            "credentials.spiffe_endpoint", \.credentials.spiffeEndpoint, .text(.optionalSocket),
            "Where the SPIFFE Workload API listens; empty means what SPIFFE_ENDPOINT_SOCKET says."),
        ConfigurationKey(
            "credentials.spiffe_id", \.credentials.spiffeID, .text(.optionalSpiffeID),
            "Which identity of SPIFFE's aibox shows to Vault; empty means the only one that it has."),
        ConfigurationKey(
            "audit.recording_policy", \.audit.recordingPolicy,
            .choice(of: Configuration.Audit.RecordingPolicy.self), tighter: .later,
            "Whether what sessions show is recorded; required ends a session that cannot be."),
        ConfigurationKey(
            "audit.trace_policy", \.audit.tracePolicy,
            .choice(of: Configuration.Audit.TracePolicy.self), tighter: .later,
            "Whether the log tells which programs run inside; required cuts off a sandbox of which some are lost."
        ),
        ConfigurationKey(
            "audit.recording_notice_text", \.audit.recordingNotice, .text(.line),
            "Shown at the beginning of a recorded session."),
        ConfigurationKey(
            "audit.recording_recipient", \.audit.recordingRecipient, .text(.recordingRecipient),
            "Public key that recordings are encrypted for; empty means a key of your own."),
        ConfigurationKey(
            "audit.recording_limit", \.audit.recordingLimit,
            .size(ByteSize(mebibytes: 1)...ByteSize(gibibytes: 1024)), tighter: .less,
            "Size of one recording on the disk."),
        ConfigurationKey(
            "audit.sinks", \.audit.sinks, .list(.sink),
            "Where aibox audit forward sends events."),
        ConfigurationKey(
            "audit.checkpoint_places", \.audit.checkpointPlaces, .list(.checkpointPlace),
            "Second places of the audit log's checkpoints, beside the folder on this machine."),
        ConfigurationKey(
            "audit.metrics_port", \.audit.metricsPort, .integer(0...65535),
            "First port tried on 127.0.0.1 for Prometheus, where every user of this machine can read; 0 means none."),
        ConfigurationKey(
            "approvals.webhook", \.approvals.webhook, .text(.webhook),
            "Where calls that wait for a person are told with a POST (tools.md)."),
        ConfigurationKey(
            "approvals.webhook_secret_path", \.approvals.webhookSecretPath, .text(.optionalPath),
            "File, of mode 0600, with the secret that signs what is told there."),
        ConfigurationKey(
            "approvals.desktop", \.approvals.desktop, .boolean,
            "Show them on the desktop as well, by notify-send where there is a session bus."),
        ConfigurationKey(
            "ide.ssh_port", \.ide.sshPort, .integer(1024...65535),
            "First port tried on 127.0.0.1 for SSH; further sandboxes take the next free ones."),
        ConfigurationKey(
            "logging.level", \.logging.level, .choice(of: Configuration.Logging.Level.self),
            "Least important messages that are written."),
        ConfigurationKey(
            "logging.format", \.logging.format, .choice(of: Configuration.Logging.Format.self),
            "Form of the messages."),
    ]

    /// The row of a dotted name.
    public static func key(_ name: String) -> ConfigurationKey? { keys.first { $0.name == name } }

    /// The row of a name that a person typed.
    ///
    /// - Throws: a usage error with the nearest name.
    public static func known(_ name: String) throws(AiboxError) -> ConfigurationKey {
        if let key = key(name) { return key }
        throw AiboxError(
            .usage, "there is no setting \(name.prefix(80))",
            remedy: nearest(name).map { "did you mean \($0)?" } ?? "aibox config list shows them all")
    }

    /// The sections, in the order of the table: `gvisor`, `kata`, ...
    static let sections: [String] = keys.reduce(into: []) { sections, key in
        if let section = key.section, !sections.contains(section) { sections.append(section) }
    }

    /// The key that an unknown name most likely means: the nearest by spelling, else the one with the same last
    /// component (`cpus` for `resources.cpus`).
    public static func nearest(_ name: String) -> String? {
        if let near = NearestName.of(name, among: keys.lazy.map(\.name)) { return near }
        let last = name.split(separator: ".").last.map(String.init) ?? name
        let byLast = keys.filter { $0.components.last == last }
        return byLast.count == 1 ? byLast[0].name : nil
    }
}

extension ConfigurationKey {
    /// `resources` of `resources.cpus`; nil for a key at the top.
    var section: String? { components.count == 2 ? components[0] : nil }
}

extension ConfigurationKey.Kind {
    fileprivate static func choice<Choice: RawRepresentable & CaseIterable>(of: Choice.Type) -> Self
    where Choice.RawValue == String {
        .choice(Choice.allCases.map(\.rawValue))
    }
}
