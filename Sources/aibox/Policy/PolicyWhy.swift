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
        subcommands: [PolicyWhyTool.self, PolicyWhyNet.self, PolicyWhyPush.self])
}

struct PolicyWhyTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tool", abstract: "A command line.", usage: "aibox policy why tool [<options>] -- <command> ...")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.")
    var command: [String]

    func run() throws {
        let argv = command.first == "--" ? Array(command.dropFirst()) : command
        if argv.isEmpty { throw ValidationError("Say which command: aibox policy why tool -- curl example.com") }
        var answer = try PolicyAnswer(documents, global)
        guard answer.speaks(of: argv[0]) else { return answer.show(Self.unnamed, "tools.rules") }
        let decision = try answer.decide(.tool(argv))
        if decision.outcome == .review {
            answer.notes.append(
                decision.obligations.contains("review-async")
                    ? "it goes on, and the log says that it is to be looked at"
                    : "a sandbox waits for your answer: aibox approvals list")
        }
        answer.show(decision, "tools.rules")
    }

    /// What a sandbox does with a program that no rule names: the gate for tools does not stand in its place.
    private static let unnamed = PolicyDecision(
        outcome: .allow, risk: "safe", rule: "tools.unnamed", layer: "org",
        reason: "no rule names it, so it runs and nobody is asked", obligations: [])
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

    func run() throws {
        let full = ref.hasPrefix("refs/") ? ref : "refs/heads/" + ref
        try PolicyAnswer(documents, global).show(.push(ref: full, force: force, delete: delete))
    }
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
    var notes: [String] = []
    /// How it would have to be written, where that alone is refused: no policy changes it.
    var form: String?
    /// Knows where the rules of the policies in Rego stand, where those decided.
    var authority: PolicyAuthority?

    init(policy: EffectivePolicy, output: Output) {
        self.policy = policy
        self.output = output
    }

    init(_ documents: PolicyDocumentOptions, _ global: GlobalOptions) throws {
        self.init(policy: try documents.set(global).effective(), output: global.output)
        modules = try documents.modules(global)
    }

    func speaks(of program: String) -> Bool { ToolCoverage.speaks(policy, of: program) }

    mutating func decide(_ question: PolicyQuestion) throws -> PolicyDecision {
        if modules.hasOwn { authority = PolicyAuthority(policy, modules, action: question.action) }
        return PolicyDecider(policy, engine: try PolicyEngine(modules), user: UserIdentity.current.name)
            .decide(question)
    }

    func show(_ question: PolicyQuestion) throws {
        var answer = self
        answer.show(try answer.decide(question), question.field)
    }

    func show(_ decision: PolicyDecision, _ name: String) {
        let origin = policy.origin(ofRule: decision.rule, field: name)
        let place = origin?.description ?? authority?.place(decision.rule)
        let field = PolicySchema.field(name)
        let isEnforced = field?.enforcement != .notYet
        var lines = ["\(decision.outcome.rawValue): \(decision.reason)"]
        lines.append("  rule    \(decision.rule), \(decision.layer)" + (place.map { " (\($0))" } ?? ""))
        if !decision.obligations.isEmpty { lines.append("  also    " + decision.obligations.joined(separator: ", ")) }
        if decision.outcome != .allow {
            lines.append(
                "  change  " + (form ?? (additions ? "aibox network allow, or " : "") + owner(decision, origin)))
        }
        let notes = notes + (isEnforced ? [] : ["this version of aibox does not enforce \(name)"])
        lines += notes.map { "  note    \($0)" }
        output.answer(
            .text(
                SafeText.escaped(lines.joined(separator: "\n"), keepingLines: true),
                .object([
                    .init("decision", .text(decision.outcome.rawValue)), .init("risk", .text(decision.risk)),
                    .init("rule", .text(decision.rule)), .init("layer", .text(decision.layer)),
                    .init("reason", .text(decision.reason)),
                    .init("obligations", .list(decision.obligations.map { .text($0) })),
                    .init("origin", .optional(place)), .init("enforced", .boolean(isEnforced)),
                    .init("notes", .list(notes.map { .text($0) })),
                ])))
    }

    private func owner(_ decision: PolicyDecision, _ origin: PolicyOrigin?) -> String {
        if let origin { return "who owns \(origin.file)" }
        return authority?.owner(decision.rule) ?? "who owns \(policy.source)"
    }
}
