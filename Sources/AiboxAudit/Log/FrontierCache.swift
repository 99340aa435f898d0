import AiboxCrypto
import AiboxSystem

/// Remembers the tree at the last checkpoint, so that a new process need not read the whole log to sign its end.
///
/// A cache: a missing or damaged one costs time only. A forged one is found, because the tree made from it would not
/// lead to the head that the key state knows, or to the roots that `audit verify` computes.
struct FrontierCache {
    private let path: String

    init(_ folder: LogFolder) { path = folder.frontier }
    init(path: String) { self.path = path }

    func store(_ tree: FollowedTree, anchor: Digest256) {
        let text = Self.text(tree, anchor)
        // Without it everything still works, so a failure is no failure, and nothing waits for the disk.
        guard let digest = try? SHA256.digest(text) else { return }
        try? File.exchange(path, with: text + digest.hex + "\n")
    }

    func load(anchor: Digest256) throws(AiboxError) -> FollowedTree? {
        guard let text = try? File.text(path, limit: 65_536) else { return nil }
        let lines = text.split(separator: "\n")
        guard lines.count >= 6, lines[0] == anchor.hex, let size = UInt64(lines[1]), let segment = UInt64(lines[2]),
            let offset = UInt64(lines[3]), let head = Digest256(hex: String(lines[4]))
        else { return nil }
        let subtrees = lines[5..<(lines.count - 1)].compactMap { Digest256(hex: String($0)) }
        guard let frontier = MerkleFrontier(size: size, subtrees: subtrees) else { return nil }
        let tree = FollowedTree(frontier: frontier, head: head, segment: segment, offset: offset)
        let expected = Self.text(tree, anchor)
        return try text == expected + SHA256.digest(expected).hex + "\n" ? tree : nil
    }

    private static func text(_ tree: FollowedTree, _ anchor: Digest256) -> String {
        var text = "\(anchor.hex)\n\(tree.frontier.size)\n\(tree.segment)\n\(tree.offset)\n\(tree.head.hex)\n"
        for subtree in tree.frontier.subtrees { text += subtree.hex + "\n" }
        return text
    }
}
