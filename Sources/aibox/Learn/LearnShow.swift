import AiboxAudit
import AiboxConfig
import AiboxContainer
import AiboxNetwork
import AiboxPolicy
import AiboxState
import AiboxSystem
import AiboxWire
import ArgumentParser

struct LearnShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the least that team and project have to change, as a policy.",
        discussion: """
            Of what the sandbox asked for since it last began to learn. What is printed was checked: with it, the policy is \
            valid, and those requests pass. Nothing in it goes beyond the organisation's policy.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var sandbox: SandboxOptions
    @OptionGroup var audit: AuditOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Option(help: "What was asked for since: 30m, 12h, 7d, 2026-03-01, 2026-03-01T09:30:00Z.") var since: String?

    func validate() throws {
        if let since, AuditTime.parse(since, now: .now) == nil {
            throw ValidationError("--since does not take \(since)")
        }
    }

    func run() throws {
        let context = try global.context()
        let index = try AuditIndex(folder: audit.folder)
        let running = try global.running(context)
        let record = try? SandboxSelection.choose(sandbox.name, currentFolder: Path.current, among: running)
        let wanted = LearnedEvents(index: index)
        let (name, begin) = try wanted.begin(sandbox.name ?? record?.name, since: since)
        let wants = try wanted.wants(name, since: begin)
        let set =
            try documents.isNamed
            ? documents.set(global) : context.policySet(workspace: try wanted.workspace(name))
        let modules = try documents.modules(global).json
        let learned = try LearnedPolicy(set, wants) { policy throws(AiboxError) in
            let list: AllowList
            do throws(AllowListProblems) { list = try AllowList(NetworkPolicy(policy).allow) } catch {
                throw error.asError
            }
            return try NetworkRules(
                DecisionPlan(policy: policy.decisionDocument, modules: modules), user: UserIdentity.current.name,
                sandbox: name
            ).decider(list)
        }
        let report = LearnedReport(sandbox: name, learned: learned)
        global.output.answer(.text(report.text, report.document))
        if wants.isCut { global.output.note("more was asked for than is shown; --since takes a later moment") }
    }
}

/// What the audit log tells of a sandbox that learned.
struct LearnedEvents {
    let index: AuditIndex

    private static let types: [AuditEventType] = [
        .networkAllow, .networkDeny, .policyAllow, .policyDeny, .dnsResponse, .llmRequest,
    ]

    /// The sandbox, and the moment from which on its events count.
    ///
    /// - Parameter name: nil: the one that learned last.
    func begin(_ name: String?, since: String?) throws -> (sandbox: String, since: Timestamp) {
        var query = AuditIndex.Query()
        query.sandbox = name
        query.types = [.learnStart]
        query.limit = 1
        let last = try index.search(query).last
        guard let last else {
            throw AiboxError(
                .failed, "there is nothing to show", why: "\(name ?? "no sandbox") has not learned",
                remedy: "aibox learn start")
        }
        if let time = since.flatMap({ AuditTime.parse($0, now: .now) }) { return (name ?? last.sandbox, time) }
        return (name ?? last.sandbox, AuditTime.parse(last.time, now: .now) ?? Timestamp(seconds: 0))
    }

    /// Where the sandbox's project is: its policy counts, wherever the question is asked.
    func workspace(_ sandbox: String) throws -> String {
        var query = AuditIndex.Query()
        query.sandbox = sandbox
        query.types = [.sandboxStart]
        query.limit = 100
        let start = try index.search(query).last { $0.json["outcome"]?.stringValue == AuditOutcome.success.rawValue }
        guard let path = start?.json["details"]?["workspace"]?.stringValue else {
            throw AiboxError(
                .failed, "cannot tell where the workspace of \(SafeText.escaped(sandbox)) is",
                why: "the log has no start of it", remedy: "name the policies: --org, --team, --project")
        }
        return path
    }

    func wants(_ sandbox: String, since: Timestamp) throws -> LearnedWants {
        var query = AuditIndex.Query()
        query.sandbox = sandbox
        query.types = Self.types
        query.since = since
        var wants = LearnedWants()
        try index.forEach(query) { (record) throws(AiboxError) in
            let isLearned = record.json["details"]?["learning"]?.truth == true
            if record.type == AuditEventType.dnsResponse.rawValue {
                if isLearned { wants.add(name: record.subject) }
                return
            }
            if record.type == AuditEventType.llmRequest.rawValue {
                if let model = Self.unlisted(record) { wants.add(model) }
                return
            }
            guard let logged = LoggedDecision(record) else { return }
            let request = logged.question?["request"]
            // Models are refused while it learns as ever, and servers' tools that the organisation refuses.
            if logged.action == "llm", !logged.isAllowed, let name = request?["model"]?.stringValue {
                return wants.add(LearnedWants.Model(name: name, rule: logged.rule, reason: logged.reason))
            }
            if logged.action == "mcp", isLearned || logged.verdict != "allow" {
                guard let server = request?["server"]?.stringValue, let tool = request?["tool"]?.stringValue else {
                    return
                }
                return wants.add(LearnedWants.ServerTool(server: server, tool: tool))
            }
            guard isLearned else { return }
            if logged.action == "network" {
                if let request = logged.request { wants.add(request) }
            } else if let command = logged.question?["command"] {
                let called = command["called"]?.elements?.map { $0.elements?.compactMap(\.stringValue) ?? [] }
                wants.add(
                    LearnedWants.Call(
                        argv: (command["argv"]?.elements ?? []).compactMap(\.stringValue), called: called))
            }
        }
        return wants
    }

    /// A model that the proxy refused by its list, before anybody was asked; nil for every other request.
    private static func unlisted(_ record: AuditRecord) -> LearnedWants.Model? {
        let rule = "llm.models: "
        guard record.json["outcome"]?.stringValue == AuditOutcome.denied.rawValue, !record.subject.isEmpty,
            let reason = record.json["details"]?["reason"]?.stringValue, reason.hasPrefix(rule)
        else { return nil }
        return LearnedWants.Model(
            name: record.subject, rule: "llm.default", reason: String(reason.dropFirst(rule.count)))
    }
}
