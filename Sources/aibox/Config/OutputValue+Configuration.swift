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
