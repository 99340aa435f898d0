public import AiboxSystem
import Glibc

/// Where everything lies: the one place that decides a path, for writer and reader alike.
///
/// A value computed from who runs aibox and in which environment. Follows the XDG Base Directory Specification;
/// a variable that holds a relative path is ignored, as that asks.
public struct Paths: Sendable, Equatable {
    /// The folder of the organisation's own files: `/etc/aibox`.
    public let systemFolder: String
    /// The user's settings: `$XDG_CONFIG_HOME/aibox`, else `~/.config/aibox`.
    public let configurationFolder: String
    /// What aibox remembers: `$XDG_STATE_HOME/aibox`, else `~/.local/state/aibox`.
    public let stateFolder: String
    /// What can be made again: `$XDG_CACHE_HOME/aibox`, else `~/.cache/aibox`.
    public let cacheFolder: String
    /// The parent of every sandbox's run-time folder; see `runtimeFolder(sandbox:)`.
    public let runtimeRoot: String
    public let home: String

    /// - Parameters:
    ///   - environment: the variables to honour.
    ///   - systemFolder: another place for the organisation's files, for tests.
    ///   - isPrivateFolder: whether a path is a folder that this user owns and nobody else can enter. Asked for
    ///     `$XDG_RUNTIME_DIR` only, which `sudo` and `su` may leave pointing at another user's.
    public init(
        identity: UserIdentity,
        environment: [String: String],
        systemFolder: String = "/etc/aibox",
        isPrivateFolder: (_ path: String, _ owner: UInt32) -> Bool = Paths.isPrivateFolder
    ) {
        func base(_ variable: String, _ otherwise: String) -> String {
            let value = environment[variable] ?? ""
            return (value.hasPrefix("/") ? Paths.withoutTrailingSlash(value) : identity.home + "/" + otherwise)
                + "/aibox"
        }
        home = identity.home
        self.systemFolder = systemFolder
        configurationFolder = base("XDG_CONFIG_HOME", ".config")
        stateFolder = base("XDG_STATE_HOME", ".local/state")
        cacheFolder = base("XDG_CACHE_HOME", ".cache")
        let session = environment["XDG_RUNTIME_DIR"] ?? ""
        if session.hasPrefix("/"), isPrivateFolder(session, identity.uid) {
            runtimeRoot = Paths.withoutTrailingSlash(session) + "/aibox"
        } else {
            runtimeRoot = identity.isRoot ? "/run/aibox" : stateFolder + "/run"
        }
    }

    /// The paths of this process.
    public static var current: Paths { Paths(identity: .current, environment: Environment.all) }

    private static func withoutTrailingSlash(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        return path == "/" ? "" : String(path)
    }
}

// MARK: - Settings and policies

extension Paths {
    /// The user's settings: `~/.config/aibox/config.yaml`.
    public var userConfiguration: String { configurationFolder + "/config.yaml" }
    /// The machine's settings, below the user's: `/etc/aibox/config.yaml`.
    public var systemConfiguration: String { systemFolder + "/config.yaml" }
    /// The organisation's policy unless `policy.org_baseline_path` names another.
    public var orgPolicy: String { systemFolder + "/org-policy.yaml" }
    /// The organisation's Rego files; without the folder the embedded baseline holds.
    public var orgRego: String { systemFolder + "/policies" }
    /// Keys and pinned host keys for SSH into sandboxes: 0700.
    public var sshFolder: String { configurationFolder + "/ssh" }
    /// The host keys of the sandboxes, one line each, pinned at their start.
    public var sshKnownHosts: String { sshFolder + "/known_hosts" }
    /// The `Host` blocks of the sandboxes, made to be included by `~/.ssh/config`.
    public var sshIncludable: String { sshFolder + "/config" }
    /// The user's own SSH settings, in which aibox owns one marked block.
    public var userSSHConfiguration: String { home + "/.ssh/config" }

    /// The absolute form of a path from the configuration: `~/` is the home folder, a relative path is below `base`.
    public func absolute(_ path: String, base: String) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" { return home }
        if path.hasPrefix("~/") { return home + path.dropFirst() }
        return path == "." || path.isEmpty ? base : base + "/" + path
    }
}

// MARK: - State

extension Paths {
    public var stateDatabase: String { stateFolder + "/state.db" }
    /// What the user's sandboxes spend on language models, day by day.
    public var spendingLedger: String { stateFolder + "/llm-spending" }
    /// What one of them does: beside the sandbox's own state, so that who removes that has not begun the day anew.
    public func spendingLedger(of sandbox: String) throws(AiboxError) -> String {
        stateFolder + "/llm-sandbox-spending/" + (try Paths.component(sandbox))
    }
    public var auditFolder: String { stateFolder + "/audit" }
    /// The audit log's second place where no other is set: beside the state, not in it, so that who puts back
    /// yesterday's state has not put back this.
    public var auditCheckpoints: String { configurationFolder + "/audit-checkpoints" }
    public var recordingsFolder: String { stateFolder + "/recordings" }
    /// What was said to language models, encrypted as recordings are.
    public var payloadsFolder: String { stateFolder + "/llm-payloads" }
    /// The key of recordings that are made for nobody else.
    public var recordingKey: String { configurationFolder + "/recording.key" }
    /// The encrypted credentials, in a folder of their own.
    public var credentials: String { stateFolder + "/credentials/credentials" }
    /// The key of the encrypted credentials: not beside them, so that a copy of one folder is not a copy of both.
    public var credentialKey: String { configurationFolder + "/credentials.key" }
    /// What aibox holds of Vault's leases, a file for each sandbox: 0700.
    public var leases: String { stateFolder + "/leases" }
    /// The key that seals those files: not beside them.
    public var leaseKey: String { configurationFolder + "/leases.key" }
    /// Policies that sandboxes are or were held to, by digest.
    public var policies: String { stateFolder + "/policies" }
    /// Signed bundles of policies as they were fetched, a folder for each source: 0700.
    public var policyBundles: String { stateFolder + "/bundles" }
    /// The images from registries whose signature was checked.
    public var verifiedImages: String { stateFolder + "/verified-images" }
    /// What `aibox-docker-runtime` is asked for: 0700.
    public var dockerRequests: String { stateFolder + "/docker" }
    /// What was built here: the packages of each image.
    public var imageFolder: String { stateFolder + "/images" }
    /// Logs of work that failed.
    public var logFolder: String { stateFolder + "/log" }
    /// State that belongs to one sandbox and outlives its run: host keys, surrogates' digests, reports.
    public func sandboxState(_ sandbox: String) throws(AiboxError) -> String {
        stateFolder + "/sandboxes/" + (try Paths.component(sandbox))
    }
}

// MARK: - Cache

extension Paths {
    /// What programs said that will say the same again: 0700.
    public var rememberedAnswers: String { cacheFolder + "/remembered" }
}

// MARK: - Run time

extension Paths {
    /// The folder of a running sandbox's sockets and pid files: `$XDG_RUNTIME_DIR/aibox/<sandbox>`.
    ///
    /// Where that variable is unset or not this user's: `/run/aibox/<sandbox>` for root, else
    /// `~/.local/state/aibox/run/<sandbox>`. Make it with `makeRuntimeFolder`, which checks that it is 0700.
    public func runtimeFolder(sandbox: String) throws(AiboxError) -> String {
        runtimeRoot + "/" + (try Paths.component(sandbox))
    }

    /// Makes the run-time folder of a sandbox and its parent, both 0700 and this user's own, and returns it.
    public func makeRuntimeFolder(sandbox: String) throws(AiboxError) -> String {
        let folder = try runtimeFolder(sandbox: sandbox)
        try Folder.makePrivate(runtimeRoot)
        try Folder.makePrivate(folder)
        return folder
    }

    /// A unix socket in a sandbox's run-time folder.
    ///
    /// - Throws: if the path has more than the 107 bytes that the kernel takes (unix(7), `sun_path`).
    public func socket(_ name: String, sandbox: String) throws(AiboxError) -> String {
        let path = try runtimeFolder(sandbox: sandbox) + "/" + (try Paths.component(name))
        if path.utf8.count <= Paths.longestSocketPath { return path }
        throw AiboxError(
            .failed, "the socket path \(path) is too long",
            why: "it has \(path.utf8.count) bytes and the kernel takes \(Paths.longestSocketPath)",
            remedy: "set XDG_RUNTIME_DIR to a short private folder, or give the sandbox a shorter --name")
    }

    /// `sockaddr_un.sun_path` holds 108 bytes with the final zero.
    public static let longestSocketPath = 107

    /// A name that is one component of a path: it can lead neither up nor down.
    private static func component(_ name: String) throws(AiboxError) -> String {
        let plain = name.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 >= 0x20 && $0 != 0x7f }
        if plain, !name.isEmpty, name != ".", name != "..", name.utf8.count <= 255 { return name }
        throw AiboxError(.usage, "\"\(name.prefix(64))\" cannot be the name of a file or folder")
    }

    /// True if `path` is a real folder of `owner` that group and others cannot enter.
    public static func isPrivateFolder(_ path: String, owner: UInt32) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return false }
        return status.st_uid == owner && status.st_mode & 0o077 == 0
    }
}
