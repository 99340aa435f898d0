/// An external command as a value: built and tested without being run.
public struct Command: Sendable, Equatable {
    /// A path, or a name that is looked up in `PATH` and the system's administration folders.
    public var executable: String
    /// The arguments after the program's own name. Never a shell string (P10).
    public var arguments: [String]
    /// Variables set (or, with nil, removed) on top of the inherited environment.
    public var environment: [String: String?]
    /// The working directory; nil inherits.
    public var directory: String?
    /// What the command reads on standard input.
    public var input: [UInt8]

    public init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String?] = [:],
        directory: String? = nil,
        input: [UInt8] = []
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.input = input
    }

    /// The command as a person would type it, for messages and logs; never executed.
    public var display: String {
        ([executable] + arguments).map(ShellQuoting.quoted).joined(separator: " ")
    }
}

/// How a process ended.
public enum Termination: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)

    public var succeeded: Bool { self == .exited(0) }

    /// The status a shell would report: the exit code, or 128 + the signal's number.
    public var status: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }
}

/// What a finished command left behind.
public struct CommandResult: Sendable, Equatable {
    public var termination: Termination
    public var output: [UInt8]
    public var errorOutput: [UInt8]

    public init(termination: Termination, output: [UInt8] = [], errorOutput: [UInt8] = []) {
        self.termination = termination
        self.output = output
        self.errorOutput = errorOutput
    }

    public var succeeded: Bool { termination.succeeded }
    /// Standard output as text, without the final newline.
    public var text: String { Self.text(output) }
    /// Standard error as text, without the final newline.
    public var errorText: String { Self.text(errorOutput) }

    private static func text(_ bytes: [UInt8]) -> String {
        var bytes = bytes[...]
        while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
