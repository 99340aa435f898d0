/// The bytes of one Rego string, held in a single allocation.
///
/// The bytes are UTF-8 by convention but may be any bytes: `base64.decode` yields what was encoded.
/// Immutable once made, hence shared between threads freely.
public struct StringBox: @unchecked Sendable {
    // Unchecked: ManagedBuffer is not Sendable, but nothing writes to the elements after `make` returns.
    private final class Storage: ManagedBuffer<Int, UInt8> {}

    private let storage: ManagedBuffer<Int, UInt8>

    static let empty: StringBox = make(count: 0) { _ in }

    /// Makes a string of `count` bytes which `fill` writes.
    @inline(__always)
    static func make(count: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Void) -> StringBox {
        let storage = Storage.create(minimumCapacity: count) { _ in count }
        storage.withUnsafeMutablePointerToElements(fill)
        return StringBox(storage: storage)
    }

    /// Whether both are the very same object.
    @inline(__always)
    static func === (left: StringBox, right: StringBox) -> Bool { left.storage === right.storage }

    static func make(_ bytes: UnsafeBufferPointer<UInt8>) -> StringBox {
        make(count: bytes.count) { target in
            if let source = bytes.baseAddress { target.update(from: source, count: bytes.count) }
        }
    }

    static func make(_ bytes: [UInt8]) -> StringBox {
        bytes.withUnsafeBufferPointer { make($0) }
    }

    static func make(_ bytes: ArraySlice<UInt8>) -> StringBox {
        bytes.withUnsafeBufferPointer { make($0) }
    }

    static func make(_ string: String) -> StringBox {
        var copy = string
        return copy.withUTF8 { make($0) }
    }

    @inline(__always)
    var count: Int { storage.header }

    @inline(__always)
    func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        storage.withUnsafeMutablePointers { body(UnsafeBufferPointer(start: $1, count: $0.pointee)) }
    }

    var bytes: [UInt8] { withBytes { Array($0) } }

    /// The text, with U+FFFD in place of bytes that are not UTF-8.
    public var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    @inline(__always)
    func equals(_ other: StringBox) -> Bool {
        if self === other { return true }
        return withBytes { left in
            other.withBytes { right in
                left.count == right.count && compareBytes(left.baseAddress, right.baseAddress, left.count) == 0
            }
        }
    }

    /// Negative, zero or positive, by bytes; a prefix sorts first.
    func compare(_ other: StringBox) -> Int {
        if self === other { return 0 }
        return withBytes { left in
            other.withBytes { right in
                let order = compareBytes(left.baseAddress, right.baseAddress, min(left.count, right.count))
                return order != 0 ? order : left.count - right.count
            }
        }
    }
}

/// What memcmp does, eight bytes at a time; the standard library alone has no memcmp.
@inline(__always)
func compareBytes(_ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, _ count: Int) -> Int {
    guard let left, let right else { return 0 }
    let l = UnsafeRawPointer(left)
    let r = UnsafeRawPointer(right)
    var at = 0
    while at &+ 8 <= count {
        let a = l.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        let b = r.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        if a != b { return UInt64(bigEndian: a) < UInt64(bigEndian: b) ? -1 : 1 }
        at &+= 8
    }
    while at < count {
        if left[at] != right[at] { return Int(left[at]) - Int(right[at]) }
        at &+= 1
    }
    return 0
}
