import AiboxConfig
import AiboxSystem
import CLinux
import Glibc

/// The way in for plain `ssh`, scp, sftp and IDEs where sessions must be recorded.
///
/// What passes the gateway's own SSH port is encrypted between the client and the sandbox, so nothing on the way could
/// record it, and a recorder inside would be in the adversary's hands. Therefore SSH ends on the host: an sshd of this
/// user's own, on the loopback, which can do one thing only, run the recorder. The recorder opens a session of its own
/// into the sandbox, with a key that no other program is told of; the sandbox's sshd takes no other. Forwarding of
/// ports, sockets, agents and X11 is off: through such a tunnel a session could go by unrecorded.
struct RecordedDoor: Sendable {
    let context: SandboxContext
    let name: SandboxName

    private static let configuration = "door.conf"
    private static let pidFile = "door.pid"
    private static let authorized = "door_authorized_keys"
    private static let log = "door.log"
    /// The key that opens the sandbox's own sshd.
    static let innerKey = "door_ed25519"
    /// The settings for the session into the sandbox.
    static let innerConfiguration = "door_ssh_config"
    /// What the client's request for sftp becomes: no program of this name is ever run.
    static let sftp = "aibox-sftp"

    private var folder: String { get throws(AiboxError) { try context.paths.sandboxState(name.text) } }

    /// Opens the door to a sandbox that answers on the gateway's port.
    ///
    /// - Returns: the door's port on 127.0.0.1.
    func open(gatewayPort: UInt16) throws(AiboxError) -> UInt16 {
        guard let sshd = ExecutableSearch.find("sshd") else {
            throw AiboxError(
                .layerMissing, "cannot record SSH sessions", why: "there is no sshd on this machine",
                remedy: "sudo apt-get install openssh-server")
        }
        try close()
        let folder = try folder
        try File.replace(folder + "/" + Self.innerConfiguration, with: try inner(gatewayPort))
        let userKey = try File.text(SSHConfiguration(paths: context.paths).identityFile + ".pub")
        try File.replace(folder + "/" + Self.authorized, with: userKey)
        // Run by root, sshd wants this folder to lock itself into (sshd(8)).
        if context.user.isRoot { try Folder.make("/run/sshd", mode: 0o755) }
        let wish = UInt16(clamping: max(context.configuration.ide.sshPort, Int(gatewayPort) + 1))
        for port in wish...UInt16(min(Int(wish) + 999, 65535)) {
            let probe = aibox_tcp_listen(0x7f00_0001, port, 1)
            if probe < 0 { continue }
            Descriptor(probe).close()
            try File.replace(folder + "/" + Self.configuration, with: try text(port: port))
            if try start(sshd, port) { return port }
        }
        throw AiboxError(
            .failed, "cannot record SSH sessions", why: "sshd did not start on any port from \(wish)",
            remedy: "its words are in \(folder)/\(Self.log)")
    }

    /// Starts sshd; false if it ended at once, as it does when somebody else took the port meanwhile.
    private func start(_ sshd: String, _ port: UInt16) throws(AiboxError) -> Bool {
        let folder = try folder
        let null = Descriptor(try retrying("cannot open /dev/null") { Glibc.open("/dev/null", O_RDWR | O_CLOEXEC) })
        let path = folder + "/" + Self.log
        let log = Descriptor(
            try retrying("cannot write \(path)") {
                Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
            })
        let child = try ChildProcess.start(
            Command(sshd, ["-D", "-e", "-f", folder + "/" + Self.configuration]),
            descriptors: [null.number, null.number, log.number], options: .newSession)
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if try child.poll() != nil { return false }
            do throws(AiboxError) {
                try SSHReadiness(port: port, limit: .milliseconds(200)).wait()
                return true
            } catch {
                try Interruption.check()
            }
        }
        child.send(SIGKILL)
        _ = try child.wait()
        return false
    }

    /// Ends the door, if one is open. Whose process it is, is seen by its configuration file, never by its number.
    func close() throws(AiboxError) {
        let folder = try folder
        guard let text = try? File.text(folder + "/" + Self.pidFile, limit: 64),
            let pid = Int32(text.filter { !$0.isWhitespace }), pid > 1
        else { return }
        let process = aibox_pidfd_open(pid)
        if process < 0 { return try File.remove(folder + "/" + Self.pidFile) }
        defer { Glibc.close(process) }
        let words = (try? File.read("/proc/\(pid)/cmdline", limit: 1 << 16)) ?? []
        // sshd shows its arguments in its title: "sshd: /usr/sbin/sshd -D -e -f FILE [listener] ...".
        guard String(decoding: words, as: UTF8.self).contains(folder + "/" + Self.configuration) else {
            return try File.remove(folder + "/" + Self.pidFile)
        }
        _ = aibox_pidfd_send_signal(process, SIGTERM)
        var waiting = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        if poll(&waiting, 1, 2000) == 0 { _ = aibox_pidfd_send_signal(process, SIGKILL) }
        try File.remove(folder + "/" + Self.pidFile)
    }

    // MARK: Files

    /// sshd_config(5).
    func text(port: UInt16) throws(AiboxError) -> String {
        let folder = try folder
        let own = Path.real("/proc/self/exe") ?? "aibox"
        let command = [own, "ssh-session", "--name", name.text].map(ShellQuoting.quoted).joined(separator: " ")
        return """
            # Written by aibox at the start of the sandbox \(name.text): SSH ends here, so that it can be recorded.
            ListenAddress 127.0.0.1
            Port \(port)
            HostKey "\(folder)/\(SandboxFolder.hostKey)"
            PidFile "\(folder)/\(Self.pidFile)"
            AuthorizedKeysFile "\(folder)/\(Self.authorized)"
            AllowUsers \(context.user.name)
            PubkeyAuthentication yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            UsePAM no
            StrictModes no
            DisableForwarding yes
            PermitUserRC no
            PermitUserEnvironment no
            PrintMotd no
            PrintLastLog no
            AcceptEnv COLORTERM LANG LC_*
            \(environment)
            Subsystem sftp \(Self.sftp)
            ForceCommand \(command)

            """
    }

    /// Where the recorder has to look for this user's files: as this command does.
    private var environment: String {
        let settings = Environment.all.filter { name, value in
            ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"].contains(name)
                || name.hasPrefix("AIBOX_")
        }
        .filter { !$0.value.contains("\"") && !$0.value.contains("\\") && !$0.value.contains("\n") }
        if settings.isEmpty { return "" }
        return "SetEnv "
            + settings.sorted { $0.key < $1.key }.map { "\"\($0.key)=\($0.value)\"" }.joined(separator: " ")
    }

    /// ssh_config(5), for the recorder.
    private func inner(_ port: UInt16) throws(AiboxError) -> String {
        SSHHostBlock(
            host: name.container, isDefault: false, port: Int(port), identityFile: try folder + "/" + Self.innerKey,
            knownHostsFile: context.paths.sshKnownHosts
        ).text
    }

    /// The file with the recorder's way into a sandbox, nil where the door is not needed.
    static func innerConfiguration(of sandbox: String, _ paths: Paths) -> String? {
        guard let path = try? paths.sandboxState(sandbox) + "/" + innerConfiguration else { return nil }
        return File.exists(path) ? path : nil
    }

    /// Makes the next start one without a door.
    func forget() throws(AiboxError) {
        try close()
        try File.remove(try folder + "/" + Self.innerConfiguration)
    }
}
