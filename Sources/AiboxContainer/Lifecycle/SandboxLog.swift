import AiboxConfig
public import AiboxState
public import AiboxSystem

/// The logs of a sandbox, shown by the program that knows them best.
public struct SandboxLog {
    public enum Source: Sendable { case container, gateway }

    let context: SandboxContext
    let record: SandboxRecord

    public init(context: SandboxContext, record: SandboxRecord) {
        self.context = context
        self.record = record
    }

    public func become(_ source: Source, follow: Bool) throws(AiboxError) {
        switch source {
        case .container:
            let engine = try context.engine(of: try SandboxName(record.name))
            try ProcessReplacement.become(engine.logs(record.container, follow: follow))
        case .gateway:
            let file = try context.paths.sandboxState(record.name) + "/gateway.log"
            let arguments = follow ? ["--lines=+1", "--follow=name", "--", file] : ["--lines=+1", "--", file]
            try ProcessReplacement.become(Command("tail", arguments))
        }
    }
}
