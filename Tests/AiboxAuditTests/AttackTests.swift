import AiboxCrypto
import AiboxSystem
import AiboxTestSupport
import Testing

@testable import AiboxAudit

/// What can be done to a log by somebody who can write its files, one test a row: every one is found, and named.
@Suite("Attacks on a log")
struct AttackTests {
    private let fixture: LogFixture

    init() throws { fixture = try LogFixture() }

    /// The finding with the auditor's key and the one without must agree on where the log is wrong.
    private func findings(place: Bool = false) throws -> [AuditFinding?] {
        [try fixture.verify(place: place).finding, try fixture.verifyPublicly(place: place).finding]
    }

    /// No writer may go on from a damaged log.
    private func expectRefusal(place: Bool = false, _ comment: Comment? = nil) {
        do throws(AiboxError) {
            _ = try fixture.open(fixture.options(place: place))
            Issue.record("a writer went on \(comment?.rawValue ?? "")")
        } catch {
            #expect(error.code == .integrity, comment)
        }
    }

    @Test("one changed bit in any byte of the events is found, and the record is named")
    func everyByte() throws {
        try fixture.write(0..<3)
        let original = try fixture.bytes()
        var record: UInt64 = 1
        for index in original.indices {
            var changed = original
            changed[index] ^= 1
            try fixture.set(changed)
            for finding in try findings() {
                #expect(finding?.kind == .changed, "byte \(index)")
                #expect(names(finding, Int(record)), "byte \(index): \(finding?.explanation ?? "")")
                // Only the last record, which no other vouches for, is told no better than its checkpoint without MACs.
                #expect(finding?.last == nil || record == 4, "byte \(index)")
            }
            #expect(try fixture.verify().finding?.sequence == record, "byte \(index)")
            if original[index] == 0x0a { record += 1 }
        }
        try fixture.set(original)
        #expect(try findings() == [nil, nil])
    }

    @Test("one changed bit in any byte of the checkpoints, the public key or the key state is found")
    func everyByteElsewhere() throws {
        try fixture.write(0..<1)
        for path in [fixture.files.checkpoints, fixture.files.identity, fixture.files.state] {
            let original = try File.read(path)
            for index in original.indices {
                var changed = original
                changed[index] ^= 1
                try File.replace(path, with: changed)
                let finding = try fixture.verify().finding
                #expect(finding != nil, "byte \(index) of \(Path.name(path))")
            }
            try File.replace(path, with: original)
        }
        #expect(try findings() == [nil, nil])
    }

    @Test("a deleted line is found: removed, or cut at the end")
    func delete() throws {
        try fixture.write(0..<6)
        let original = try fixture.lines()
        for index in original.indices {
            var lines = original
            lines.remove(at: index)
            try fixture.set(lines)
            for finding in try findings() {
                #expect(finding?.kind == (index == original.count - 1 ? .cut : .removed))
                #expect(finding?.sequence == UInt64(index + 1))
            }
            expectRefusal()
        }
    }

    @Test("a range of deleted lines is named from its first to its last")
    func deleteRange() throws {
        try fixture.write(0..<9)
        var lines = try fixture.lines()
        lines.removeSubrange(2..<6)
        try fixture.set(lines)
        for finding in try findings() {
            #expect(finding?.kind == .removed)
            #expect(finding?.sequence == 3)
            #expect(finding?.last == 6)
        }
    }

    @Test("two swapped lines are found: reordered, at the first of them")
    func swap() throws {
        try fixture.write(0..<6)
        let original = try fixture.lines()
        for first in original.indices {
            for second in original.indices where second > first {
                var lines = original
                lines.swapAt(first, second)
                try fixture.set(lines)
                for finding in try findings() {
                    #expect(finding?.kind == .reordered, "\(first) \(second)")
                    #expect(finding?.sequence == UInt64(first + 1), "\(first) \(second)")
                }
            }
        }
    }

    @Test("a line that stands twice is found: inserted, wherever the copy stands")
    func duplicate() throws {
        try fixture.write(0..<5)
        let original = try fixture.lines()
        for line in original.indices {
            for place in original.indices where place > line {
                var lines = original
                lines.insert(original[line], at: place)
                try fixture.set(lines)
                for finding in try findings() {
                    #expect(finding?.kind == .inserted, "\(line) at \(place)")
                    #expect(finding?.sequence == UInt64(line + 1), "\(line) at \(place)")
                }
            }
        }
    }

    @Test("a line of another log, with number and link made to fit, is found at its place")
    func foreign() throws {
        let other = try LogFixture()
        try other.write(100..<106)
        try fixture.write(0..<6)
        let original = try fixture.lines()
        let foreign = try other.lines()
        for index in 1..<original.count {
            // Its link is the one that the line in this place has; its MAC is of another key.
            var forged = foreign[index]
            let suffix = forged.count - RecordLine.suffixLength
            forged.replaceSubrange(
                suffix + 9..<suffix + 73,
                with: original[index].suffix(RecordLine.suffixLength)[...].dropFirst(9).prefix(64))
            var lines = original
            lines.insert(forged, at: index)
            try fixture.set(lines)
            for finding in try findings() {
                #expect([.inserted, .changed].contains(finding?.kind))
                #expect(names(finding, index + 1))
            }
            lines = original
            lines[index] = forged
            try fixture.set(lines)
            for finding in try findings() {
                #expect(finding?.kind == .changed)
                #expect(names(finding, index + 1))
            }
        }
    }

    /// Whether the finding's range, or its one record, covers a record.
    private func names(_ finding: AuditFinding?, _ record: Int) -> Bool {
        guard let finding, let first = finding.sequence else { return false }
        return (first...(finding.last ?? first)).contains(UInt64(record))
    }

    @Test("a log cut at any byte is found, and no writer goes on from it")
    func cut() throws {
        try fixture.write(0..<3)
        let original = try fixture.bytes()
        for length in 0..<original.count {
            try fixture.set(Array(original.prefix(length)))
            let whole = UInt64(original.prefix(length).count { $0 == 0x0a })
            for finding in try findings() {
                #expect(finding?.kind == .cut, "at \(length): \(finding?.explanation ?? "")")
                #expect(finding?.sequence == whole + 1, "at \(length)")
            }
            expectRefusal("cut at \(length)")
        }
    }

    @Test("checkpoints cut at any byte are found, and no writer goes on from it")
    func cutCheckpoints() throws {
        for round in 0..<2 { try fixture.write(round..<round + 1) }
        let original = try File.read(fixture.files.checkpoints)
        for length in 0..<original.count {
            try File.replace(fixture.files.checkpoints, with: Array(original.prefix(length)))
            for finding in try findings() { #expect(finding != nil, "cut at \(length)") }
            expectRefusal("cut at \(length)")
        }
    }

    @Test("yesterday's log with everything that belongs to it is found by a second place, and no writer goes on")
    func rollBack() throws {
        try fixture.write(0..<3, fixture.options(place: true))
        // The index is made of yesterday's events and put back with them.
        #expect(try AuditIndex(folder: fixture.log).count() == 4)
        try fixture.copy(to: "yesterday")
        try fixture.write(3..<6, fixture.options(place: true))
        try fixture.restore(from: "yesterday")
        for finding in try findings(place: true) {
            #expect(finding?.kind == .rolledBack)
            #expect(finding?.sequence == 5)
            #expect(finding?.last == 7)
        }
        expectRefusal(place: true)
        #expect(try AuditIndex(folder: fixture.log).count() == 4)
        // Alone it looks right: that is what the second place is for.
        #expect(try findings() == [nil, nil])
    }

    @Test("yesterday's events with today's keys are found: cut")
    func rollBackEvents() throws {
        try fixture.write(0..<3)
        let yesterday = try fixture.bytes()
        try fixture.write(3..<6)
        try fixture.set(yesterday)
        for finding in try findings() {
            #expect(finding?.kind == .cut)
            #expect(finding?.sequence == 5)
        }
        expectRefusal()
    }

    @Test("today's events with yesterday's keys are found")
    func rollBackKeys() throws {
        try fixture.write(0..<3)
        let state = try File.read(fixture.files.state)
        try fixture.write(3..<6)
        try File.replace(fixture.files.state, with: state)
        // The old keys prove the newer lines, so the events are right; the checkpoint after them is one too many.
        let result = try fixture.verify()
        #expect(result.finding == nil || result.finding?.kind == .rekeyed)
        let log = try fixture.open()
        try log.append(LogFixture.event(7))
        try log.close()
        #expect(try fixture.verify().finding == nil)
    }

    @Test("a log that went on in two ways is found by the second place of the other one, and no writer goes on")
    func fork() throws {
        try fixture.write(0..<3, fixture.options(place: true))
        try fixture.copy(to: "other")
        try fixture.write(3..<6, fixture.options(place: true))
        try fixture.restore(from: "other")
        // As long as before, but other events.
        try fixture.write(30..<33)
        for finding in try findings(place: true) {
            #expect(finding?.kind == .forked)
        }
        expectRefusal(place: true)
        // Longer than before.
        try fixture.write(33..<39)
        for finding in try findings(place: true) { #expect(finding?.kind == .forked) }
        expectRefusal(place: true)
    }

    @Test("a freshly keyed log in the old one's place is found by anyone who knows the old one")
    func rekeyed() throws {
        try fixture.write(0..<3, fixture.options(place: true))
        try fixture.copy(to: "old")
        let known = fixture.folder.path + "/old/log.pub"
        let auditor = fixture.folder.path + "/old/auditor.key"
        let checkpoint = fixture.folder.path + "/checkpoint"
        try File.replace(checkpoint, with: try #require(try lastCheckpoint()))
        try Folder.removeTree(fixture.log)
        // The second place refuses to know another log under the same folder ...
        expectRefusal(place: true)
        try Folder.removeTree(fixture.log)
        try fixture.write(0..<3)
        // ... and whoever holds anything of the old one sees that this is another.
        #expect(try fixture.verify(place: true).finding?.kind == .rekeyed)
        #expect(try fixture.verify(key: known).finding?.kind == .rekeyed)
        #expect(try fixture.verify(key: auditor).finding?.kind == .rekeyed)
        #expect(try fixture.verify(checkpoint: checkpoint).finding?.kind == .rekeyed)
    }

    @Test("a removed log folder is never begun anew where a second place knows it")
    func removed() throws {
        try fixture.write(0..<2, fixture.options(place: true))
        try Folder.removeTree(fixture.log)
        expectRefusal(place: true)
    }

    @Test("a missing file is found, whichever it is, and no writer goes on without the newest or the keys")
    func missingFile() throws {
        try fixture.write(0..<30, fixture.options(segmentBytes: 4000))
        let segments = try fixture.files.segments()
        #expect(segments.count > 3)
        try fixture.copy(to: "whole")
        for (index, first) in segments.enumerated() {
            try File.remove(fixture.files.path(segment: first))
            for finding in try findings() {
                #expect(finding?.kind == (index == segments.count - 1 ? .cut : .removed))
                #expect(finding?.sequence == first)
            }
            if index == segments.count - 1 { expectRefusal() }
            try fixture.restore(from: "whole")
        }
        for file in [fixture.files.state, fixture.files.identity, fixture.files.checkpoints] {
            try File.remove(file)
            #expect(try fixture.verify().finding != nil, "\(Path.name(file))")
            do throws(AiboxError) {
                _ = try fixture.open()
                Issue.record("a writer went on without \(Path.name(file))")
            } catch {}
            try fixture.restore(from: "whole")
        }
        #expect(try findings() == [nil, nil])
    }

    @Test("a file swapped for another, or copied, is found")
    func movedFile() throws {
        try fixture.write(0..<30, fixture.options(segmentBytes: 4000))
        let segments = try fixture.files.segments()
        let (second, third) = (try fixture.bytes(segments[1]), try fixture.bytes(segments[2]))
        try fixture.set(third, segment: segments[1])
        for finding in try findings() { #expect(finding?.sequence == segments[1]) }
        try fixture.set(second, segment: segments[1])
        try fixture.set(second, segment: segments[1] + 1)
        for finding in try findings() { #expect(finding?.kind == .inserted) }
    }

    @Test("events rewritten with their links computed anew are found by MACs and by checkpoints")
    func rewritten() throws {
        for round in 0..<3 { try fixture.write(round * 3..<round * 3 + 3) }
        let original = try fixture.lines()
        for index in 1..<original.count {
            var lines = original
            lines[index] = try rewriting(lines[index])
            try relink(&lines, from: index + 1)
            try fixture.set(lines)
            let keyed = try #require(try fixture.verify().finding)
            #expect(keyed.kind == .changed)
            #expect(keyed.sequence == UInt64(index + 1))
            let open = try #require(try fixture.verifyPublicly().finding)
            #expect(open.kind == .changed)
            #expect((open.sequence ?? 0)...(open.last ?? open.sequence ?? 0) ~= UInt64(index + 1))
        }
    }

    @Test("an intruder with every key that is on the machine cannot rewrite what was signed before, nor cut it off")
    func intruder() throws {
        for round in 0..<3 { try fixture.write(round * 3..<round * 3 + 3) }
        try fixture.copy(to: "whole")
        let files = fixture.files
        let identity = try LogIdentity(try File.text(files.identity), from: "")

        // Rewrites an event, computes all links anew, and signs the result with the log's key and the one-time key.
        var lines = try fixture.lines()
        lines[2] = try rewriting(lines[2])
        try relink(&lines, from: 3)
        try fixture.set(lines)
        try sign(lines, identity, keeping: 0)
        #expect(try fixture.verifyPublicly().finding != nil)
        #expect(try fixture.verify().finding?.sequence == 3)

        // Cuts the log after its second checkpoint and makes everything on the machine say that it ends there.
        try fixture.restore(from: "whole")
        lines = Array(try fixture.lines().prefix(7))
        try fixture.set(lines)
        try sign(lines, identity, keeping: 2)
        #expect(try fixture.verifyPublicly().finding?.kind == .rekeyed)
        #expect(try fixture.verify().finding?.kind == .rekeyed)
    }

    @Test("events that somebody without the keys appended are set aside at the next start, and told of")
    func appended() throws {
        try fixture.write(0..<3)
        var lines = try fixture.lines()
        var forged = try rewriting(lines[3])
        forged.replaceSubrange(7..<8, with: "5".utf8)
        lines.append(forged)
        try relink(&lines, from: 4)
        try fixture.set(lines)
        for finding in try findings() {
            #expect(finding?.kind == .changed)
            #expect(finding?.sequence == 5)
        }
        try fixture.write(3..<4)
        #expect(try findings() == [nil, nil])
        let recovered = try #require(
            try fixture.lines().first { String(decoding: $0, as: UTF8.self).contains("audit.recover") })
        #expect(String(decoding: recovered, as: UTF8.self).contains(#""severity":"critical""#))
        let torn = try #require(try Folder.names(fixture.log).first { $0.hasPrefix("torn-") })
        #expect(try File.read(fixture.log + "/" + torn) == lines[4] + [0x0a])
    }

    // MARK: The attacker's tools

    private func lastCheckpoint() throws -> String? {
        CheckpointList.parse(try File.read(fixture.files.checkpoints)).entries.last?.source
    }

    private func rewriting(_ line: [UInt8]) throws -> [UInt8] {
        let text = String(decoding: line, as: UTF8.self)
        let changed = text.replacing("\"denied\"", with: "\"allowed\"")
        return Array((changed == text ? text.replacing("\"info\"", with: "\"high\"") : changed).utf8)
    }

    /// Sets the link of each line from `index` on to the hash of the line before.
    private func relink(_ lines: inout [[UInt8]], from index: Int) throws {
        let hasher = try MerkleHasher()
        for position in lines.indices where position >= index {
            let leaf = try lines[position - 1].borrowed { (bytes) throws(AiboxError) in try hasher.leaf(bytes) }
            let suffix = lines[position].count - RecordLine.suffixLength
            lines[position].replaceSubrange(suffix + 9..<suffix + 73, with: leaf.hex.utf8)
        }
    }

    /// Signs `lines` as they are with the keys in the key state, keeping some of the old checkpoints, and makes the
    /// key state fit.
    private func sign(_ lines: [[UInt8]], _ identity: LogIdentity, keeping: Int) throws {
        let files = fixture.files
        let file = try LogWriter.open(files.state, 2)
        let state = try KeyState.read(file, files.state)
        let hasher = try MerkleHasher()
        var tree = MerkleFrontier()
        for line in lines {
            state.head = try line.borrowed { (bytes) throws(AiboxError) in try hasher.leaf(bytes) }
            try tree.add(state.head, hasher)
        }
        var notes = CheckpointList.parse(try File.read(files.checkpoints)).entries.prefix(keeping).map {
            $0.source + "\n"
        }
        if keeping == 0 {
            let keys = try state.makeOneTimeKeys()
            var forged = Checkpoint(
                origin: identity.origin, size: UInt64(lines.count), root: try tree.root(hasher),
                time: "2026-01-01T00:00:00Z",
                next: try keys.successor().publicKey())
            try forged.note.sign(as: identity.key, seed: state.makeLogKey())
            let once = NoteKey(name: Checkpoint.onceName(identity.origin), publicKey: try keys.publicKey())
            try forged.note.sign(as: once, seed: keys.current())
            notes.append(forged.note.source + "\n")
            state.setOneTimeKeys(try keys.successor())
        }
        let text = notes.joined()
        try File.replace(files.checkpoints, with: text)
        state.sequence = UInt64(lines.count)
        state.length = UInt64(lines.reduce(0) { $0 + $1.count + 1 })
        state.checkpoints = UInt64(notes.count)
        state.checkpointsLength = UInt64(text.utf8.count)
        state.checkpointSize = UInt64(lines.count)
        try state.write(file, files.state, SystemLogDisk())
    }
}
