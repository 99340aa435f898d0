import AiboxCrypto
import AiboxSystem
import Glibc

/// Reads the events once, in order, and stops at the first that is not as it was written.
struct ChainWalk {
    /// What the key state says, where there is one: how far the log went at least.
    struct Known {
        var sequence: UInt64
        var head: Digest256
        var segment: UInt64
        var length: UInt64
        /// Checks the lines that were written after the state.
        var ratchet: MACRatchet
    }

    private let folder: LogFolder
    private let hasher: MerkleHasher
    private let expectations: [CheckpointAudit.Expectation]
    private let known: Known?
    /// With the auditor's key from the first line on, else from the end of the key state on.
    private(set) var ratchet: MACRatchet?
    private let ratchetFromStart: Bool
    private let expiry: ExpiryProof?
    private var nextExpectation = 0

    private(set) var tree = MerkleFrontier()
    private(set) var head: Digest256
    private(set) var bytes: UInt64 = 0
    private(set) var files = 0
    private(set) var finding: AuditFinding?
    private(set) var notices: [String] = []
    /// The last size at which the root was the expected one.
    private var matched: UInt64 = 0
    private var hasMatched = false
    private var lastTime: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private var backwards = 0

    init(
        _ folder: LogFolder, anchor: Digest256, _ expectations: [CheckpointAudit.Expectation], _ known: Known?,
        auditor: MACRatchet?, removed: Tombstone?
    ) throws(AiboxError) {
        self.folder = folder
        hasher = try MerkleHasher()
        // Sorted stably: of two over the same size the log's own comes first.
        let sorted = expectations.enumerated()
            .sorted { ($0.element.size, $0.offset) < ($1.element.size, $1.offset) }.map(\.element)
        head = removed?.head ?? anchor
        if let removed {
            tree = removed.frontier
            expiry = try ExpiryProof(removed, covering: sorted.first { $0.size >= removed.last })
        } else {
            expiry = nil
        }
        // What was signed of events that are gone cannot be compared any more.
        self.expectations = sorted.filter { $0.size > removed?.last ?? 0 }
        self.known = known
        ratchet = auditor
        ratchetFromStart = auditor != nil
        matched = removed?.last ?? 0
        for _ in 0..<(removed?.last ?? 0) { try ratchet?.advance() }
    }

    var events: UInt64 { tree.size }

    mutating func run(_ segments: [(first: UInt64, length: Int)]) throws(AiboxError) {
        for (position, segment) in segments.enumerated() {
            let path = folder.path(segment: segment.first)
            if segment.first != events + 1 {
                finding =
                    segment.first > events + 1
                    ? AuditFinding(
                        .removed, events + 1, to: segment.first - 1, in: path,
                        "the file with the events before \(segment.first) is missing, or lost its end")
                    : AuditFinding(
                        .inserted, segment.first, in: path, "event \(segment.first) is already in the file before")
                return
            }
            files += 1
            let file = try MappedFile(path, limit: segment.length)
            bytes += UInt64(segment.length)
            try walk(file, segment.first, path, isLast: position == segments.count - 1)
            if finding != nil { return }
        }
        if backwards > 0 {
            notices.append("the clock went back \(backwards) times; events are in the order of their numbers")
        }
        try checkEnd()
        if finding == nil, let expiry, let words = expiry.objection(isUnderCheckpoint: hasMatched) {
            finding = AuditFinding(.removed, 1, to: expiry.last, in: folder.path(tombstone: expiry.last), words)
        }
    }

    private mutating func walk(_ file: MappedFile, _ first: UInt64, _ path: String, isLast: Bool) throws(AiboxError) {
        var offset = 0
        var number = 0
        while let line = file.line(from: offset) {
            number += 1
            guard let record = RecordLine(line) else {
                finding = at(.changed, events + 1, path, number, offset, "event \(events + 1) is damaged")
                return
            }
            if !ratchetFromStart, let known, events == known.sequence { ratchet = known.ratchet }
            var isRight = record.sequence == events + 1 && record.previous == head
            var leaf: Digest256?
            if isRight { (isRight, leaf) = try isAuthentic(record) }
            if !isRight {
                let diagnosis = LineDiagnosis(
                    file: file, offset: offset, record: record, expected: events + 1, head: head,
                    end: known?.sequence, endHead: known?.head, checkedMACs: ratchetFromStart)
                let (kind, sequence, last, words) = try diagnosis.run(hasher)
                finding = at(kind, sequence, path, number, offset, words, to: last)
                return
            }
            let own = if let leaf { leaf } else { try hasher.leaf(line) }
            try tree.add(own, hasher)
            head = own
            noteTime(record)
            expiry?.look(at: line)
            if nextExpectation < expectations.count, expectations[nextExpectation].size <= events {
                try compareRoots(path, number, offset)
                if finding != nil { return }
            }
            if let known, events == known.sequence, own != known.head {
                // The links are right, so any event since the last signature may be another one.
                finding = at(
                    .changed, min(matched + 1, events), path, number, offset,
                    "events \(matched + 1) to \(events) are not those that were written", to: events)
                return
            }
            offset += line.count + 1
        }
        if offset < file.bytes.count { checkTorn(file, offset, number + 1, path, isLast: isLast) }
    }

    /// Whether the MAC is right, where it can be checked; and the leaf hash, where it came with it.
    private func isAuthentic(_ record: RecordLine) throws(AiboxError) -> (Bool, Digest256?) {
        guard let ratchet else { return (true, nil) }
        let authenticated = record.authenticated
        if let (leaf, mac) = try ratchet.digests(of: record.bytes, authenticating: authenticated.count) {
            if mac != record.mac { return (false, nil) }
            try ratchet.advance()
            return (true, leaf)
        }
        if try ratchet.authenticate(authenticated) != record.mac { return (false, nil) }
        try ratchet.advance()
        return (true, nil)
    }

    private mutating func compareRoots(_ path: String, _ number: Int, _ offset: Int) throws(AiboxError) {
        let root = try tree.root(hasher)
        while nextExpectation < expectations.count, expectations[nextExpectation].size <= events {
            let expectation = expectations[nextExpectation]
            nextExpectation += 1
            if expectation.size == events, expectation.root == root {
                matched = events
                hasMatched = true
                continue
            }
            finding = AuditFinding(
                expectation.kind, matched + 1, to: events, in: path, line: number, offset: UInt64(offset),
                "events \(matched + 1) to \(events) are not those that \(expectation.name) signed")
            return
        }
    }

    /// Bytes after the last newline.
    private mutating func checkTorn(_ file: MappedFile, _ offset: Int, _ number: Int, _ path: String, isLast: Bool) {
        let isKnown = known.map { events < $0.sequence } ?? false
        if isLast, !isKnown {
            notices.append(
                "\(path) ends with \(file.bytes.count - offset) bytes of an unfinished event; the next writer sets them aside"
            )
            return
        }
        let wasCut = known.map { isLast && UInt64(file.bytes.count) < $0.length } ?? false
        finding = at(
            wasCut ? .cut : .changed, events + 1, path, number, offset,
            wasCut ? "the log was cut in the middle of event \(events + 1)" : "event \(events + 1) is damaged",
            to: wasCut ? known?.sequence : nil)
    }

    /// The log must reach as far as its key state and its checkpoints say.
    private mutating func checkEnd() throws(AiboxError) {
        let newest = folder.path(segment: known?.segment ?? 1)
        if let known, events < known.sequence {
            finding = AuditFinding(
                .cut, events + 1, to: known.sequence, in: newest,
                "the log ends with event \(events) of \(known.sequence)")
            return
        }
        guard nextExpectation < expectations.count else { return }
        let expectation = expectations[nextExpectation]
        finding = AuditFinding(
            expectation.kind == .changed ? .cut : .rolledBack, events + 1, to: expectation.size,
            in: expectation.file,
            "the log ends with event \(events), and \(expectation.name) signed \(expectation.size)")
    }

    /// Compares `time`, which stands at a fixed place in a fixed width, with that of the event before.
    private mutating func noteTime(_ record: RecordLine) {
        let start = RecordLine.prefix.count + digits(record.sequence) + 7 + EventID.length + 10
        guard start + 24 <= record.bytes.count else { return }
        func word(_ offset: Int) -> UInt64 {
            UInt64(bigEndian: record.bytes.loadUnaligned(fromByteOffset: start + offset, as: UInt64.self))
        }
        let time = (word(0), word(8), word(16))
        if time < lastTime { backwards += 1 }
        lastTime = time
    }

    private func digits(_ number: UInt64) -> Int {
        var (count, rest) = (1, number)
        while rest >= 10 { (count, rest) = (count + 1, rest / 10) }
        return count
    }

    private func at(
        _ kind: AuditFinding.Kind, _ sequence: UInt64, _ path: String, _ line: Int, _ offset: Int, _ words: String,
        to last: UInt64? = nil
    ) -> AuditFinding {
        AuditFinding(kind, sequence, to: last, in: path, line: line, offset: UInt64(offset), words)
    }
}
