/// One row of the schema: all that is known about a key.
public struct ConfigurationKey: Sendable {
    /// The dotted name: `resources.cpus`.
    public let name: String
    public let kind: Kind
    /// One sentence for `config list`, completion and the documentation.
    public let documentation: String
    /// In which direction a value pinned by the organisation may still move.
    public let strictness: Strictness
    /// Whether the environment and flags may set it, not only a file.
    public let isOverridable: Bool

    private let reading: @Sendable (Configuration) -> ConfigurationValue
    private let writing: @Sendable (inout Configuration, ConfigurationValue) -> Void

    /// The values that a key takes.
    public enum Kind: Sendable {
        case boolean
        case integer(ClosedRange<Int>)
        case size(ClosedRange<ByteSize>)
        case choice([String])
        case text(TextForm)
        case list(TextForm)
    }

    /// What counts as tighter than a pinned value.
    public enum Strictness: Sendable {
        /// Nothing: the pinned value itself is the only one.
        case exact
        /// True is tighter than false.
        case on
        /// False is tighter than true.
        case off
        /// Less is tighter.
        case less
        /// A part of the list is tighter than all of it.
        case part
        /// A later choice is tighter than an earlier one.
        case later
    }

    init<Property: ConfigurationProperty>(
        _ name: String,
        _ path: @autoclosure @escaping @Sendable () -> WritableKeyPath<Configuration, Property>,
        _ kind: Kind,
        tighter strictness: Strictness = .exact,
        isOverridable: Bool = true,
        _ documentation: String
    ) {
        self.name = name
        self.kind = kind
        self.documentation = documentation
        self.strictness = strictness
        self.isOverridable = isOverridable
        // Making a key path is slow enough to be felt at every start: it waits until the row is used.
        reading = { $0[keyPath: path()].configurationValue }
        writing = { configuration, value in
            if let property = Property(value) { configuration[keyPath: path()] = property }
        }
    }

    /// The value that a configuration has.
    public func value(in configuration: Configuration) -> ConfigurationValue { reading(configuration) }

    /// Puts a value of this key's kind.
    func set(_ value: ConfigurationValue, in configuration: inout Configuration) { writing(&configuration, value) }

    /// The variable that sets it: `AIBOX_RESOURCES_CPUS`.
    public var variable: String { "AIBOX_" + name.uppercased().replacing(".", with: "_") }

    /// The sections that contain it: `["resources"]` of `resources.cpus`.
    public var components: [String] { name.split(separator: ".").map(String.init) }

    /// The values that it takes, in words: `podman or docker`.
    public var values: String {
        switch kind {
        case .boolean: "true or false"
        case .integer(let range) where range.count == 1: String(range.lowerBound)
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .size(let range):
            "a size from \(range.lowerBound) to \(range.upperBound), such as 512m, 8g or 2GiB"
        case .choice(let names): names.alternatives
        case .text(let form): form.name
        case .list(let form): "a list, each \(form.name)"
        }
    }
}
