import AiboxCrypto
import AiboxSystem

/// A witness (c2sp.org/tlog-witness): it takes a checkpoint only with a proof that it continues the one before, and
/// signs what it took. A log that was rolled back, forked or replaced gets no such signature.
struct WitnessPlace: CheckpointPlace {
    let exchange: HTTPSExchange
    /// The submission prefix: a path without a slash at its end.
    let prefix: String
    let key: WitnessKey
    /// Where the tree stood at the last delivery: a cache.
    let tree: String

    private var name: String { "the witness \(key.name)" }

    func recall(_ log: PlacedLog, isAudit: Bool) throws(AiboxError) -> PlaceMemory? {
        var memory = PlaceMemory(name)
        // Handing a checkpoint in is the one question that a witness answers.
        if isAudit { try submit(log, &memory, trustsCache: false) }
        return memory
    }

    func add(_ log: PlacedLog) throws(AiboxError) {
        var memory = PlaceMemory(name)
        try submit(log, &memory, trustsCache: true)
        if let finding = memory.finding {
            throw AiboxError(
                .integrity, "the audit log was \(finding.kind.rawValue)", why: finding.explanation,
                remedy: "aibox audit verify")
        }
    }

    /// Hands the newest checkpoint in, with the proof that it continues what the witness signed last.
    ///
    /// - Parameter trustsCache: whether the tree of the last delivery may spare reading the log from its beginning.
    private func submit(_ log: PlacedLog, _ memory: inout PlaceMemory, trustsCache: Bool) throws(AiboxError) {
        guard let newest = log.newest else { return }
        let hasher = try MerkleHasher()
        let anchor = try log.identity.anchor()
        let cache = FrontierCache(path: tree)
        var known = trustsCache ? try cache.load(anchor: anchor) : nil
        // Whatever fails below, the next attempt begins without it.
        if File.exists(tree), trustsCache { try File.remove(tree) }
        var size = min(known?.frontier.size ?? log.delivered, newest.size)
        for _ in 0..<3 {
            if size > newest.size {
                memory.report(
                    .rolledBack, newest.size + 1, to: size,
                    "\(name) has signed \(size) events of this log; its own end is at \(newest.size)")
                return
            }
            if known?.frontier.size != size {
                known = try FollowedTree.start(log.folder, log.identity, anchor)
                guard known?.frontier.size ?? 0 <= size || size == 0 else {
                    throw AiboxError(
                        .failed, "cannot ask \(name)",
                        why: "it knows \(size) events of the log, and those were removed after their retention")
                }
            }
            guard var end = known else { return }
            if end.frontier.size < size { try end.follow(to: size, in: log.folder, hasher) }
            var proof = ConsistencyProof(from: size == 0 ? MerkleFrontier() : end.frontier, to: newest.size)
            try end.follow(to: newest.size, in: log.folder, hasher) { (leaf, position) throws(AiboxError) in
                try proof.add(leaf, at: position, hasher)
            }
            let body =
                "old \(size)\n" + (try proof.hashes(hasher)).map { Base64.encode($0.bytes) + "\n" }.joined() + "\n"
                + newest.note.source
            let answer = try exchange.send(
                "POST", prefix + "/add-checkpoint", headers: [("User-Agent", "aibox-audit")], body: Array(body.utf8))
            switch answer.status {
            case 200:
                guard try key.hasSigned(newest.note.text, in: String(decoding: answer.body, as: UTF8.self)) else {
                    throw AiboxError(
                        .failed, "\(name) gave no signature",
                        why: "its answer has none of the key \(key.name) over the checkpoint that it was handed")
                }
                memory.agreed = newest.size
                if trustsCache { cache.store(end, anchor: anchor) }
                return
            case 404:
                memory.report(
                    .rekeyed, nil,
                    "\(name) knows no log \(log.identity.origin): it was never told of it, or this log took another's place"
                )
                return
            case 403:
                memory.report(.rekeyed, nil, "\(name) knows another key for the log \(log.identity.origin)")
                return
            case 409:
                let text = String(decoding: answer.body.prefix(32), as: UTF8.self).filter { !$0.isWhitespace }
                guard let signed = UInt64(text) else { break }
                if signed == size {
                    memory.report(.forked, size, "\(name) has signed another root over the first \(size) events")
                    return
                }
                size = signed
                continue
            case 422:
                memory.report(
                    .forked, size, "\(name) has signed a tree over \(size) events that this log does not continue")
                return
            default: break
            }
            throw AiboxError(.failed, "cannot ask \(name)", why: "it answers with status \(answer.status)")
        }
        throw AiboxError(.failed, "cannot ask \(name)", why: "it names another size each time")
    }
}

/// The key of a witness and what it signs (c2sp.org/tlog-cosignature, Ed25519).
struct WitnessKey {
    let name: String
    private let publicKey: [UInt8]
    private let id: [UInt8]

    private static let cosignature: UInt8 = 4

    /// - Parameter text: `NAME+ID+BASE64`, the base64 being of the byte 4 and the Ed25519 key.
    init(_ text: String, from path: String) throws(AiboxError) {
        let parts = text.filter { !$0.isWhitespace }.split(
            separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let blob = Base64.decode(parts[2]),
            blob.count == 1 + Ed25519.keyCount, blob[0] == Self.cosignature
        else {
            throw AiboxError(
                .failed, "cannot use the witness' key", why: "\(path) holds no Ed25519 key for cosignatures",
                remedy: "its operator publishes one as NAME+ID+KEY (c2sp.org/signed-note, verifier keys)")
        }
        name = String(parts[0])
        publicKey = Array(blob.dropFirst())
        id = Array(try SHA256.digest(Array(name.utf8) + [0x0a] + blob).bytes.prefix(4))
        if Hex.encode(id) != parts[1] {
            throw AiboxError(.failed, "cannot use the witness' key", why: "\(path) contradicts itself")
        }
    }

    /// Whether one of the signature lines is this key's, over this text.
    func hasSigned(_ text: String, in lines: String) throws(AiboxError) -> Bool {
        for line in lines.split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "\u{2014}", parts[1] == name, let blob = Base64.decode(parts[2]),
                blob.count == 4 + 8 + 64, blob.starts(with: id)
            else { continue }
            let time = blob[4..<12].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let message = "cosignature/v1\ntime \(time)\n" + text
            if try Ed25519.isValid(Array(blob[12...]), of: Array(message.utf8), publicKey: publicKey) { return true }
        }
        return false
    }
}
