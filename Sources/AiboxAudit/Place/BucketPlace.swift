import AiboxCrypto
import AiboxSystem

/// A bucket with object lock. For each log it holds `ID/log.pub` and `ID/SIZE-ROOT.checkpoint`, one object a delivery,
/// each locked (S3's compliance mode) so that nobody changes or removes it before its time.
struct BucketPlace: CheckpointPlace {
    let store: S3Store
    let days: Int64

    private static let identity = "/log.pub"
    private static let suffix = ".checkpoint"
    private static let digits = 20

    func recall(_ log: PlacedLog, isAudit: Bool) throws(AiboxError) -> PlaceMemory? {
        var memory = PlaceMemory("s3://\(store.bucket)/\(store.prefix)")
        let id = log.identity.fileName
        // With all versions of each: a mark that hides an object hides nothing here.
        for folder in try store.entries(.versions, under: String(id.prefix(16)), delimiter: "/").folders {
            for entry in try store.entries(.versions, under: folder + Self.identity.dropFirst()).entries {
                let text = String(decoding: try store.get(entry.name, version: entry.version), as: UTF8.self)
                if let other = try? LogIdentity(text, from: memory.name) { memory.look(at: other, log) }
            }
        }
        let entries =
            if isAudit { try store.entries(.versions, under: id + "/").entries } else {
                // `~` comes after every digit and letter.
                try store.entries(.newest, under: id + "/", after: "\(id)/\(Self.padded(log.delivered))-~").entries
            }
        for entry in entries where entry.name.hasSuffix(Self.suffix) {
            // The name of an object of ours tells whether the log has it; what is in the others has to be looked at.
            if let (size, root) = Self.head(entry.name.dropFirst(id.utf8.count + 1)), log.has(size, root) {
                memory.agreed = max(memory.agreed ?? 0, size)
                continue
            }
            let text = String(decoding: try store.get(entry.name, version: entry.version), as: UTF8.self)
            if let checkpoint = Checkpoint(source: text) { try memory.look(at: checkpoint, log) }
        }
        return memory
    }

    func add(_ log: PlacedLog) throws(AiboxError) {
        guard let newest = log.newest else { return }
        let until = Timestamp(seconds: Timestamp.now.seconds + days * 86_400)
        let id = log.identity.fileName
        try store.put(id + Self.identity, Array(try log.identity.text().utf8), until: until)
        try store.put(
            "\(id)/\(Self.padded(newest.size))-\(newest.root.hex)\(Self.suffix)", Array(newest.note.source.utf8),
            until: until)
    }

    private static func padded(_ size: UInt64) -> String {
        let text = String(size)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    private static func head(_ name: Substring) -> (size: UInt64, root: Digest256)? {
        let parts = name.dropLast(suffix.utf8.count).split(separator: "-")
        guard parts.count == 2, parts[0].utf8.count == digits, let size = UInt64(parts[0]),
            let root = Digest256(hex: String(parts[1]))
        else { return nil }
        return (size, root)
    }
}
