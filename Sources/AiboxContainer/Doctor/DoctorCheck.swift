import AiboxSystem

/// One thing that a sandbox needs of this machine.
public struct DoctorCheck: Sendable {
    public let name: String
    let examine: @Sendable () throws(AiboxError) -> Outcome

    init(_ name: String, _ examine: @escaping @Sendable () throws(AiboxError) -> Outcome) {
        self.name = name
        self.examine = examine
    }

    /// What was found.
    public struct Outcome: Sendable {
        public var grade: Grade
        public var message: String
        /// The command that helps, where one does.
        public var remedy: String?
        /// What `doctor --fix` does; only what loses nothing and needs no choice.
        /// Returns what went wrong.
        var fix: (@Sendable () -> AiboxError?)?

        public enum Grade: String, Sendable, CaseIterable {
            /// As it should be.
            case pass
            /// Worth knowing; nothing to do.
            case info
            /// A sandbox starts, with less than it could have.
            case warn
            /// No sandbox starts.
            case fail
        }

        static func pass(_ message: String) -> Outcome { Outcome(grade: .pass, message: message) }
        static func info(_ message: String) -> Outcome { Outcome(grade: .info, message: message) }
        static func warn(_ message: String, _ remedy: String) -> Outcome {
            Outcome(grade: .warn, message: message, remedy: remedy)
        }
        static func fail(_ message: String, _ remedy: String) -> Outcome {
            Outcome(grade: .fail, message: message, remedy: remedy)
        }

        /// The same with something that `--fix` does.
        func mended(by work: @escaping @Sendable () throws(AiboxError) -> Void) -> Outcome {
            var outcome = self
            outcome.fix = {
                do throws(AiboxError) {
                    try work()
                    return nil
                } catch {
                    return error
                }
            }
            return outcome
        }
    }

    /// The outcome; an error while looking is a failure with the error's own words.
    func run() -> Outcome {
        do throws(AiboxError) {
            return try examine()
        } catch {
            let why = error.why.map { ": " + $0 } ?? ""
            return Outcome(grade: .fail, message: error.what + why, remedy: error.remedy)
        }
    }
}
