import AiboxCrypto
import AiboxSystem
import AiboxWire
import Glibc

/// Resuming after a crash: lines on the disk that the key state does not know yet prove themselves with its keys;
/// what does not is set aside and told of.
extension LogWriter {
    /// Brings the state to the end of the log. Under the lock.
    func recover() throws(AiboxError) {
        while true {
            let length = try FileBytes.length(segment.file, segment.path)
            if length < state.length {
                throw AiboxError(
                    .integrity, "cannot continue the audit log",
                    why: "\(segment.path) was cut: it has \(length) bytes of \(state.length)",
                    remedy: "aibox audit verify; then move the whole audit folder away as evidence")
            }
            if length > state.length { try replay(to: length) }
            // A crash while changing to the next file.
            let next = folder.path(segment: state.sequence + 1)
            if state.segment == state.sequence + 1 || !File.exists(next) { return }
            // What the journal keeps of this one is followed by what is synced elsewhere.
            try sync(self.segment)
            let segment = try LogSegment(folder, state.sequence + 1)
            let moved = try state.copy()
            moved.segment = segment.first
            moved.length = 0
            let before = self.segment
            adopt(moved, ratchet, segment)
            try replay(to: try FileBytes.length(segment.file, segment.path))
            try File.synchronise(folder: folder.path)
            if state.length == 0 {
                let back = try state.copy()
                back.segment = before.first
                back.length = try FileBytes.length(before.file, before.path)
                adopt(back, ratchet, before)
                try File.remove(segment.path)
                try File.synchronise(folder: folder.path)
                return
            }
        }
    }

    /// Takes over the lines between the known end and `length` that continue the chain.
    private func replay(to length: UInt64) throws(AiboxError) {
        let bytes = try FileBytes.read(segment.file, from: state.length, to: length, segment.path)
        let next = try state.copy()
        let ratchet = try self.ratchet.copy()
        var position = 0
        while let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) {
            let accepted = try bytes.borrowed { (bytes) throws(AiboxError) -> Bool in
                let line = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
                guard let record = RecordLine(line), let id = record.id, record.sequence == next.sequence + 1,
                    record.previous == next.head,
                    ConstantTime.equal(try ratchet.authenticate(record.authenticated), record.mac)
                else { return false }
                next.sequence = record.sequence
                next.lastID = id
                next.head = try hasher.leaf(line)
                return true
            }
            if !accepted { break }
            try ratchet.advance()
            position = end + 1
        }
        next.length += UInt64(position)
        next.setRatchet(ratchet)
        if position < bytes.count { try setAside(bytes[position...], at: next.length, after: next.sequence) }
        // What was just read may not have reached the disk before the crash.
        try sync(segment)
        if position > 0 { try next.write(stateFile, folder.state, disk) }
        adopt(next, ratchet, segment)
    }

    private func setAside(_ rest: ArraySlice<UInt8>, at offset: UInt64, after sequence: UInt64) throws(AiboxError) {
        let file = folder.torn(after: sequence)
        try File.replace(file, with: Array(rest), mode: 0o600)
        try disk.truncate(segment.file, to: offset, segment.path)
        tellOfRecovery(rest, of: segment.path, at: offset, in: file)
    }

    private func tellOfRecovery(
        _ rest: ArraySlice<UInt8>, of path: String, at offset: UInt64, in file: String
    ) {
        let lines = rest.count { $0 == UInt8(ascii: "\n") }
        let digest = (try? SHA256.digest(Array(rest)).hex) ?? ""
        tell(
            AuditEvent(
                .auditRecover, subject: Path.name(file),
                details: [
                    "file": .string(Path.name(path)), "offset": .integer(Int64(offset)),
                    "bytes": .integer(Int64(rest.count)), "lines": .integer(Int64(lines)), "digest": .string(digest),
                ],
                severity: lines > 0 ? .critical : .warning))
    }

    /// Takes over a checkpoint that was written and not yet noted in the key state, or sets aside a torn one.
    func repairCheckpoints() throws(AiboxError) {
        let path = folder.checkpoints
        let file = try LogWriter.open(path, O_RDWR | O_APPEND)
        let length = try FileBytes.length(file, path)
        if length < state.checkpointsLength {
            throw AiboxError(
                .integrity, "cannot continue the audit log",
                why: "\(path) was cut: it has \(length) bytes of \(state.checkpointsLength)",
                remedy: "aibox audit verify; then move the whole audit folder away as evidence")
        }
        if length == state.checkpointsLength { return }
        let rest = try FileBytes.read(file, from: state.checkpointsLength, to: length, path)
        let keys = try state.makeOneTimeKeys()
        let (entries, end) = CheckpointList.parse(rest)
        if end == rest.count, entries.count == 1, let checkpoint = Checkpoint(source: entries[0].source),
            checkpoint.origin == identity.origin, checkpoint.size <= state.sequence,
            checkpoint.size > state.checkpointSize,
            try checkpoint.isSigned(by: identity.key, once: try keys.publicKey())
        {
            try disk.synchronise(file, path)
            try note(checkpoint, try keys.successor(), length: length)
            return
        }
        let aside = folder.torn(after: state.sequence)
        try File.replace(aside, with: rest, mode: 0o600)
        try disk.truncate(file, to: state.checkpointsLength, path)
        tellOfRecovery(rest[...], of: path, at: state.checkpointsLength, in: aside)
    }
}
