/// The value of any key.
public enum ConfigurationValue: Sendable, Equatable, CustomStringConvertible {
    case boolean(Bool)
    case integer(Int)
    case size(ByteSize)
    case text(String)
    case list([String])

    /// As `aibox config set` and the environment take it: `true`, `4`, `8g`, `a,b`.
    public var description: String {
        switch self {
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .size(let value): value.description
        case .text(let value): value
        case .list(let values): values.joined(separator: ",")
        }
    }
}

/// A type that a property of `Configuration` may have.
protocol ConfigurationProperty: SendableMetatype {
    init?(_ value: ConfigurationValue)
    var configurationValue: ConfigurationValue { get }
}

extension Bool: ConfigurationProperty {
    init?(_ value: ConfigurationValue) {
        guard case .boolean(let value) = value else { return nil }
        self = value
    }
    var configurationValue: ConfigurationValue { .boolean(self) }
}

extension Int: ConfigurationProperty {
    init?(_ value: ConfigurationValue) {
        guard case .integer(let value) = value else { return nil }
        self = value
    }
    var configurationValue: ConfigurationValue { .integer(self) }
}

extension ByteSize: ConfigurationProperty {
    init?(_ value: ConfigurationValue) {
        guard case .size(let value) = value else { return nil }
        self = value
    }
    var configurationValue: ConfigurationValue { .size(self) }
}

extension String: ConfigurationProperty {
    init?(_ value: ConfigurationValue) {
        guard case .text(let value) = value else { return nil }
        self = value
    }
    var configurationValue: ConfigurationValue { .text(self) }
}

extension [String]: ConfigurationProperty {
    init?(_ value: ConfigurationValue) {
        guard case .list(let value) = value else { return nil }
        self = value
    }
    var configurationValue: ConfigurationValue { .list(self) }
}

extension ConfigurationProperty where Self: RawRepresentable, RawValue == String {
    init?(_ value: ConfigurationValue) {
        guard case .text(let value) = value else { return nil }
        self.init(rawValue: value)
    }
    var configurationValue: ConfigurationValue { .text(rawValue) }
}

extension Configuration.ContainerRuntime: ConfigurationProperty {}
extension Configuration.LoginShell: ConfigurationProperty {}
extension Configuration.GVisor.Platform: ConfigurationProperty {}
extension Configuration.Network.Resolver: ConfigurationProperty {}
extension Configuration.Credentials.Store: ConfigurationProperty {}
extension Configuration.Credentials.Fallback: ConfigurationProperty {}
extension Configuration.Credentials.VaultAuth: ConfigurationProperty {}
extension Configuration.Audit.RecordingPolicy: ConfigurationProperty {}
extension Configuration.Logging.Level: ConfigurationProperty {}
extension Configuration.Logging.Format: ConfigurationProperty {}
