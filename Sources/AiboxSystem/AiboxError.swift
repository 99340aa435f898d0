/// What failed, why, and what to do about it: the one error that reaches a person.
///
/// Printed as one to three lines on standard error and mapped to the exit code of its `code`.
public struct AiboxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Stable identity of the failure, for programs.
    public let code: Code
    /// What failed, lower case, without a full stop: `cannot read /etc/aibox/config.yaml`.
    public let what: String
    /// Why it failed, where that is known.
    public let why: String?
    /// What the reader can do, as a command where there is one.
    public let remedy: String?

    public init(_ code: Code, _ what: String, why: String? = nil, remedy: String? = nil) {
        self.code = code
        self.what = what
        self.why = why
        self.remedy = remedy
    }

    /// What failed and why, on one line, for logs.
    public var reason: String { why.map { what + ": " + $0 } ?? what }

    public var description: String {
        var text = reason
        if let remedy { text += "\n  " + remedy }
        return text
    }

    /// The kinds of failure. A struct over a private enum, so that a new one breaks no caller.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String { case failed, denied, policyInvalid, layerMissing, integrity, usage }
        private let value: Value

        /// The operation did not succeed.
        public static let failed = Code(value: .failed)
        /// A policy forbids it.
        public static let denied = Code(value: .denied)
        /// A policy document cannot be used.
        public static let policyInvalid = Code(value: .policyInvalid)
        /// A promised protection is absent, or a probe got through it.
        public static let layerMissing = Code(value: .layerMissing)
        /// Stored evidence does not match itself.
        public static let integrity = Code(value: .integrity)
        /// The command line or a value given by the user makes no sense.
        public static let usage = Code(value: .usage)

        public var description: String { value.rawValue }

        /// The exit status of a command that fails with this code (docs/architecture.md, exit codes).
        public var exitStatus: Int32 {
            switch value {
            case .failed: 1
            case .denied, .policyInvalid: 2
            case .layerMissing: 3
            case .integrity: 4
            case .usage: 64
            }
        }
    }
}

extension AiboxError {
    /// The failure of a system call, with the kernel's words for `number` (an errno, either sign).
    public static func system(_ what: String, errno number: Int32, remedy: String? = nil) -> AiboxError {
        AiboxError(.failed, what, why: describe(errno: abs(number)), remedy: remedy)
    }
}
