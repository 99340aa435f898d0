import AiboxConfig
import AiboxContainer
import AiboxNetwork
import AiboxPolicy
import AiboxSystem
import AiboxWire
import ArgumentParser

struct PolicyWhy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Show what a sandbox here would be told, and by which rule.",
        subcommands: [
            PolicyWhyTool.self, PolicyWhyNet.self, PolicyWhyLLM.self, PolicyWhyMCP.self, PolicyWhyFile.self,
            PolicyWhyPush.self,
        ])
}

struct PolicyWhyTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tool", abstract: "A command line.", usage: "aibox policy why tool [<options>] -- <command> ...")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.")
    var command: [String]

    private var argv: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    func validate() throws {
        if argv.first?.isEmpty ?? true {
            throw ValidationError("Say which command: aibox policy why tool -- curl example.com")
        }
    }

    func run() throws {
        var answer = try PolicyAnswer(documents, global)
        let decision = try answer.decide(command: argv)
        if decision.outcome == .review {
            answer.notes.append(
                decision.obligations.contains("review-async")
                    ? "it goes on, and the log says that it is to be looked at"
                    : "a sandbox waits for your answer: aibox approvals list")
        }
        answer.show(decision, "tools.rules")
    }
}

struct PolicyWhyPush: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "push", abstract: "A push to a branch or tag.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Argument(help: "refs/heads/..., refs/tags/..., or the short name of a branch.")
    var ref: String

    @Flag(help: "History is rewritten.")
    var force = false

    @Flag(help: "The ref is removed.")
    var delete = false

    func validate() throws {
        if ref.isEmpty { throw ValidationError("Say which branch or tag.") }
    }

    func run() throws {
        let full = ref.hasPrefix("refs/") ? ref : "refs/heads/" + ref
        try PolicyAnswer(documents, global).show(.push(ref: full, force: force, delete: delete))
    }
}

struct PolicyWhyFile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file", abstract: "A path inside.",
        discussion: "What the policies say. Nothing in a sandbox asks them about files: its mounts decide.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Argument(help: "An absolute path inside of the sandbox.")
    var path: String

    @Flag(help: "It is written, renamed or removed.")
    var write = false

    func validate() throws {
        if path.isEmpty { throw ValidationError("Say which path.") }
    }

    func run() throws { try PolicyAnswer(documents, global).show(.file(path: path, write: write)) }
}

struct PolicyWhyLLM: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "llm", abstract: "A request to a language model.",
        discussion: "What the request costs and how many there were is for the LLM proxy to hold: aibox llm usage.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Argument(help: "The model's name.")
    var model: String

    func validate() throws {
        if model.isEmpty { throw ValidationError("Say which model.") }
    }

    func run() throws { try PolicyAnswer(documents, global).show(.model(model)) }
}

struct PolicyWhyMCP: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "mcp", abstract: "A tool of an MCP server.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Argument(help: "The server, as the agent calls it.")
    var server: String

    @Argument(help: "Its tool.")
    var tool: String

    func validate() throws {
        if server.isEmpty || tool.isEmpty { throw ValidationError("Say which server, and which tool.") }
    }

    func run() throws { try PolicyAnswer(documents, global).show(.server(id: server, tool: tool)) }
}

struct PolicyWhyNet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "net", abstract: "A connection or request.",
        discussion: """
            Decided by the code that the gateway decides with, on the list that a start here would give it and by the \
            policies in Rego. A URL in a tunnel that is opened (methods or paths are limited) also has to be written as \
            it is decided on: the path in its normal form, but for . segments (normal-path), the method in capitals \
            (http-syntax).
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Argument(help: "HOST[:PORT], or a URL.")
    var target: String

    @Option(help: ArgumentHelp("With a URL: the request's method.", valueName: "method"))
    var method = "GET"

    func run() throws {
        let policy = try documents.set(global).effective()
        let plan = try NetworkPolicy(policy).plan(try global.layers().load().configuration.network)
        let list: AllowList
        do { list = try AllowList(plan?.allow ?? []) } catch { throw error.asError }
        let request = try EgressRequest(target, method: method)
        let modules = try documents.modules(global)
        let rules = try NetworkRules(
            DecisionPlan(policy: policy.decisionDocument, modules: modules.json), user: UserIdentity.current.name,
            sandbox: nil)
        var answer = PolicyAnswer(policy: policy, output: global.output)
        var changed: String?
        if target.hasPrefix("https://"), list.opens(request.host, request.port) {
            switch request.form(inside: target, hasBody: false) {
            case .asWritten: break
            case .rewritten(let url): changed = url
            case .refused(let denial):
                answer.form = denial.nextSteps.first
                return answer.show(PolicyDecision(.deny(denial), request), "network.allow")
            }
        }
        let verdict = rules.decider(list).decide(request)
        if verdict.decision.isAllowed, let changed {
            answer.notes.append("it goes out as \(changed); with a body it is refused")
        }
        let isByRego = verdict.rego?.refuses == true
        answer.findings = policy.findings(request, list)
        if let question = verdict.rego?.question, case .object(var input) = question {
            input["policy"] = policy.decisionDocument
            answer.findings += try rules.engine.explain(.object(input)).findings.filter { rules.engine.isOwn($0) }
        }
        answer.additions = !isByRego && plan?.permitsAdditions ?? false
        if isByRego { answer.authority = PolicyAuthority(policy, modules, action: "network") }
        answer.show(PolicyDecision(verdict.decision, request), "network.allow")
    }
}

/// Decides and shows: the answer, the rule and where it stands, and who could change it.
struct PolicyAnswer {
    private let policy: EffectivePolicy
    private let output: Output
    private var modules = PolicyModules([])
    var additions = false
    /// What each rule had to say.
    var findings: [PolicyFinding] = []
    var notes: [String] = []
    /// How it would have to be written, where that alone is refused: no policy changes it.
    var form: String?
    /// Knows where rules stand and whose they are, but those of the allow-list.
    var authority: PolicyAuthority?

    init(policy: EffectivePolicy, output: Output) {
        self.policy = policy
        self.output = output
    }

    init(_ documents: PolicyDocumentOptions, _ global: GlobalOptions) throws {
        self.init(policy: try documents.set(global).effective(), output: global.output)
        modules = try documents.modules(global)
    }

    mutating func decide(_ question: PolicyQuestion) throws -> PolicyDecision {
        let unasked = policy.unasked(question)
        if let unasked, policy.unasked(question, isAgents: true) != nil { return unasked }
        authority = PolicyAuthority(policy, modules, action: question.action)
        let engine = try PolicyEngine(modules, action: question.action)
        let decider = PolicyDecider(policy, engine: engine, user: UserIdentity.current.name)
        let (decision, findings) = try engine.explain(decider.input(question), of: policy)
        self.findings = findings
        guard let unasked else { return decision }
        if decision.outcome != .allow {
            notes.append(
                "a tool of an agent's own by that name is asked about: \(decision.outcome.rawValue) by \(decision.rule)"
            )
        }
        return unasked
    }

    /// Of a program that is many in one file the one that would run is asked about, as its gate does.
    mutating func decide(command argv: [String]) throws -> PolicyDecision {
        let question: PolicyQuestion?
        do throws(ToolCall.Refusal) { question = try policy.multiCall(argv) } catch {
            let told = error.told(argv[0])
            if let told { notes.append(told.next) }
            return PolicyDecision(
                outcome: told == nil ? .allow : .deny, risk: told == nil ? "safe" : "blocked-by-default",
                rule: told?.rule ?? "tools.unnamed", layer: "org",
                reason: told?.reason ?? "no rule names which of its programs it is, so it runs", obligations: [])
        }
        return try decide(question ?? .tool(argv))
    }

    func show(_ question: PolicyQuestion) throws {
        var answer = self
        let decision = try answer.decide(question)
        answer.show(decision, question.field)
    }

    func show(_ decision: PolicyDecision, _ name: String) {
        let origin = policy.origin(ofRule: decision.rule, field: name)
        let place = authority.map { $0.place(decision.rule) } ?? origin?.description
        let field = PolicySchema.field(name)
        let isEnforced = field?.enforcement != .notYet
        var lines = ["\(decision.outcome.rawValue): \(decision.reason)"]
        lines.append("  rule      \(decision.rule), \(decision.layer)" + (place.map { " (\($0))" } ?? ""))
        if !decision.obligations.isEmpty { lines.append("  also      " + decision.obligations.joined(separator: ", ")) }
        lines += FindingReport.lines(findings)
        if decision.outcome != .allow {
            lines.append(
                "  change    " + (form ?? (additions ? "aibox network allow, or " : "") + owner(decision, origin)))
        }
        let notes = notes + (isEnforced ? [] : ["this version of aibox does not enforce \(name)"])
        lines += notes.map { "  note      \($0)" }
        output.answer(
            .text(
                SafeText.escaped(lines.joined(separator: "\n"), keepingLines: true),
                .object([
                    .init("decision", .text(decision.outcome.rawValue)), .init("risk", .text(decision.risk)),
                    .init("rule", .text(decision.rule)), .init("layer", .text(decision.layer)),
                    .init("reason", .text(decision.reason)),
                    .init("obligations", .list(decision.obligations.map { .text($0) })),
                    .init("origin", .optional(place)), .init("rules", FindingReport.document(findings)),
                    .init("enforced", .boolean(isEnforced)),
                    .init("notes", .list(notes.map { .text($0) })),
                ])))
    }

    private func owner(_ decision: PolicyDecision, _ origin: PolicyOrigin?) -> String {
        authority?.owner(decision.rule) ?? "who owns \(origin?.file ?? policy.source)"
    }
}
