import AiboxCrypto
import AiboxSystem
import Glibc

/// The Merkle tree as far as a process has followed the log, and where it stopped.
struct FollowedTree {
    var frontier: MerkleFrontier
    /// The leaf last added.
    var head: Digest256
    /// The file and the offset of the line after that.
    var segment: UInt64
    var offset: UInt64

    /// Adds a line that this process wrote, if it has followed the log up to there.
    mutating func add(_ leaf: Digest256, at sequence: UInt64, _ hasher: MerkleHasher) throws(AiboxError) {
        guard frontier.size + 1 == sequence else { return }
        try frontier.add(leaf, hasher)
        head = leaf
    }

    mutating func moved(to segment: UInt64, _ offset: UInt64) {
        self.segment = segment
        self.offset = offset
    }

    /// The beginning of what is left of a log.
    static func start(
        _ folder: LogFolder, _ identity: LogIdentity, _ anchor: Digest256
    ) throws(AiboxError) -> FollowedTree {
        let first = try folder.segments().first ?? 1
        let removed = try Tombstone.before(first, of: identity, in: folder)
        return FollowedTree(
            frontier: removed?.frontier ?? MerkleFrontier(), head: removed?.head ?? anchor, segment: first, offset: 0)
    }

    /// Adds the lines up to a size.
    ///
    /// - Parameter each: is told each leaf and its place, counted from 0.
    /// - Throws: `integrity` if one is missing or does not follow.
    mutating func follow(
        to size: UInt64, in folder: LogFolder, _ hasher: MerkleHasher,
        _ each: (Digest256, UInt64) throws(AiboxError) -> Void = { (_, _) throws(AiboxError) in }
    ) throws(AiboxError) {
        while frontier.size < size {
            let path = folder.path(segment: segment)
            let lines = try MappedFile(path)
            while frontier.size < size, let line = lines.line(from: Int(offset)) {
                guard let record = RecordLine(line), record.sequence == frontier.size + 1, record.previous == head
                else { throw missing(path) }
                let leaf = try hasher.leaf(line)
                try each(leaf, frontier.size)
                try frontier.add(leaf, hasher)
                head = leaf
                offset += UInt64(line.count) + 1
            }
            if frontier.size == size { return }
            let next = frontier.size + 1
            if segment == next || !File.exists(folder.path(segment: next)) { throw missing(path) }
            moved(to: next, 0)
        }
    }

    private func missing(_ path: String) -> AiboxError {
        AiboxError(
            .integrity, "cannot read the audit log", why: "event \(frontier.size + 1) is missing or damaged in \(path)",
            remedy: "aibox audit verify names the first bad record")
    }
}

/// Signing the log.
extension LogWriter {
    /// Appends a checkpoint over all events. Under the lock.
    func writeCheckpoint() throws(AiboxError) {
        try repairCheckpoints()
        if state.sequence == state.checkpointSize { return }
        let tree = try followTree()
        let keys = try state.makeOneTimeKeys()
        let successor = try keys.successor()
        var checkpoint = Checkpoint(
            origin: identity.origin, size: state.sequence, root: try tree.frontier.root(hasher),
            time: clock().time.rfc3339, next: try successor.publicKey())
        try checkpoint.note.sign(as: identity.key, seed: state.makeLogKey())
        let once = NoteKey(name: Checkpoint.onceName(identity.origin), publicKey: try keys.publicKey())
        try checkpoint.note.sign(as: once, seed: keys.current())

        let path = folder.checkpoints
        let file = try LogWriter.open(path, O_RDWR | O_APPEND)
        let bytes = Array((checkpoint.note.source + "\n").utf8)
        try bytes.borrowed { (bytes) throws(AiboxError) in
            try disk.append(bytes, to: file, path)
            try disk.synchronise(file, path)
        }
        try note(checkpoint, successor, length: state.checkpointsLength + UInt64(bytes.count))
        FrontierCache(folder).store(tree, anchor: state.anchor)
    }

    /// Notes a checkpoint that is on the disk in the key state; its one-time key is gone with that.
    func note(_ checkpoint: Checkpoint, _ successor: OneTimeKeys, length: UInt64) throws(AiboxError) {
        let next = try state.copy()
        next.checkpoints += 1
        next.checkpointsLength = length
        next.checkpointSize = checkpoint.size
        next.setOneTimeKeys(successor)
        try next.write(stateFile, folder.state, disk)
        try disk.synchronise(stateFile, folder.state)
        state = next
    }

    /// The tree over all events, from where this process, or the last checkpoint's, stopped.
    private func followTree() throws(AiboxError) -> FollowedTree {
        var tree = try startingTree()
        while tree.frontier.size < state.sequence {
            let isLast = tree.segment == state.segment
            let reachedEnd = try follow(&tree, isLast ? state.length : nil)
            if tree.frontier.size == state.sequence { break }
            if !reachedEnd || isLast {
                throw AiboxError(
                    .integrity, "cannot sign the audit log",
                    why:
                        "event \(tree.frontier.size + 1) is missing or damaged in \(folder.path(segment: tree.segment))",
                    remedy: "aibox audit verify names the first bad record")
            }
            tree.moved(to: tree.frontier.size + 1, 0)
        }
        guard tree.head == state.head else {
            throw AiboxError(
                .integrity, "cannot sign the audit log", why: "its lines are not those that were written",
                remedy: "aibox audit verify names the first bad record")
        }
        self.tree = tree
        return tree
    }

    /// What this process followed, else what the last checkpoint left, else nothing.
    private func startingTree() throws(AiboxError) -> FollowedTree {
        if let tree { return tree }
        if let cached = try FrontierCache(folder).load(anchor: state.anchor), cached.frontier.size <= state.sequence {
            return cached
        }
        return try FollowedTree.start(folder, identity, state.anchor)
    }

    /// Adds the lines of one file; false if it holds something else before its end.
    private func follow(_ tree: inout FollowedTree, _ limit: UInt64?) throws(AiboxError) -> Bool {
        let lines = try MappedFile(folder.path(segment: tree.segment), limit: limit.map(Int.init))
        while let line = lines.line(from: Int(tree.offset)) {
            guard let record = RecordLine(line), record.sequence == tree.frontier.size + 1,
                record.previous == tree.head
            else { return false }
            let leaf = try hasher.leaf(line)
            try tree.frontier.add(leaf, hasher)
            tree.head = leaf
            tree.offset += UInt64(line.count) + 1
        }
        return tree.offset == UInt64(lines.bytes.count)
    }
}
