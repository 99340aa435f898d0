import AiboxConfig
import AiboxPolicy
import AiboxSystem
import ArgumentParser

struct PolicyValidate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Show everything that is wrong with the policies, each by itself and all together.",
        discussion: "Without a file: those in effect for the current folder. Ends with status 2 if anything is wrong.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var documents: PolicyDocumentOptions

    func run() throws {
        let set = try documents.set(global)
        let problems = set.problems
        let policy = problems.isEmpty ? try set.effective() : nil
        let enforcement = policy.map { PolicyEnforcement($0) }
        let files = set.sources.map(\.file).joined(separator: ", ")
        var lines = problems.map(\.description)
        if problems.isEmpty { lines.append("The policies are valid: \(files).") }
        lines += (policy?.notes ?? []) + (enforcement?.notes ?? [])
        global.output.answer(
            .text(
                SafeText.escaped(lines.joined(separator: "\n"), keepingLines: true),
                .object([
                    .init("valid", .boolean(problems.isEmpty)),
                    .init("problems", .list(problems.map(OutputValue.init(problem:)))),
                    .init("digest", .optional(try policy?.digest())),
                    .init("notes", .list((policy?.notes ?? []).map { .text($0) })),
                    .init(
                        "not_enforced",
                        .list(
                            (enforcement?.unenforced ?? []).map {
                                .object([
                                    .init("field", .text($0.field)), .init("file", .text($0.origin.file)),
                                    .init("line", $0.origin.line.map { .integer($0) } ?? .null),
                                ])
                            })),
                ])))
        if !problems.isEmpty { throw ExitCode(AiboxError.Code.policyInvalid.exitStatus) }
        try enforcement?.refuse()
    }
}
