import AiboxCrypto
import AiboxSystem
import AiboxWire
import Glibc

/// Writes the log: holds the lock while it does, and knows the tail. Belongs to one thread.
final class LogWriter {
    let folder: LogFolder
    let options: AuditLog.Options
    let disk: any LogDisk
    let hasher: MerkleHasher
    /// What time it is; another one in tests.
    let clock: @Sendable () -> Moment
    private let context: AuditContext
    private let lock: LogLock

    private(set) var identity: LogIdentity
    let stateFile: Descriptor
    var state: KeyState
    private(set) var ratchet: MACRatchet
    /// Events that were lost and are not noted in the key state.
    private var unnoted: UInt64 = 0
    /// The file of events being written.
    private(set) var segment: LogSegment
    /// The tree, as far as this process has followed it.
    var tree: FollowedTree?
    private var journal: LogJournal?
    private var journalUse = JournalUse.first

    private enum JournalUse {
        /// What a process writes first is synced where it belongs: many write nothing else.
        case first
        case used
        /// There is no room for one.
        case refused
    }

    private let boot: Digest256

    /// Events that the writer itself has to tell, written with the next batch.
    private var own: [AuditEvent] = []
    /// Set when the disk is in a state that only opening the log again can tell.
    private var broken: AiboxError?
    /// Set while a checkpoint that was due could not be written: then nothing is appended either.
    private var unsigned: AiboxError?
    private var failedPlaces: Set<String> = []

    init(
        _ folder: LogFolder, _ options: AuditLog.Options, _ context: AuditContext, _ disk: any LogDisk,
        clock: @escaping @Sendable () -> Moment = { .now }
    ) throws(AiboxError) {
        self.folder = folder
        self.options = options
        self.context = AuditContext(source: .auditLog, user: context.user, host: context.host)
        self.disk = disk
        self.clock = clock
        hasher = try MerkleHasher()
        let boot = clock().boot
        self.boot = try JournalRecord.digest(boot: boot)
        // Who cannot tell one boot from another would not know what is missing.
        if boot == Moment.unknownBoot { journalUse = .refused }
        try Folder.makePrivate(folder.path)
        try folder.refuseContradicted()
        let lock = try LogLock(folder.lock, timeout: options.lockTimeout)
        self.lock = lock
        try lock.take()
        defer { lock.release() }
        let creation = LogCreation(folder: folder, options: options, host: context.host)
        identity = try creation.openOrCreate()
        try LogJournal.restore(folder, boot: boot, disk)
        stateFile = try LogWriter.open(folder.state, O_RDWR)
        state = try KeyState.read(stateFile, folder.state)
        ratchet = try state.makeRatchet()
        segment = try LogSegment(folder, state.segment)
        if try state.anchor != identity.anchor() {
            throw AiboxError(
                .integrity, "cannot continue the audit log", why: "its key state belongs to another log",
                remedy: "aibox audit verify; then move the whole audit folder away as evidence")
        }
        if state.doubtful == self.boot { try reopen() }
        try recover()
        try segment.checkHead(state.head, length: state.length, hasher)
        for place in options.secondPlaces {
            try attend(place) { (place) throws(AiboxError) in try place.register(identity) }
        }
        try repairCheckpoints()
        try copyCheckpoints()
        if state.sequence == 0 { own.insert(try beginning(), at: 0) }
        if !own.isEmpty { _ = try write([]) }
    }

    static func open(_ path: String, _ flags: Int32) throws(AiboxError) -> Descriptor {
        Descriptor(try retrying("cannot open \(path)") { Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600) })
    }

    /// Events that no checkpoint covers.
    var uncovered: UInt64 { state.sequence - state.checkpointSize }
    var hasUncovered: Bool { uncovered > 0 }

    /// Writes events and returns when they are on the disk.
    func append(_ bodies: [EventBody]) throws(AiboxError) -> [EventID] {
        if bodies.isEmpty { return [] }
        return try exclusively { () throws(AiboxError) in
            if unsigned != nil { try sign() }
            return try write(bodies)
        }
    }

    /// Signs what the log holds and copies the checkpoints to the second places.
    func checkpoint() throws(AiboxError) {
        try exclusively { () throws(AiboxError) in
            if !own.isEmpty || state.lost + unnoted > 0 { _ = try write([]) }
            try sign()
        }
    }

    /// Syncs what the journal keeps where it belongs: the file of events then is whole by itself.
    func settle() throws(AiboxError) {
        try exclusively { () throws(AiboxError) in
            if state.journalPosition == 0 { return }
            try sync(segment)
            let next = try state.copy()
            next.settle()
            try next.write(stateFile, folder.state, disk)
            state = next
        }
    }

    /// Does something under the lock, at the end of the log as it is now.
    func exclusively<Value>(_ work: () throws(AiboxError) -> Value) throws(AiboxError) -> Value {
        try lock.take()
        defer { lock.release() }
        try folder.refuseContradicted()
        if broken != nil { try reopen() }
        try follow()
        return try work()
    }

    /// Counts events that could not be written, where the rule is to go on without them; nil where it is not.
    ///
    /// The ids are of no event in the log.
    func excuse(_ bodies: [EventBody], _ error: AiboxError) -> [EventID]? {
        guard options.onFailure == .markGap, error.code != .integrity else { return nil }
        unnoted += UInt64(bodies.count)
        noteLost()
        var id = state.lastID
        var ids: [EventID] = []
        for body in bodies {
            guard let next = try? EventID.next(after: id, at: body.time) else { return nil }
            id = next
            ids.append(id)
        }
        return ids
    }

    /// Moves the count into the key state, where it outlives this process. Overwriting takes no room on the disk;
    /// where it fails all the same, the count stays here.
    private func noteLost() {
        do throws(AiboxError) {
            try lock.take()
            defer { lock.release() }
            let current = try KeyState.read(stateFile, folder.state)
            current.lost += unnoted
            if current.lostSince == 0 { current.lostSince = UInt64(clamping: clock().time.seconds) }
            try current.write(stateFile, folder.state, disk)
            unnoted = 0
            try disk.synchronise(stateFile, folder.state)
        } catch {}
    }

    /// Tells of something with the next batch.
    func tell(_ event: AuditEvent) { own.append(event) }

    // MARK: Under the lock

    /// After a failure that left it open what is on the disk: cuts off what the key state does not know, none of which
    /// was acknowledged, so that every byte left was synced.
    private func reopen() throws(AiboxError) {
        let current = try KeyState.read(stateFile, folder.state)
        let next = folder.path(segment: current.sequence + 1)
        if current.segment != current.sequence + 1, File.exists(next) {
            try File.remove(next)
            try File.synchronise(folder: folder.path)
        }
        state = current
        ratchet = try current.makeRatchet()
        segment = try LogSegment(folder, current.segment)
        tree = nil
        if try FileBytes.length(segment.file, segment.path) > current.length {
            try disk.truncate(segment.file, to: current.length, segment.path)
        }
        // A sync that failed may have left pages that look clean and are not on the disk (fsync(2)): they are written again.
        let journal = try LogJournal(existing: folder)
        try journal?.restore(in: folder, upTo: (current.segment, current.length), disk)
        try disk.synchronise(segment.file, segment.path)
        // What was cut off may stand there.
        try journal?.clear(disk)
        state.settle()
        state.doubtful = Digest256()
        try state.write(stateFile, folder.state, disk)
        self.journal = nil
        try segment.checkHead(current.head, length: current.length, hasher)
        broken = nil
    }

    /// Takes over what other processes wrote since.
    private func follow() throws(AiboxError) {
        var current = try KeyState.read(stateFile, folder.state)
        if current.doubtful == boot {
            try reopen()
            current = state
        }
        if current.generation != state.generation {
            state = current
            ratchet = try current.makeRatchet()
        }
        if segment.first != state.segment || segment.wasReplaced {
            segment = try LogSegment(folder, state.segment)
            try segment.checkHead(state.head, length: state.length, hasher)
        }
        try recover()
    }

    /// Makes the state that of a recovered log.
    func adopt(_ state: KeyState, _ ratchet: MACRatchet, _ segment: LogSegment) {
        self.state = state
        self.ratchet = ratchet
        self.segment = segment
    }

    private func write(_ bodies: [EventBody], rotating: Bool = false) throws(AiboxError) -> [EventID] {
        let next = try state.copy()
        let ratchet = try self.ratchet.copy()
        var target = segment
        var front: [EventBody] = []
        if rotating || state.length >= UInt64(options.segmentBytes) {
            target = try LogSegment(creating: folder, state.sequence + 1)
            next.segment = target.first
            next.length = 0
            front.append(try body(rotation()))
        }
        if state.lost + unnoted > 0 { front.append(try body(gap())) }
        next.lost = 0
        next.lostSince = 0
        for event in own { front.append(try body(event)) }
        var tree = self.tree
        var lines: [UInt8] = []
        var ids: [EventID] = []
        for body in front + bodies {
            next.sequence += 1
            next.lastID = try EventID.next(after: next.lastID, at: body.time)
            ids.append(next.lastID)
            let start = lines.count
            RecordLine.authenticated(
                sequence: next.sequence, id: next.lastID, body: body.bytes, previous: next.head, to: &lines)
            let mac = try lines.borrowed { (bytes) throws(AiboxError) in
                try ratchet.authenticate(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            }
            RecordLine.finish(mac, to: &lines)
            next.head = try lines.borrowed { (bytes) throws(AiboxError) in
                try hasher.leaf(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            }
            lines.append(UInt8(ascii: "\n"))
            try ratchet.advance()
            try tree?.add(next.head, at: next.sequence, hasher)
        }
        next.length += UInt64(lines.count)
        next.setRatchet(ratchet)
        try store(lines, in: target, next)
        target.begin(upTo: next.length)
        do throws(AiboxError) {
            try next.write(stateFile, folder.state, disk)
        } catch {
            broken = error
            throw error
        }
        // Behind what others wrote meanwhile it stays where it is: the next signature follows from there.
        if tree?.frontier.size == next.sequence { tree?.moved(to: target.first, next.length) }
        self.tree = tree
        adopt(next, ratchet, target)
        own = []
        unnoted = 0
        return Array(ids.dropFirst(front.count))
    }

    /// Appends and syncs, there or in the journal, or leaves the file as it was.
    private func store(_ lines: [UInt8], in target: LogSegment, _ next: KeyState) throws(AiboxError) {
        let isNew = target.first != segment.first
        let length = isNew ? 0 : state.length
        do throws(AiboxError) {
            try lines.borrowed { (bytes) throws(AiboxError) in
                try disk.append(bytes, to: target.file, target.path)
            }
        } catch {
            do throws(AiboxError) {
                // On the disk too: what is left there would stand in the way of what the journal brings back.
                try disk.truncate(target.file, to: length, target.path)
                try sync(target)
                if isNew {
                    try File.remove(target.path)
                    try File.synchronise(folder: folder.path)
                }
            } catch let second {
                broken = second
            }
            throw error
        }
        do throws(AiboxError) {
            if !isNew, try keep(lines, next) { return }
            if isNew, state.journalPosition > 0 { try sync(segment) }
            try sync(target)
            if isNew { try File.synchronise(folder: folder.path) }
            next.settle()
        } catch {
            // After a failed sync nobody knows what is on the disk (fsync(2)); only reading it afresh can tell.
            broken = error
            throw error
        }
    }

    /// Syncs a file of events. One that fails is noted where every process looks.
    func sync(_ segment: LogSegment) throws(AiboxError) {
        do throws(AiboxError) {
            try disk.synchronise(segment.file, segment.path)
        } catch {
            broken = error
            if let doubtful = try? state.copy() {
                doubtful.doubtful = boot
                try? doubtful.write(stateFile, folder.state, disk)
            }
            throw error
        }
    }

    /// Puts the lines that follow in the newest file into the journal; false if there is no room for them, or none at all.
    private func keep(_ lines: [UInt8], _ next: KeyState) throws(AiboxError) -> Bool {
        if journalUse == .first {
            journalUse = .used
        } else if journalUse == .used, journal == nil {
            // Without one, on a disk that is nearly full for instance, the files of events are synced themselves.
            do throws(AiboxError) { journal = try LogJournal(folder) } catch { journalUse = .refused }
        }
        guard let journal else { return false }
        if journal.wasReplaced {
            self.journal = nil
            return false
        }
        // Emptied, cut or of another boot: a record behind what is not there would not be found.
        guard try journal.holds(state.journalPosition == 0 ? nil : (state.journalEpoch, boot)) else { return false }
        let record = JournalRecord(
            epoch: state.journalEpoch, boot: boot, segment: segment.first, offset: state.length, lines: lines)
        guard let position = try journal.add(record, at: state.journalPosition, disk) else { return false }
        next.journalPosition = position
        return true
    }

    private func body(_ event: AuditEvent) throws(AiboxError) -> EventBody {
        try EventBody(event, in: context, at: clock())
    }

    private func beginning() throws(AiboxError) -> AuditEvent {
        AuditEvent(
            .auditOpen, subject: identity.origin,
            details: [
                "schema": .integer(AuditEventSchema.version), "anchor": .string(try identity.anchor().hex),
                "key": .string(try identity.key.text()),
                "places": .array(options.secondPlaces.map { .string($0.folder) }),
            ])
    }

    private func rotation() -> AuditEvent {
        AuditEvent(
            .auditRotate, subject: LogFolder.name(segment: segment.first),
            details: [
                "first": .integer(Int64(segment.first)), "last": .integer(Int64(state.sequence)),
                "bytes": .integer(Int64(state.length)),
            ])
    }

    private func gap() -> AuditEvent {
        let since = state.lostSince == 0 ? clock().time : Timestamp(seconds: Int64(clamping: state.lostSince))
        return AuditEvent(
            .auditGap, subject: identity.origin, outcome: .failure,
            details: ["events": .integer(Int64(clamping: state.lost + unnoted)), "since": .string(since.rfc3339)])
    }

    /// Begins the next file, unless this one holds nothing but its own beginning. Under the lock.
    func beginSegment() throws(AiboxError) {
        if state.sequence > state.segment { _ = try write([], rotating: true) }
    }

    /// Writes what the writer itself has to tell. Under the lock.
    func writeOwn() throws(AiboxError) { _ = try write([]) }

    // MARK: Checkpoints

    func sign() throws(AiboxError) {
        do throws(AiboxError) {
            if hasUncovered { try writeCheckpoint() }
            try copyCheckpoints()
            unsigned = nil
        } catch {
            unsigned = error
            throw error
        }
    }

    private func copyCheckpoints() throws(AiboxError) {
        if options.secondPlaces.isEmpty { return }
        let file = try LogWriter.open(folder.checkpoints, O_RDONLY)
        for place in options.secondPlaces {
            try attend(place) { (place) throws(AiboxError) in
                try place.update(identity, from: file, length: state.checkpointsLength, disk)
            }
        }
    }

    /// Works on a second place. One that may be missing and is, is told of in the log once; evidence of a roll-back
    /// is never passed over.
    private func attend(
        _ place: SecondPlace, _ work: (SecondPlace) throws(AiboxError) -> Void
    ) throws(AiboxError) {
        do throws(AiboxError) {
            try work(place)
            if failedPlaces.remove(place.folder) != nil {
                tell(AuditEvent(.auditPlace, subject: place.folder, outcome: .success, severity: .info))
            }
        } catch {
            if place.required || error.code == .integrity { throw error }
            if failedPlaces.insert(place.folder).inserted {
                tell(
                    AuditEvent(
                        .auditPlace, subject: place.folder, outcome: .failure,
                        details: ["reason": .string(error.description)]))
            }
        }
    }
}
