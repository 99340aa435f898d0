/// Where a value comes from.
public enum ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    /// Nobody set it.
    case builtIn
    case file(String, TextPosition)
    case environment(variable: String)
    case flag(String)
    /// The organisation fixed it, and no layer set it.
    case pin(source: String)

    public var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let path, let position): "\(path):\(position.line)"
        case .environment(let variable): variable
        case .flag(let name): name
        case .pin(let source): source
        }
    }

    /// The problem `message` at this place.
    func problem(_ message: String) -> Problem {
        if case .file(let path, let position) = self { return Problem(path, position, message) }
        return Problem(description, nil, message)
    }
}

/// A value that a layer gives to a key.
struct ConfigurationSetting: Sendable, Equatable {
    var key: String
    var value: ConfigurationValue
    var origin: ConfigurationOrigin
}

/// A value given on the command line.
public struct ConfigurationOverride: Sendable, Equatable {
    public var key: String
    public var value: String
    /// The flag, for messages: `--cpus`.
    public var flag: String

    public init(_ key: String, _ value: String, flag: String) {
        self.key = key
        self.value = value
        self.flag = flag
    }
}
