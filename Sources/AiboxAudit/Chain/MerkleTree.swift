import AiboxCrypto
import AiboxSystem

/// Hashes of the Merkle tree of RFC 6962, section 2.1. One thread at a time.
final class MerkleHasher {
    private let hash: SHA256

    init() throws(AiboxError) { hash = try SHA256() }

    /// SHA-256(0x00 || leaf).
    func leaf(_ bytes: UnsafeRawBufferPointer) throws(AiboxError) -> Digest256 {
        try hash.start()
        try hash.update(Self.leafMark)
        try hash.update(bytes)
        return try hash.finish()
    }

    /// SHA-256(0x01 || left || right).
    func node(_ left: Digest256, _ right: Digest256) throws(AiboxError) -> Digest256 {
        try hash.start()
        try hash.update(Self.nodeMark)
        try hash.update(left)
        try hash.update(right)
        return try hash.finish()
    }

    func empty() throws(AiboxError) -> Digest256 {
        try hash.start()
        return try hash.finish()
    }

    private static let leafMark: [UInt8] = [0]
    private static let nodeMark: [UInt8] = [1]
}

/// A tree that only grows, as its complete subtrees from the largest to the smallest: all that the next leaf and the
/// root need.
struct MerkleFrontier: Equatable {
    private(set) var size: UInt64
    private(set) var subtrees: [Digest256]

    init() {
        size = 0
        subtrees = []
    }

    /// nil unless there is one subtree for each bit of the size.
    init?(size: UInt64, subtrees: [Digest256]) {
        guard subtrees.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.subtrees = subtrees
    }

    mutating func add(_ leaf: Digest256, _ hasher: MerkleHasher) throws(AiboxError) {
        var node = leaf
        var rest = size
        while rest & 1 == 1, let left = subtrees.popLast() {
            node = try hasher.node(left, node)
            rest >>= 1
        }
        subtrees.append(node)
        size += 1
    }

    /// The tree over the leaves of an aligned range, as far as they are in this one; nil if none is.
    ///
    /// A range left of a path through the tree begins where one of the complete subtrees does, and holds the
    /// following ones until it or the tree ends.
    func part(_ range: Range<UInt64>) -> MerkleFrontier? {
        if range.lowerBound >= size { return nil }
        var start: UInt64 = 0
        var inside: [Digest256] = []
        for (position, bit) in (0..<64).reversed().filter({ size & (1 << $0) != 0 }).enumerated() {
            if range.contains(start) { inside.append(subtrees[position]) }
            start += 1 << UInt64(bit)
        }
        return MerkleFrontier(size: min(size, range.upperBound) - range.lowerBound, subtrees: inside)
    }

    func root(_ hasher: MerkleHasher) throws(AiboxError) -> Digest256 {
        guard var root = subtrees.last else { return try hasher.empty() }
        for left in subtrees.dropLast().reversed() { root = try hasher.node(left, root) }
        return root
    }
}

/// Gathers the proof that one leaf is in a tree (RFC 6962, section 2.1.1) while the leaves pass by once.
struct MerkleProofBuilder {
    private struct Sibling {
        var range: Range<UInt64>
        var tree = MerkleFrontier()
    }

    private let index: UInt64
    /// In the order of the leaves.
    private var siblings: [Sibling] = []
    /// Positions in `siblings`, from the leaf's own sibling up to the root's child.
    private var path: [Int] = []
    private var current = 0

    /// - Parameter removed: the tree over the leaves from 0 on that will not pass by; `index` is not among them.
    init(index: UInt64, size: UInt64, removed: MerkleFrontier = MerkleFrontier()) {
        self.index = index
        var ranges: [Range<UInt64>] = []
        var (low, high) = (UInt64(0), size)
        while high - low > 1 {
            let middle = low + Self.split(high - low)
            if index < middle {
                ranges.append(middle..<high)
                high = middle
            } else {
                ranges.append(low..<middle)
                low = middle
            }
        }
        siblings = ranges.sorted { $0.lowerBound < $1.lowerBound }.map { range in
            Sibling(range: range, tree: removed.part(range) ?? MerkleFrontier())
        }
        path = ranges.reversed().compactMap { range in siblings.firstIndex { $0.range == range } }
    }

    /// The largest power of two below `count`.
    private static func split(_ count: UInt64) -> UInt64 { 1 << (63 - UInt64((count - 1).leadingZeroBitCount)) }

    /// Takes the leaves in order, from 0.
    mutating func add(_ leaf: Digest256, at position: UInt64, _ hasher: MerkleHasher) throws(AiboxError) {
        if position == index { return }
        while current < siblings.count, position >= siblings[current].range.upperBound { current += 1 }
        guard current < siblings.count, siblings[current].range.contains(position) else { return }
        try siblings[current].tree.add(leaf, hasher)
    }

    func proof(_ hasher: MerkleHasher) throws(AiboxError) -> [Digest256] {
        var proof: [Digest256] = []
        for position in path { proof.append(try siblings[position].tree.root(hasher)) }
        return proof
    }

    /// The root that a leaf and its proof lead to (RFC 9162, section 2.1.3.2), or nil if the proof has not the length
    /// that the size demands.
    static func root(
        leaf: Digest256, index: UInt64, size: UInt64, proof: [Digest256], _ hasher: MerkleHasher
    ) throws(AiboxError) -> Digest256? {
        guard index < size else { return nil }
        var (node, last, hash) = (index, size - 1, leaf)
        for sibling in proof {
            if last == 0 { return nil }
            if node & 1 == 1 || node == last {
                hash = try hasher.node(sibling, hash)
                while node & 1 == 0, node != 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                hash = try hasher.node(hash, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 ? hash : nil
    }
}
