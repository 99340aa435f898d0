import AiboxConfig
import ArgumentParser

extension OutputValue {
    init(_ value: ConfigurationValue) {
        switch value {
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .size(let value): self = .size(value)
        case .text(let value): self = .text(value)
        case .list(let values): self = .list(values.map(OutputValue.text))
        }
    }
}

extension CompletionKind {
    /// The names of all settings.
    static var settings: CompletionKind { .list(ConfigurationSchema.keys.map(\.name)) }
}

extension OutputValue {
    /// What is wrong and where, as the commands that validate tell it.
    init(problem: Problem) {
        self = .object([
            .init("source", .text(problem.source)),
            .init("line", problem.position.map { .integer($0.line) } ?? .null),
            .init("column", problem.position.map { .integer($0.column) } ?? .null),
            .init("message", .text(problem.message)),
        ])
    }
}
