import AiboxConfig
public import AiboxState
public import AiboxSystem

extension SandboxContext {
    /// Stops a sandbox: container, gateway, namespaces, sockets and port are gone when this returns;
    /// workspace, home and cache volumes stay.
    public func stop(_ record: SandboxRecord) throws(AiboxError) {
        let name = try SandboxName(record.name)
        let lock = try lock(name)
        defer { lock.release() }
        let store = try store()
        var record = record
        record.phase = .stopping
        let audit = try SandboxAudit(self, sandbox: record.name, session: record.session)
        try audit.stopping(record.name, reason: "asked for")
        try store.save(record)
        try SandboxRemains(context: self, name: name, runFolder: record.runFolder).clear(store)
        try SSHConfiguration(paths: paths).write(try store.all().filter { $0.phase == .running })
        try audit.close()
    }
}
