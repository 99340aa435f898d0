/// The first thing in a log that is not as it was written.
public struct AuditFinding: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A record has other bytes than it was written with.
        case changed
        /// Records are missing in the middle.
        case removed
        /// There is a record that the log did not write there.
        case inserted
        /// Records stand in another order.
        case reordered
        /// The end is missing.
        case cut
        /// The whole log is an earlier state of itself.
        case rolledBack = "rolled back"
        /// The log goes on from some point otherwise than it did before.
        case forked
        /// The log, or its end, was made with other keys.
        case rekeyed = "re-keyed"
    }

    public var kind: Kind
    /// The number of the first bad record; nil where it is not about one.
    public var sequence: UInt64?
    /// The last one, where a range is concerned.
    public var last: UInt64?
    /// The file, as a path.
    public var file: String
    /// Counted from 1.
    public var line: Int?
    /// In bytes from the start of the file.
    public var offset: UInt64?
    /// One sentence.
    public var explanation: String

    init(
        _ kind: Kind, _ sequence: UInt64? = nil, to last: UInt64? = nil, in file: String, line: Int? = nil,
        offset: UInt64? = nil, _ explanation: String
    ) {
        self.kind = kind
        self.sequence = sequence
        self.last = last
        self.file = file
        self.line = line
        self.offset = offset
        self.explanation = explanation
    }
}

/// What verifying a log told.
public struct AuditVerification: Sendable, Equatable {
    public var origin = ""
    /// Events that were read in order before the end or the finding.
    public var events: UInt64 = 0
    /// How many of them are gone after their retention, with a tombstone in their place.
    public var removed: UInt64 = 0
    public var files = 0
    public var bytes: UInt64 = 0
    /// Checkpoints whose two signatures are valid.
    public var checkpoints = 0
    /// Events under the last of them.
    public var covered: UInt64 = 0
    /// Whether the MAC of every event was checked, with the auditor's key.
    public var checkedMACs = false
    /// Second places that agree.
    public var agreeingPlaces: [String] = []
    /// Places that were to be asked and gave no answer.
    public var silentPlaces: [String] = []
    /// nil: the log is as it was written.
    public var finding: AuditFinding?
    /// What a reader should know though it proves nothing wrong.
    public var notices: [String] = []
}
