import AiboxCrypto
import AiboxSystem
import Glibc

/// The names in an audit folder.
///
///     log.pub                       who the log is: public (LogIdentity)
///     auditor.key                   the first MAC key, for the auditor (AuditorKey)
///     state                         where the log stands and its keys (KeyState), 0600
///     events-0000000000000001.jsonl the events; the number is the first event's
///     checkpoints                   signed notes (CheckpointList)
///     journal                       the lines written last, once more (LogJournal), 0600
///     frontier                      a cache: the Merkle subtrees at the last checkpoint
///     lock                          held by the process that writes
///     place-ID                      how far a second place beside this machine has got (PlaceStanding)
///     place-ID.git, place-ID.tree   caches for it
///     contradicted                  a second place contradicts the log: nothing is appended
///     torn-...                      what a crashed writer left half-written
///     tombstone-N                   stands for events 1 to N, removed after their retention (Tombstone)
struct LogFolder: Sendable, Equatable {
    let path: String

    var identity: String { path + "/log.pub" }
    var auditorKey: String { path + "/auditor.key" }
    var state: String { path + "/state" }
    var checkpoints: String { path + "/checkpoints" }
    var journal: String { path + "/journal" }
    var frontier: String { path + "/frontier" }
    var lock: String { path + "/lock" }

    /// Where it stands that a second place contradicts the log; while this is there nothing is appended.
    var contradiction: String { path + "/contradicted" }
    /// Held by the process that delivers checkpoints.
    var courierLock: String { path + "/places.lock" }

    /// How far a place has got; the stem of what is kept for it.
    func place(_ address: PlaceAddress) throws(AiboxError) -> String {
        path + "/place-" + (try SHA256.digest(address.text).hex.prefix(16))
    }

    private static let prefix = "events-"
    private static let suffix = ".jsonl"
    private static let digits = 16

    static func name(segment first: UInt64) -> String {
        let number = String(first)
        return prefix + String(repeating: "0", count: max(0, digits - number.count)) + number + suffix
    }

    func path(segment first: UInt64) -> String { path + "/" + Self.name(segment: first) }

    func path(tombstone last: UInt64) -> String { path + "/tombstone-\(last)" }

    /// The last numbers of the tombstones that are there.
    func tombstones() throws(AiboxError) -> [UInt64] {
        try Folder.names(path).compactMap { name in
            name.hasPrefix("tombstone-") ? UInt64(name.dropFirst("tombstone-".count)) : nil
        }
    }

    /// The first numbers of the files of events, in order.
    func segments() throws(AiboxError) -> [UInt64] {
        try Folder.names(path).compactMap { name in
            guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix),
                let first = UInt64(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)),
                name == Self.name(segment: first)
            else { return nil }
            return first
        }
    }

    /// A name for left-over bytes that no file has yet.
    func torn(after sequence: UInt64) -> String {
        var attempt = 0
        while true {
            let file = path + "/torn-\(sequence)-\(attempt)"
            if !File.exists(file) { return file }
            attempt += 1
        }
    }
}
