import AiboxConfig
public import AiboxState
public import AiboxSystem

/// Takes a sandbox apart, however much of it is there: the way of `stop`, of a start that failed, and
/// of the next command after a crash, a reboot or a dead gateway.
struct SandboxRemains: Sendable {
    let context: SandboxContext
    let name: SandboxName
    let runFolder: String

    /// Ends and removes everything but the named volumes and the workspace.
    ///
    /// Every step is tried even if one fails; the first failure is thrown at the end, and the record
    /// stays, so that the next command tries again.
    func clear(_ store: SandboxStore) throws(AiboxError) {
        let engine = try context.engine(of: name)
        if case .podman = engine { try OrphanedPodman.wait(name.container) }
        let endContainer: @Sendable () throws(AiboxError) -> Void = { () throws(AiboxError) in
            switch engine {
            case .podman(let podman):
                try podman.remove(name.container)
                try StrayMonitor.end(name.container, context: context)
            case .docker(let docker): try docker.remove(name.container)
            }
        }
        let endGateway: @Sendable () throws(AiboxError) -> Void = { () throws(AiboxError) in
            try self.endGateway()
        }
        for outcome in Parallel.settle([endContainer, endGateway]) { try outcome.get() }
        try context.endTrust(name)
        try RecordedDoor(context: context, name: name).close()
        try WorkspaceMount.detach(context.paths.runtimeRoot + "/.workspaces/" + name.text)
        try store.remove(name.text)
        // Last: as long as there is a record, it is cleared under the engine that it was begun under.
        try File.remove(try context.dockerNote(name))
    }

    private func endGateway() throws(AiboxError) {
        switch try GatewayRemains.clear(runFolder) {
        case .running: try GatewayClient(runFolder: runFolder).stop()
        case .absent, .dead: break
        }
    }
}

extension SandboxContext {
    /// The sandboxes that really run. What a crash left of others is cleared away and told to `report`.
    public func runningSandboxes(report: (String) -> Void) throws(AiboxError) -> [SandboxRecord] {
        let store = try store()
        var running: [SandboxRecord] = []
        for record in try store.all() {
            if record.phase == .running, GatewayRemains.state(of: record.runFolder) == .running {
                running.append(record)
                continue
            }
            let name = try SandboxName(record.name)
            // A start or stop that holds the lock is at work, not dead.
            guard let lock = try? lock(name) else { continue }
            defer { lock.release() }
            guard let current = try store.find(record.name),
                current.phase != .running
                    || GatewayRemains.state(of: record.runFolder) != .running
            else { continue }
            let audit = try SandboxAudit(self, sandbox: current.name, session: current.session)
            if current.phase == .running {
                try audit.cutOff(current.name)
            } else {
                try audit.stopping(current.name, reason: "left unfinished by a command that died")
            }
            try SandboxRemains(context: self, name: name, runFolder: record.runFolder).clear(store)
            try audit.close()
            report(
                current.phase == .running
                    ? "the gateway of \(name) had ended, which cut the sandbox off; it is removed (workspace and volumes stay)"
                    : "an unfinished \(current.phase == .starting ? "start" : "stop") of \(name) is cleared away")
        }
        return running
    }
}
