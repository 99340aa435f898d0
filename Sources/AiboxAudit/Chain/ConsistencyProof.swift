import AiboxCrypto
import AiboxSystem

/// Gathers the proof that a tree continues an earlier one (RFC 6962, section 2.1.2) from the earlier one's complete
/// subtrees and the leaves since.
struct ConsistencyProof {
    private struct Part {
        var range: Range<UInt64>
        var tree: MerkleFrontier
    }

    /// In the order of the proof.
    private var parts: [Part]
    /// Positions in `parts`, in the order of the leaves.
    private let order: [Int]
    private var current = 0

    init(from old: MerkleFrontier, to size: UInt64) {
        var ranges: [Range<UInt64>] = []
        if old.size > 0, old.size < size { Self.ranges(old.size, 0..<size, isWhole: true) { ranges.append($0) } }
        parts = ranges.map { Part(range: $0, tree: old.part($0) ?? MerkleFrontier()) }
        order = ranges.indices.sorted { ranges[$0].lowerBound < ranges[$1].lowerBound }
    }

    /// SUBPROOF of the RFC, as the ranges of the trees that it names.
    private static func ranges(
        _ old: UInt64, _ range: Range<UInt64>, isWhole: Bool, _ add: (Range<UInt64>) -> Void
    ) {
        let count = range.upperBound - range.lowerBound
        if old == count {
            if !isWhole { add(range) }
            return
        }
        let middle = range.lowerBound + (1 << (63 - UInt64((count - 1).leadingZeroBitCount)))
        if old <= middle - range.lowerBound {
            ranges(old, range.lowerBound..<middle, isWhole: isWhole, add)
            add(middle..<range.upperBound)
        } else {
            ranges(old - (middle - range.lowerBound), middle..<range.upperBound, isWhole: false, add)
            add(range.lowerBound..<middle)
        }
    }

    /// Takes the leaves behind the earlier tree, in order.
    mutating func add(_ leaf: Digest256, at position: UInt64, _ hasher: MerkleHasher) throws(AiboxError) {
        while current < order.count, position >= parts[order[current]].range.upperBound { current += 1 }
        guard current < order.count, parts[order[current]].range.contains(position) else { return }
        try parts[order[current]].tree.add(leaf, hasher)
    }

    func hashes(_ hasher: MerkleHasher) throws(AiboxError) -> [Digest256] {
        var hashes: [Digest256] = []
        for part in parts { hashes.append(try part.tree.root(hasher)) }
        return hashes
    }
}
