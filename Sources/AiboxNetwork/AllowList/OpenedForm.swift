/// How a request in an opened tunnel can go out, for how it is written.
public enum OpenedForm: Sendable, Equatable {
    /// As it is: its path is the one that is decided on.
    case asWritten
    /// As this URL, whose path is the one that is decided on: `.` segments were in it, and nothing else is changed.
    case rewritten(String)
    /// Not at all.
    case refused(EgressDenial)
}
