/// The strings of a policy, each held once, so that equal strings are mostly the same object.
///
/// Grows while a program is compiled; afterwards only `find` is used, by any number of threads.
final class StringPool: @unchecked Sendable {
    // Unchecked: see above.
    private var slots: [StringBox?] = Array(repeating: nil, count: 256)
    private var count = 0
    var isSealed = false

    @inline(__always)
    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: bytes.count)
        guard let start = bytes.baseAddress else { return Int(truncatingIfNeeded: hash) & Int.max }
        let raw = UnsafeRawPointer(start)
        var at = 0
        while at &+ 8 <= bytes.count {
            hash = (hash ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            at &+= 8
        }
        while at < bytes.count {
            hash = (hash ^ UInt64(start[at])) &* 0x0000_0100_0000_01B3
            at &+= 1
        }
        hash ^= hash >> 29
        return Int(truncatingIfNeeded: hash) & Int.max
    }

    @inline(__always)
    func find(_ bytes: UnsafeBufferPointer<UInt8>) -> StringBox? {
        let mask = slots.count - 1
        var at = StringPool.hash(bytes) & mask
        while let box = slots[at] {
            if box.count == bytes.count,
                box.withBytes({ compareBytes($0.baseAddress, bytes.baseAddress, bytes.count) == 0 })
            {
                return box
            }
            at = (at + 1) & mask
        }
        return nil
    }

    func intern(_ bytes: [UInt8]) -> StringBox {
        bytes.withUnsafeBufferPointer { bytes in
            if let found = find(bytes) { return found }
            let box = StringBox.make(bytes)
            if !isSealed { insert(box) }
            return box
        }
    }

    func intern(_ text: String) -> StringBox { intern(Array(text.utf8)) }

    private func insert(_ box: StringBox) {
        if count * 2 >= slots.count {
            let old = slots
            slots = Array(repeating: nil, count: old.count * 2)
            for case let entry? in old { place(entry) }
        }
        place(box)
        count += 1
    }

    private func place(_ box: StringBox) {
        let mask = slots.count - 1
        var at = box.withBytes { StringPool.hash($0) } & mask
        while slots[at] != nil { at = (at + 1) & mask }
        slots[at] = box
    }
}

extension Value {
    /// The same value with its keys and short strings taken from the pool, and put there.
    func interned(_ pool: StringPool) -> Value {
        switch self {
        case .string(let box): box.count <= 48 ? .string(pool.intern(box.bytes)) : self
        case .array(let items): .array(items.map { $0.interned(pool) })
        case .object(let box):
            .object(ObjectBox(keys: box.keys.map { $0.interned(pool) }, values: box.values.map { $0.interned(pool) }))
        case .set(let box): .set(SetBox(sorted: box.items.map { $0.interned(pool) }))
        default: self
        }
    }
}
