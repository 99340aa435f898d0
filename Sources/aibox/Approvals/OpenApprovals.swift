import AiboxConfig
import AiboxContainer
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

/// The calls that wait for a person, of all running sandboxes or of one.
struct OpenApprovals {
    /// One of them, and the gateway that takes the answer.
    struct Entry {
        var sandbox: String
        var client: GatewayClient
        var question: ApprovalQuestion
    }

    let entries: [Entry]
    /// Why some sandboxes could not be asked.
    let silent: [String]
    private let auditFolder: String

    init(_ global: GlobalOptions, _ options: SandboxOptions) throws {
        let context = try global.context()
        let records = options.name == nil ? try global.running(context) : [try global.sandbox(options, in: context)]
        var entries: [Entry] = []
        var silent: [String] = []
        for record in records {
            let client = GatewayClient(runFolder: record.runFolder)
            do throws(AiboxError) {
                entries += try client.approvals().map { Entry(sandbox: record.name, client: client, question: $0) }
            } catch {
                if options.name != nil { throw error }
                silent.append("aibox: \(record.name): \(error.reason)")
            }
        }
        self.entries = entries
        self.silent = silent
        auditFolder = context.paths.auditFolder
    }

    /// The one that a person means: an id, or its beginning where that is clear.
    func one(_ id: String) throws(AiboxError) -> Entry {
        let fitting = entries.filter { !id.isEmpty && $0.question.id.hasPrefix(id) }
        if fitting.count == 1 { return fitting[0] }
        if fitting.isEmpty { throw absent(id) }
        throw AiboxError(
            .failed, "cannot find the question \(SafeText.escaped(id))", why: "\(fitting.count) begin so",
            remedy: "aibox approvals list shows those that are open")
    }

    /// Why there is nothing to answer, in the words of the log where that knows the id.
    func absent(_ id: String) -> AiboxError {
        let fate = ApprovalFate(id, auditFolder: auditFolder)
        return AiboxError(
            .failed, "cannot find the question \(SafeText.escaped(id))",
            why: fate.map { "it is not open: \($0.words)" } ?? "no such question is open",
            remedy: "aibox approvals list shows those that are open")
    }
}

extension ApprovalQuestion {
    /// The command as its caller would type it, cut to `most` Unicode scalars.
    func command(most: Int = .max) -> String {
        // Under the name that was called, unless that hides which file it is.
        let own = program.split(separator: "/").last.map(String.init) ?? program
        let first = argv.first == own ? own : program
        let text = ([first] + argv.dropFirst()).map(ShellQuoting.quoted).joined(separator: " ")
        return SafeText.cut(text, to: most)
    }
}
